"""Who we are in Slack: asked once, and asked until Slack says it.

Bolt asks with the first thing that it is told, and forgets that one where Slack fails to answer.
Here it waits instead; until it is handled it stays in the inbox.
"""

import asyncio
from collections.abc import Awaitable, Callable

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.errors import FAILURES, wait_s

FIRST_S, LONGEST_S = 0.25, 30.0


def authorizer(client: AsyncWebClient) -> Callable[[], Awaitable[AuthorizeResult]]:
    """Return what Bolt asks before it lets a listener work; it never fails, it waits."""
    turn = asyncio.Lock()
    known: list[AuthorizeResult] = []

    async def authorize() -> AuthorizeResult:
        async with turn:
            if not known:
                known.append(await _asked(client))
        return known[0]

    return authorize


async def _asked(client: AsyncWebClient) -> AuthorizeResult:
    delay_s = FIRST_S
    while True:
        try:
            answer = await client.auth_test()
        except FAILURES as error:
            await asyncio.sleep(wait_s(error) or delay_s)
            delay_s = min(2 * delay_s, LONGEST_S)
        else:
            return AuthorizeResult.from_auth_test_response(
                bot_token=client.token, auth_test_response=answer
            )
