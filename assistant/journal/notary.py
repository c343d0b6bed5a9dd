"""Who vouches for the journal: signs how much there is of it, and has that kept elsewhere.

A checkpoint is due after 256 records, after every action that ended, at the latest a minute after a
record, and at the end. At the start the journal is compared with what was vouched for: an older
copy, or another journal in its place, is found before anything is added to it.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from assistant.domain.amends import Redacted, RestoreAccepted
from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionUnknown,
    Event,
)
from assistant.domain.people import Actor
from assistant.domain.record import Record
from assistant.failure import Unusable
from assistant.journal.api import JournalError, Writing
from assistant.journal.checkpoint import Checkpoint, Signer, Verifier, origin
from assistant.journal.claims import Claims
from assistant.journal.envelope import GENESIS
from assistant.journal.group import Batched, append_one
from assistant.journal.redaction import Withheld

MOST_RECORDS = 256
DUE_AFTER = (ActionFinished, ActionFailed, ActionUnknown)
Publish = Callable[[Checkpoint, str], None]
log = logging.getLogger(__name__)


class RolledBack(JournalError):
    """The journal is not the one that was vouched for; `lost` is what it contradicts."""

    def __init__(self, size: int, lost: Sequence[Checkpoint]) -> None:
        self.lost = tuple(lost)
        most = max(checkpoint.size for checkpoint in lost)
        super().__init__(
            f"the journal holds {size} records and is not the one that was vouched for when it "
            f"held {most}: an older copy or another file is in its place. Put the newest copy "
            "back, or accept the loss: firstline audit accept-restore --reason WHY"
        )


class Leaves(Batched, Protocol):
    """A journal that can be vouched for."""

    def leaves(self, after: int = 0) -> Iterator[bytes]:
        """Return the hashes of the records after number `after`, in their order."""
        ...

    def withheld(self) -> list[tuple[int, str, int]]:
        """Return of each event that is said to be redacted its number, incident and by which."""
        ...

    def log_id(self) -> str:
        """Return the id of the journal, empty before the first record."""
        ...


def compared(
    journal: Leaves, known: Sequence[Checkpoint], keys: Sequence[Verifier]
) -> tuple[Claims, list[Checkpoint]]:
    """Compare a journal with the checkpoints that are believed; returns those it contradicts.

    `keys` are whose word counts that a loss was accepted or an event redacted. Raises
    `BrokenRecord` where one is missing without leave: what is hidden must not be forgotten.
    """
    told = {record.seq: record.event for record in journal.records("")}
    claims, withheld, here, prev = Claims(known, keys), Withheld(keys), journal.log_id(), GENESIS
    for seq, leaf in enumerate(journal.leaves(), start=1):
        event = told.get(seq)
        claims.follow(leaf, here, event if isinstance(event, RestoreAccepted) else None)
        if isinstance(event, Redacted):
            withheld.allow(event, seq, prev)
        prev = leaf.hex()
    for missing in journal.withheld():
        withheld.absent(*missing)
    withheld.check()
    return claims, claims.contradicted()


class VouchedJournal:
    """A journal that is vouched for as it grows; is itself an `api.Journal`."""

    def __init__(
        self,
        journal: Leaves,
        signer: Signer,
        publish: Sequence[Publish],
        known: Sequence[Checkpoint],
    ) -> None:
        """`known` are the checkpoints that are believed; raises `RolledBack`."""
        claims, lost = compared(journal, known, [signer.verifier])
        if lost:
            raise RolledBack(claims.tree.size, lost)
        self._journal, self._signer, self._publish = journal, signer, publish
        self._tree, self._restores, self._signed = claims.tree, claims.restores, claims.kept
        self._turn = threading.Lock()  # whoever writes, and the clock, vouch from their own threads

    def append(
        self,
        incident: str,
        actor: Actor,
        events: Sequence[Event],
        *,
        intent: tuple[str, str] | None = None,
    ) -> list[Record]:
        return append_one(self, incident, actor, events, intent)

    def append_all(self, batch: Sequence[Writing]) -> list[list[Record] | JournalError]:
        made = self._journal.append_all(batch)
        written = [record for one in made if not isinstance(one, JournalError) for record in one]
        grown = written[-1].seq - self._signed if written else 0
        if grown >= MOST_RECORDS or any(isinstance(r.event, DUE_AFTER) for r in written):
            self.vouch_if_possible()
        return made

    def vouch_if_possible(self) -> None:
        """Sign, or log why not: what was written stays written."""
        try:
            self.vouch()
        except Unusable as error:
            log.warning("the journal could not be vouched for: %s", error)

    def vouch(self) -> None:
        """Sign for what was added, if anything was; raises `Unusable` where it cannot be read.

        It counts as signed once the first of `publish` has it; what cannot be kept is logged.
        """
        with self._turn:
            self._vouch()

    def _vouch(self) -> None:
        for leaf in self._journal.leaves(self._tree.size):
            self._tree.push(leaf)
        if self._tree.size <= self._signed:
            return
        checkpoint = self.checkpoint()
        note = self._signer.sign(checkpoint.text())
        kept = []
        for publish in self._publish:
            try:
                publish(checkpoint, note)
                kept.append(publish)
            except JournalError as error:
                log.warning("%s", error)
        if kept[:1] == list(self._publish[:1]):
            self._signed = checkpoint.size

    @property
    def signed(self) -> int:
        """Return how many records the last checkpoint vouches for."""
        return self._signed

    def checkpoint(self) -> Checkpoint:
        """Return what is to be said of all that was looked at."""
        return Checkpoint(
            origin=origin(self._journal.log_id(), self._restores),
            size=self._tree.size,
            root=self._tree.root(),
        )

    def records(self, incident: str | None = None) -> Iterator[Record]:
        return self._journal.records(incident)

    def incidents(self) -> list[str]:
        return self._journal.incidents()

    def head(self) -> tuple[int, str]:
        return self._journal.head()
