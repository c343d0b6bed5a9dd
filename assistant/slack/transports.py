"""Socket Mode: Slack's envelopes come through a connection that we open, so no port is needed.

Each envelope is kept, then acknowledged, then handled: a slow or dying handler neither makes Slack
repeat it nor loses it. Source: docs.slack.dev, using Socket Mode.
"""

import asyncio

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.errors import FAILURES, SlackError, locked_out, sentence
from assistant.slack.ingress import Ingress

Client = AsyncWebClient
SLACK_API = "https://slack.com/api/"
PING_S = 5.0
CALL_TIMEOUT_S = 10
LOOK_S = 60.0


def web_client(token: str, base_url: str = SLACK_API) -> AsyncWebClient:
    """Return a client that never retries by itself: a retried post may be posted twice."""
    return AsyncWebClient(token=token, base_url=base_url, timeout=CALL_TIMEOUT_S, retry_handlers=[])


class SocketMode:
    """One connection that lives as long as `run`; `app_token` begins with xapp-.

    Every `look_s` seconds it asks whether the tokens still work.
    """

    def __init__(
        self, ingress: Ingress, client: AsyncWebClient, app_token: str, look_s: float = LOOK_S
    ) -> None:
        self._ingress = ingress
        self._client = client
        self._app_token = app_token
        self._look_s = look_s
        self._tasks: asyncio.TaskGroup | None = None

    async def check(self) -> str:
        """Return the address to connect to; raises `SlackError` where a token does not work.

        Slack's own client would try again and again for ever.
        """
        try:
            await self._client.auth_test()
            reply = await self._client.apps_connections_open(app_token=self._app_token)
        except FAILURES as error:
            raise SlackError(sentence(error)) from error
        return str(reply["url"])

    async def run(self, url: str, ready: asyncio.Event) -> None:
        """Finish what was left, connect, set `ready`, and handle envelopes until cancelled.

        What is cut off by the end stays in the inbox for the next start. Raises `SlackError` (in a
        group) where Slack takes the token no more: Slack's own client would try for ever.
        """
        await self._ingress.resume()
        socket = SocketModeClient(self._app_token, web_client=self._client, ping_interval=PING_S)
        socket.socket_mode_request_listeners.append(self._take)  # type: ignore[arg-type]
        socket.wss_uri = url
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                try:
                    await socket.connect()  # type: ignore[no-untyped-call]
                    ready.set()
                    while True:
                        await asyncio.sleep(self._look_s)
                        await self._must_be_let_in()
                finally:
                    self._tasks = None  # what comes from now on waits in the inbox
        finally:
            await socket.close()  # type: ignore[no-untyped-call]

    async def _must_be_let_in(self) -> None:
        try:
            await self._client.auth_test()
        except FAILURES as error:
            if locked_out(error):
                raise SlackError(sentence(error)) from error

    async def _take(self, socket: SocketModeClient, request: SocketModeRequest) -> None:
        key = self._ingress.claim(request.payload, request.envelope_id)
        if key is not None and self._tasks is not None:
            # Begins after the acknowledgement is on its way, and even if that is lost.
            self._tasks.create_task(self._ingress.handle(key, request.payload))
        await socket.send_socket_mode_response(SocketModeResponse(request.envelope_id))
