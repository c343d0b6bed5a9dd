"""HTTP mode: Slack posts to an address of ours, and every request has to prove that it is Slack's.

What it tells is kept, then acknowledged with an empty 200, then handled, as in Socket Mode. Source:
docs.slack.dev, Events API over HTTP.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.slack.contact import Contact
from assistant.slack.errors import FAILURES, SlackAway, failure
from assistant.slack.guard import MAX_BODY, SIGNATURE, Guard, Refusal, form_refusal
from assistant.slack.ingress import Ingress
from assistant.slack.line import Pace
from assistant.slack.manifest import PATH
from assistant.slack.transports import LOOK_S, let_in

READ_S = 10.0
_CHUNK = 64 * 1024
_MOST_FIELDS = 100
_CHALLENGE = 200
_LATER = 503
_LOG = logging.getLogger(__name__)


class HttpMode:
    """The request URL of the app; `respond` is served at `PATH` by whoever opens a port.

    Every `look_s` seconds it asks whether the bot token still works, and Slack answers; sooner
    while it does not know its workspace yet.
    """

    def __init__(
        self, client: AsyncWebClient, secret: str, clock: Clock, *, look_s: float = LOOK_S
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._client = client
        self._guard = Guard(secret, clock)
        self._look_s = look_s
        self._team = ""
        self._ingress: Ingress | None = None

    async def check(self) -> None:
        """Learn which workspace is ours; raises `SlackError` where the token does not work."""
        try:
            reply = await self._client.auth_test()
        except FAILURES as error:
            raise failure(error) from error
        self._team = str(reply["team_id"])

    async def run(
        self, ingress: Ingress, contact: Contact, clock: Clock, ready: asyncio.Event
    ) -> None:
        """Finish what was left, set `ready`, and take requests until cancelled.

        Raises `SlackError` where Slack takes the token no more.
        """
        async with ingress.open():
            self._ingress = ingress
            waits = Pace().waits()
            why = None if self._team else await self._away()
            try:
                while True:
                    if why is not None:
                        contact.lost(clock.now(), why)
                    else:
                        contact.found(clock.now())
                        ready.set()
                    await asyncio.sleep(self._look_s if self._team else next(waits))
                    why = await self._away()
            finally:
                self._ingress = None

    async def _away(self) -> str | None:
        """Return why Slack does not answer, null where it does; raises `SlackError`."""
        if self._team:
            return await let_in(self._client)
        try:
            await self.check()
        except SlackAway as away:
            return str(away)
        return None

    async def respond(self, request: web.Request) -> web.Response:
        """Answer one request: 200 once it is kept, one word for what is not taken."""
        why = form_refusal(request.method, request.headers)
        body = b""
        if why is None:
            body, why = await _read(request)
        # From here on without a pause: of two equal requests, the second is a replay.
        why = why or self._guard.refusal(request.method, request.headers, body)
        if why is not None:
            return self._refuse(why)
        payload = payload_of(body, form=request.content_type != "application/json")
        if payload is None:
            return self._refuse(Refusal.BODY)
        if payload.get("type") == "url_verification":
            return web.json_response({"challenge": str(payload.get("challenge"))[:_CHALLENGE]})
        if not self._team:
            return web.Response(status=_LATER, text="later")  # whose it is cannot be told yet
        if not ours(payload, self._team):
            return self._refuse(Refusal.TEAM)
        signed = request.headers[SIGNATURE]
        self._guard.took(signed)
        # Where there is no other key, the signature tells a request from the next one.
        if self._ingress is not None and await self._ingress.take(payload, signed):
            return web.Response()
        self._guard.forget(signed)
        return web.Response(status=_LATER, text="later")

    def _refuse(self, why: Refusal) -> web.Response:
        self.refused[why] += 1
        times = self.refused[why]
        if times & (times - 1) == 0:  # at 1, 2, 4, 8…: whoever floods us does not fill the disk
            _LOG.warning("a request to %s was refused: %s (%d so far)", PATH, why, times)
        return web.Response(status=why.status, text=why)


async def _read(request: web.Request) -> tuple[bytes, Refusal | None]:
    """Return the body, or why it was not read to its end."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > MAX_BODY:
                    return b"", Refusal.SIZE
    except TimeoutError:
        return b"", Refusal.SLOW
    return bytes(body), None


def payload_of(body: bytes, *, form: bool) -> dict[str, Any] | None:
    """Return what a body says, null where that is nothing of Slack's.

    Events are JSON; what people press is JSON in the field `payload` of a form; a command is the
    fields of a form.
    """
    try:
        text = body.decode("utf-8")
        if form:
            fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
            if "payload" not in fields:
                return dict(fields) if "command" in fields else None
            text = fields["payload"]
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("event") or {}, dict):
        return None
    return told


def ours(payload: Mapping[str, Any], team: str) -> bool:
    """Tell whether a payload is about our workspace: the app could be installed in others."""
    return team in _teams(payload)


def _teams(payload: Mapping[str, Any]) -> Iterator[object]:
    """Yield the workspaces for which something is told; in shared channels there are several."""
    yield payload.get("team_id")
    yield payload.get("context_team_id")
    authorized = payload.get("authorizations")
    holders = authorized if isinstance(authorized, list) else []
    for holder in (payload.get("team"), *holders):
        if isinstance(holder, Mapping):
            yield holder.get("id") or holder.get("team_id")
