"""The port of the journal, and what can go wrong with it. There is no I/O in this module."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.domain.events import Event
from assistant.domain.people import Actor
from assistant.domain.record import Record
from assistant.failure import Unusable


class JournalError(Unusable):
    """The journal cannot be written or read; `str()` says why."""


class AlreadyIntended(JournalError):
    """The action of this request was started before; nothing was appended."""


class BrokenRecord(JournalError):
    """A record is not what was once written. `id` is empty where it cannot be read."""

    def __init__(self, seq: int, what: str, identity: str = "") -> None:
        self.seq, self.what, self.id = seq, what, identity
        named = f"record {seq} ({identity})" if identity else f"record {seq}"
        super().__init__(f"{named}: {what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What one call of `Journal.append` writes."""

    incident: str
    actor: Actor
    events: tuple[Event, ...]
    intent: tuple[str, str] | None = None


class Journal(Protocol):
    """An append-only list of records, over all incidents.

    Raises `JournalError`, and `assistant.store.database.StoreError` where the disk fails.
    """

    def append(
        self,
        incident: str,
        actor: Actor,
        events: Sequence[Event],
        *,
        intent: tuple[str, str] | None = None,
    ) -> list[Record]:
        """Write events, all or none; they are on disk when this returns.

        `incident` is empty for what concerns all. That the events may follow what is there is for
        the caller to have checked (`assistant.domain.incident.apply`). `intent`, the id and the
        digest of a request, goes with the `ActionStarted` of that request and with nothing else;
        raises `AlreadyIntended` if the request has had one.
        """
        ...

    def records(self, incident: str | None = None) -> Iterator[Record]:
        """Return the records of one incident (null: all), the oldest first, each checked."""
        ...

    def incidents(self) -> list[str]:
        """Return the ids of all incidents, the oldest first."""
        ...

    def head(self) -> tuple[int, str]:
        """Return the number and the hash of the last record; 0 and 64 zeros before the first."""
        ...
