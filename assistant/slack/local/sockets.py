"""Socket Mode: hands each envelope to one of the open sockets and insists on an answer.

An event that is not acknowledged in time is delivered again with the same event_id; a press of a
button or a command is not, and the person sees an error instead.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import WSMsgType, web

from assistant.slack import limits
from assistant.slack.local.changes import Changes

BACKLOG = 1_000  # deliveries under way, those included that wait for a socket to open
KEPT = 10_000  # deliveries remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long an answer may take, and the pauses before each further delivery (seconds)."""

    ack: float = limits.ACK_SECONDS
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)


class State(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    ACKED = "acked"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One thing the app must hear of; `answer` is what it said with its acknowledgement."""

    kind: str
    payload: Mapping[str, Any]
    attempts: int = 0
    state: State = State.WAITING
    answer: Mapping[str, Any] = field(default_factory=dict)
    late: bool = False
    finished: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False, slots=True)
class Link:
    """One open socket and the answers that are awaited on it."""

    socket: web.WebSocketResponse
    request: web.Request
    awaited: dict[str, asyncio.Future[Mapping[str, Any]]] = field(default_factory=dict)


class Sockets:
    """All open sockets of the app, and everything sent through them."""

    def __init__(self, *, app_id: str, timing: Timing, changes: Changes) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self.links: list[Link] = []
        self._app_id = app_id
        self._timing = timing
        self._changes = changes
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._open = 0
        self._tickets: set[str] = set()
        self._overdue: dict[str, Delivery] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing that was sent is under way."""
        return self._open == 0

    def ticket(self) -> str:
        """The right to open one socket."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    def send(self, kind: str, payload: Mapping[str, Any]) -> Delivery:
        """Queue an envelope: events_api, interactive or slash_commands."""
        delivery = Delivery(kind=kind, payload=payload)
        self.deliveries.append(delivery)
        self._open += 1
        if self._open > BACKLOG:
            self._finish(delivery, State.DROPPED)
        else:
            self._queue.put_nowait(delivery)
        return delivery

    async def run(self) -> None:
        """Deliver whatever is sent, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(self._deliver(await self._queue.get()))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One socket, from its handshake to its end."""
        if request.match_info["ticket"] not in self._tickets:
            raise web.HTTPForbidden(text="This link is not open.")
        self._tickets.discard(request.match_info["ticket"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self.links) >= limits.SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        link = Link(socket, request)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.links) + 1,
                "debug_info": {"host": "local", "approximate_connection_time": 18_060},
                "connection_info": {"app_id": self._app_id},
            }
        )
        self.links.append(link)
        self._changes.note()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._heard(link, json.loads(message.data))
        finally:
            self._lose(link)
        return socket

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every socket to go; `link_disabled` closes them at once, the others reconnect."""
        for link in tuple(self.links):
            await link.socket.send_json({"type": "disconnect", "reason": reason})
            if reason == "link_disabled":
                await link.socket.close()

    def abort(self) -> None:
        """Cut every connection without a word."""
        for link in tuple(self.links):
            if link.request.transport is not None:
                link.request.transport.abort()

    async def close(self) -> None:
        for link in tuple(self.links):
            await link.socket.close()

    async def _deliver(self, delivery: Delivery) -> None:
        reason = ""
        pauses = self._timing.retries if delivery.kind == "events_api" else ()
        for attempt, pause in enumerate((0.0, *pauses)):
            await asyncio.sleep(pause)
            try:
                delivery.answer = await self._attempt(delivery, attempt, reason)
            except TimeoutError:
                reason = "timeout"
            except ConnectionError:
                reason = "connection_failed"
            else:
                self._finish(delivery, State.ACKED)
                return
        self._finish(delivery, State.FAILED)

    async def _attempt(self, delivery: Delivery, attempt: int, reason: str) -> Mapping[str, Any]:
        """Send once and wait for the answer; an event waits for a socket as long as it takes."""
        if delivery.kind == "events_api":
            link = await self._any_link()
        else:
            async with asyncio.timeout(self._timing.ack):
                link = await self._any_link()
        envelope = secrets.token_hex(16)
        answer = asyncio.get_running_loop().create_future()
        link.awaited[envelope] = answer
        delivery.attempts += 1
        retried = {"retry_attempt": attempt, "retry_reason": reason}
        try:
            await link.socket.send_json(
                {
                    "type": delivery.kind,
                    "envelope_id": envelope,
                    "payload": delivery.payload,
                    "accepts_response_payload": delivery.kind != "events_api",
                    **(retried if delivery.kind == "events_api" else {}),
                }
            )
            async with asyncio.timeout(self._timing.ack):
                said: Mapping[str, Any] = await answer
        except TimeoutError:
            self._overdue[envelope] = delivery
            raise
        finally:
            link.awaited.pop(envelope, None)
        return said

    async def _any_link(self) -> Link:
        while True:
            count = self._changes.count
            if usable := [link for link in self.links if not link.socket.closed]:
                return secrets.choice(usable)
            await self._changes.after(count)

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

    def _finish(self, delivery: Delivery, state: State) -> None:
        self._open -= 1
        delivery.state = state
        delivery.finished.set()
        self._changes.note()
