"""Everything the app must hear of, and how often it is told: until it answers, or three times more.

An event that is not acknowledged in time is delivered again with the same event_id; a press of a
button or a command is not, and the person sees an error instead. How it travels is a carrier's
business: `sockets` or `requests`. Source: docs.slack.dev, Events API, retries.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from assistant.slack import limits
from assistant.slack.local.changes import Changes
from assistant.slack.local.faults import Faults

BACKLOG = 1_000  # deliveries under way, those included that wait for a socket to open
KEPT = 10_000  # deliveries remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long an answer may take, and the pauses before each further delivery (seconds).

    `goodbye` is the time between the word that a socket will be closed and its closing. For
    `processing` after its upload a file cannot be shown in a message.
    """

    ack: float = limits.ACK_SECONDS
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    goodbye: float = 10.0
    processing: float = 0.2


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

    @property
    def repeated(self) -> bool:
        """Whether Slack tells it again where nobody answers."""
        return self.kind == "events_api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which delivery of the same it is, from 0, and why the one before did not count."""

    number: int
    reason: str


class Missed(Exception):
    """The app did not take it; `reason` is Slack's word, `final` where it asked for no more."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Carrier(Protocol):
    """A way to the app."""

    late: str  # Slack's word for an answer that did not come in time

    async def ready(self) -> None:
        """Return once there is a way."""
        ...

    async def carry(self, delivery: Delivery, retry: Retry) -> Mapping[str, Any]:
        """Deliver once and return the answer, however long it takes; raises `Missed`."""
        ...

    async def close(self) -> None: ...


class Deliveries:
    """Sends what it is given through one carrier while it runs."""

    def __init__(
        self, *, carrier: Carrier, timing: Timing, changes: Changes, faults: Faults
    ) -> None:
        self.carrier = carrier
        self.all: deque[Delivery] = deque(maxlen=KEPT)
        self._timing = timing
        self._changes = changes
        self._faults = faults
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._open = 0

    @property
    def idle(self) -> bool:
        """Whether nothing that was sent is under way."""
        return self._open == 0

    def send(self, kind: str, payload: Mapping[str, Any]) -> Delivery:
        """Queue an envelope: events_api, interactive or slash_commands."""
        for _ in range(1, self._faults.envelopes.copies):
            self._send(Delivery(kind=kind, payload=payload))
        return self._send(Delivery(kind=kind, payload=payload))

    def _send(self, delivery: Delivery) -> Delivery:
        self.all.append(delivery)
        self._open += 1
        if self._open > BACKLOG:
            self._finish(delivery, State.DROPPED)
        else:
            self._queue.put_nowait(delivery)
        return delivery

    async def run(self) -> None:
        """Deliver whatever is sent, until cancelled."""
        held = False
        async with asyncio.TaskGroup() as tasks:
            while True:
                delivery = await self._queue.get()
                held = not held
                wait_s = self._faults.envelopes.held_s if held else 0.0
                tasks.create_task(self._deliver(delivery, wait_s))

    async def _deliver(self, delivery: Delivery, wait_s: float) -> None:
        reason = ""
        pauses = self._timing.retries if delivery.repeated else ()
        for number, pause in enumerate((wait_s, *pauses)):
            await asyncio.sleep(pause)
            try:
                delivery.answer = await self._attempt(delivery, Retry(number=number, reason=reason))
            except TimeoutError:
                reason = self.carrier.late
            except Missed as missed:
                reason = missed.reason
                if missed.final:
                    break
            else:
                self._finish(delivery, State.ACKED)
                return
        self._finish(delivery, State.FAILED)

    async def _attempt(self, delivery: Delivery, retry: Retry) -> Mapping[str, Any]:
        """Send once and wait for the answer; an event waits for a way as long as it takes."""
        if delivery.repeated:
            await self._reachable()
        async with asyncio.timeout(self._timing.ack):
            await self._reachable()
            delivery.attempts += 1
            answer = await self.carrier.carry(delivery, retry)
            await asyncio.sleep(self._faults.envelopes.ack_s)
        return answer

    async def _reachable(self) -> None:
        while self._faults.silent:
            await self._changes.after(self._changes.count)
        await self.carrier.ready()

    def _finish(self, delivery: Delivery, state: State) -> None:
        self._open -= 1
        delivery.state = state
        delivery.finished.set()
        self._changes.note()
