"""What Slack needs of the rest: the service, and the tables that outlive the process."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

from assistant.answer import Answer
from assistant.commands import Command, Pressable
from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.domain.people import Actor
from assistant.requesting import Rehearsed

Watcher = Callable[[str, Event, Incident], Awaitable[None]]
Alarm = Callable[[str, str], Awaitable[None]]


class Desk(Protocol):
    """Whoever takes commands and knows the incidents."""

    async def submit(self, command: Command, actor: Actor) -> Answer:
        """Admit or refuse the command; the work goes on after the answer."""
        ...

    def incident(self, incident: str) -> Incident | None: ...

    def incidents(self) -> Mapping[str, Incident]: ...

    async def rehearse(self, incident: str) -> Mapping[int, Rehearsed]:
        """Return what each step of the plan that is an action would do now; it only looks."""
        ...

    def account(self, incident: str) -> str | None:
        """Return its postmortem as it stands, null where no records are kept."""
        ...

    def watch(self, watcher: Watcher) -> None:
        """Call it with the incident's id, each journaled event, and the state after it."""
        ...

    def warn(self, alarm: Alarm) -> None:
        """Call it with the incident's id and the reason when nothing can be written down."""
        ...


class Buttons(Protocol):
    """What the opaque values of buttons stand for."""

    def token(self, command: Pressable, incident: str) -> str:
        """Return an unguessable token; the same command gets the same one."""
        ...

    def command(self, token: str) -> Pressable | None: ...


class Inbox(Protocol):
    """What Slack told us, kept until it is handled."""

    def claim(self, key: str, body: bytes, now: datetime) -> bool:
        """Keep it; false where it is known already."""
        ...

    def done(self, key: str) -> None: ...

    def unfinished(self) -> list[tuple[str, bytes]]: ...


class Sent(Protocol):
    """One message of ours.

    `state` is sent, or ambiguous where nobody knows whether Slack has it; `ts` is null before it
    was sent first.
    """

    @property
    def channel(self) -> str: ...

    @property
    def ts(self) -> str | None: ...

    @property
    def thread(self) -> str | None: ...

    @property
    def digest(self) -> str: ...

    @property
    def state(self) -> str: ...


class Messages(Protocol):
    """Which messages exist in Slack, by slot."""

    def get(self, slot: str) -> Sent | None: ...

    def intend(self, slot: str, channel: str, thread: str | None, digest: str) -> None: ...

    def sent(self, slot: str, ts: str, digest: str) -> None: ...
