"""What the workspace has granted to the app: Slack names it in a header of its answers.

Source: docs.slack.dev, OAuth scopes.
"""

from collections.abc import Mapping

from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.errors import FAILURES, SlackError, failure, lacking
from assistant.slack.manifest import BOT_SCOPES

HEADER = "X-OAuth-Scopes"


async def check_scopes(client: AsyncWebClient) -> None:
    """Raise `SlackError` for a token that does not work, or that lacks a scope that is needed.

    What rests on a scope that can be refused is left out where it would be used.
    """
    try:
        reply = await client.auth_test()
    except FAILURES as error:
        raise failure(error) from error
    if scopes := missing(reply.headers):
        raise SlackError(lacking(*scopes))


def missing(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the needed scopes that an answer does not name, none where it names no scopes."""
    granted = {scope.strip() for scope in headers.get(HEADER, "").split(",")} - {""}
    return tuple(scope for scope in BOT_SCOPES if scope not in granted) if granted else ()
