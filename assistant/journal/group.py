"""Group commit: what is written while the disk is busy goes into the next transaction together.

A record counts once it is on disk, and that takes milliseconds however many records there are. So
nobody waits alone: while one transaction is being written, others gather.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from assistant.domain.events import Event
from assistant.domain.people import Actor
from assistant.domain.record import Record
from assistant.journal.api import Journal, JournalError, Writing

MOST = 256


class Batched(Journal, Protocol):
    """A journal that writes several at once."""

    def append_all(self, batch: Sequence[Writing]) -> list[list[Record] | JournalError]:
        """Write each, all or none of its events; returns what came of each, in their order.

        Raises what `append` raises where nothing could be written.
        """
        ...


def append_one(
    journal: Batched,
    incident: str,
    actor: Actor,
    events: Sequence[Event],
    intent: tuple[str, str] | None,
) -> list[Record]:
    """Write as `Journal.append` does, in a transaction of its own; raises what it raises."""
    writing = Writing(incident=incident, actor=actor, events=tuple(events), intent=intent)
    (made,) = journal.append_all([writing])
    if isinstance(made, JournalError):
        raise made
    return made


class GroupCommit:
    """Appends from one event loop; what is awaited is on disk, in the order of the calls."""

    def __init__(self, journal: Batched) -> None:
        self._journal = journal
        self._waiting: list[tuple[Writing, asyncio.Future[list[Record]]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def append(
        self,
        incident: str,
        actor: Actor,
        events: Sequence[Event],
        *,
        intent: tuple[str, str] | None = None,
    ) -> list[Record]:
        """Write events as `Journal.append` does, and let others write meanwhile."""
        future: asyncio.Future[list[Record]] = asyncio.get_running_loop().create_future()
        writing = Writing(incident=incident, actor=actor, events=tuple(events), intent=intent)
        self._waiting.append((writing, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            writing = asyncio.to_thread(self._journal.append_all, [w for w, _ in batch])
            (made,) = await asyncio.gather(writing, return_exceptions=True)
            # Whatever went wrong, nobody waits for ever.
            _settle(batch, [made] * len(batch) if isinstance(made, BaseException) else made)


def _settle(
    batch: Sequence[tuple[Writing, asyncio.Future[list[Record]]]],
    made: Sequence[list[Record] | BaseException],
) -> None:
    for (_, future), outcome in zip(batch, made, strict=True):
        if future.done():  # whoever asked has gone; it is on disk all the same
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
