"""How Slack is reached, and Socket Mode: envelopes come through connections that we open.

Two of them, so that one is there while Slack renews the other; no port is needed. Each envelope is
kept, then acknowledged, then handled: a slow or dying handler neither makes Slack repeat it nor
loses it. Source: docs.slack.dev, using Socket Mode.
"""

import asyncio
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout
from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.slack.contact import Contact
from assistant.slack.errors import FAILURES, SlackError, failure, locked_out, sentence
from assistant.slack.ingress import Ingress
from assistant.slack.line import Line, Pace

Client = AsyncWebClient
SLACK_API = "https://slack.com/api/"
LINES = 2
PING_S = 10.0
CLOSE_S = 1.0
CALL_TIMEOUT_S = 10
LOOK_S = 60.0


def web_client(token: str, base_url: str = SLACK_API) -> AsyncWebClient:
    """Return a client that never retries by itself: a retried post may be posted twice."""
    return AsyncWebClient(token=token, base_url=base_url, timeout=CALL_TIMEOUT_S, retry_handlers=[])


class SocketMode:
    """Connections that live as long as `run`; `app_token` begins with xapp-.

    Every `look_s` seconds it asks whether the bot token still works.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        app_token: str,
        *,
        look_s: float = LOOK_S,
        pace: Pace | None = None,
    ) -> None:
        self._client = client
        self._app_token = app_token
        self._look_s = look_s
        self._pace = pace or Pace()

    async def check(self) -> None:
        """Raise `SlackError` where a token does not work."""
        try:
            await self._client.auth_test()
            await self._client.apps_connections_open(app_token=self._app_token)
        except FAILURES as error:
            raise failure(error) from error

    async def run(
        self, ingress: Ingress, contact: Contact, clock: Clock, ready: asyncio.Event
    ) -> None:
        """Finish what was left, connect, set `ready`, and handle envelopes until cancelled.

        What is cut off by the end stays in the inbox for the next start. Raises `SlackError` (in a
        group) where Slack takes a token no more: it would never come back.
        """
        exchange = _Exchange(ingress, contact, clock, ready)
        async with ingress.open(), ClientSession() as session, asyncio.TaskGroup() as tasks:

            async def dial() -> ClientWebSocketResponse:
                reply = await self._client.apps_connections_open(app_token=self._app_token)
                return await session.ws_connect(
                    str(reply["url"]),
                    heartbeat=PING_S,
                    timeout=ClientWSTimeout(ws_close=CLOSE_S),
                    proxy=self._client.proxy,
                    ssl=True if self._client.ssl is None else self._client.ssl,
                )

            for _ in range(LINES):
                tasks.create_task(Line(dial, exchange, self._pace).run())
            while True:
                await asyncio.sleep(self._look_s)
                await let_in(self._client)


async def let_in(client: AsyncWebClient) -> str | None:
    """Ask whether the token works; returns why nobody knows, null where it does.

    Raises `SlackError` where Slack takes it no more.
    """
    try:
        await client.auth_test()
    except FAILURES as error:
        if locked_out(error):
            raise SlackError(sentence(error)) from error
        return sentence(error)
    return None


class _Exchange:
    """Counts the open sockets of all lines."""

    def __init__(
        self, ingress: Ingress, contact: Contact, clock: Clock, ready: asyncio.Event
    ) -> None:
        self._ingress = ingress
        self._contact = contact
        self._clock = clock
        self._ready = ready
        self._open = 0

    async def take(self, payload: dict[str, Any], envelope: str) -> bool:
        return await self._ingress.take(payload, envelope)

    def opened(self) -> None:
        self._open += 1
        self._contact.found(self._clock.now())
        self._ready.set()

    def closed(self, reason: str) -> None:
        self._open -= 1
        self.failed(reason)

    def failed(self, reason: str) -> None:
        if not self._open:
            self._contact.lost(self._clock.now(), reason)
