"""Socket Mode: hands each envelope to one of the open sockets and hears the answers.

A ticket opens one socket, within half a minute. Source: docs.slack.dev, using Socket Mode.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from assistant.clock import Clock
from assistant.slack import limits
from assistant.slack.local.changes import Changes
from assistant.slack.local.deliveries import Delivery, Missed, Retry, Timing
from assistant.slack.local.faults import Faults


@dataclass(eq=False, slots=True)
class Link:
    """One open socket and the answers that are awaited on it; `leaving` once it was told to go."""

    socket: web.WebSocketResponse
    request: web.Request
    awaited: dict[str, asyncio.Future[Mapping[str, Any]]] = field(default_factory=dict)
    leaving: bool = False


class Sockets:
    """All open sockets of the app."""

    late = "timeout"

    def __init__(
        self, *, app_id: str, timing: Timing, changes: Changes, clock: Clock, faults: Faults
    ) -> None:
        self.links: list[Link] = []
        self._app_id = app_id
        self._timing = timing
        self._changes = changes
        self._clock = clock
        self._faults = faults
        self._tickets: dict[str, float] = {}
        self._overdue: dict[str, Delivery] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def ticket(self) -> str:
        """The right to open one socket, soon."""
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = self._clock.monotonic()
        return ticket

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One socket, from its handshake to its end."""
        made = self._tickets.pop(request.match_info["ticket"], None)
        if self._faults.silent:
            self._changes.note()
            raise web.HTTPServiceUnavailable(text="Something broke on purpose.")
        if made is None or self._clock.monotonic() - made > limits.TICKET_SECONDS:
            raise web.HTTPForbidden(text="This link is not open.")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self.links) >= limits.SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            self._changes.note()
            return socket
        link = Link(socket, request)
        if self._faults.envelopes.greeting:
            await socket.send_json(self._hello())
        self.links.append(link)
        self._changes.note()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._heard(link, json.loads(message.data))
        finally:
            self._lose(link)
        return socket

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self.links) + 1,
            "debug_info": {"host": "local", "approximate_connection_time": 18_060},
            "connection_info": {"app_id": self._app_id},
        }

    async def disconnect(self, reason: str = "refresh_requested", link: Link | None = None) -> None:
        """Ask every socket (or one) to go; it is closed a while after, at `link_disabled` at once.

        Whoever was asked because of a `warning` or a refresh is expected to connect anew before.
        """
        for leaving in (link,) if link else tuple(self.links):
            await leaving.socket.send_json({"type": "disconnect", "reason": reason})
            leaving.leaving = True
            pause = 0.0 if reason == "link_disabled" else self._timing.goodbye
            task = asyncio.create_task(_close(leaving, pause))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def abort(self) -> None:
        """Cut every connection without a word."""
        for link in tuple(self.links):
            if link.request.transport is not None:
                link.request.transport.abort()

    async def close(self) -> None:
        for task in tuple(self._leaving):
            task.cancel()
        for link in tuple(self.links):
            await link.socket.close()

    async def ready(self) -> None:
        """Return once a socket is open."""
        while not self._usable:
            await self._changes.after(self._changes.count)

    async def carry(self, delivery: Delivery, retry: Retry) -> Mapping[str, Any]:
        """Send through any socket and wait for the answer on it; raises `Missed`."""
        link = secrets.choice(self._usable)
        envelope = secrets.token_hex(16)
        answer = asyncio.get_running_loop().create_future()
        link.awaited[envelope] = answer
        retried = {"retry_attempt": retry.number, "retry_reason": retry.reason}
        try:
            await link.socket.send_json(
                {
                    "type": delivery.kind,
                    "envelope_id": envelope,
                    "payload": delivery.payload,
                    "accepts_response_payload": not delivery.repeated,
                    **(retried if delivery.repeated else {}),
                }
            )
            said: Mapping[str, Any] = await answer
        except ConnectionError:
            raise Missed("connection_failed") from None
        except asyncio.CancelledError:
            self._overdue[envelope] = delivery
            raise
        finally:
            link.awaited.pop(envelope, None)
        return said

    @property
    def _usable(self) -> list[Link]:
        """The open sockets; those that were told to go only where there are no others."""
        still = [link for link in self.links if not link.socket.closed]
        return [link for link in still if not link.leaving] or still

    def _heard(self, link: Link, said: Mapping[str, Any]) -> None:
        envelope = str(said.get("envelope_id", ""))
        answer = link.awaited.get(envelope)
        if answer is not None and not answer.done():
            answer.set_result(said.get("payload") or {})
        elif envelope in self._overdue:
            self._overdue.pop(envelope).late = True

    def _lose(self, link: Link) -> None:
        self.links.remove(link)
        for answer in link.awaited.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError("the socket was closed"))
        self._changes.note()


async def _close(link: Link, pause_s: float) -> None:
    await asyncio.sleep(pause_s)
    await link.socket.close()
