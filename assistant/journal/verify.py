"""Is the journal what was once written? Every hash, every link, every event and their order.

It reads the file alone, beside whoever writes to it, and answers for any bytes: a finding is an
answer too. What the chain cannot show is that its last records were cut off, that all of it was
written anew, or that this is an older copy: checkpoints that were kept elsewhere show it.
"""

import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from assistant.domain.amends import Redacted, RestoreAccepted
from assistant.domain.desk import Desk, settle
from assistant.domain.events import (
    ActionStarted,
    PolicyDecided,
    ReadFailed,
    ReadPerformed,
    Refused,
    ScopeSet,
)
from assistant.domain.incident import IllegalEvent, Incident, apply
from assistant.journal.api import BrokenRecord
from assistant.journal.checkpoint import Checkpoint, Verifier
from assistant.journal.claims import Claims
from assistant.journal.codec import EVENTS
from assistant.journal.envelope import GENESIS, Row, examined, unseal
from assistant.journal.glance import NOTHING, Told, glances
from assistant.journal.redaction import Withheld
from assistant.journal.sql import ROWS
from assistant.store.database import StoreError, open_for_reading

PAGE = 64  # records that are looked at together: few enough to stay near the processor
NEAR = 256  # incidents that are kept in mind
# They say nothing about what may follow, and most records are of these kinds.
DECIDES_NOTHING = {ScopeSet, ReadPerformed, ReadFailed, PolicyDecided, Refused}


class State(StrEnum):
    """What can be said of a journal."""

    SOUND = "sound"
    TAMPERED = "tampered"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`records` is how many are sound up to the finding; `head` is the last one's hash.

    `why` is the first finding in a sentence; `record` and `id` name the record that it is about (0
    and empty where there is none). `vouched` is how many of the first records a checkpoint is for,
    `restores` how many losses somebody accepted, `redacted` how many events were lawfully removed.
    """

    state: State
    records: int = 0
    head: str = GENESIS
    record: int = 0
    id: str = ""
    why: str = ""
    vouched: int = 0
    restores: int = 0
    redacted: int = 0


def verify(
    path: Path, checkpoints: Sequence[Checkpoint] = (), keys: Sequence[Verifier] = ()
) -> Report:
    """Check a journal from its first record to its last, and against checkpoints that are believed.

    `keys` are whose word counts that a loss was accepted or an event redacted. Raises nothing.
    """
    chain = _Chain(checkpoints, keys)
    try:
        database = open_for_reading(path)
        try:
            with database.reading() as connection:
                vouched = _check(connection, chain)
        finally:
            database.close()
    except StoreError as error:
        return Report(
            state=State.UNVERIFIABLE,
            records=chain.last.seq,
            head=chain.last.head,
            why=str(error),
        )
    except BrokenRecord as flaw:
        return Report(
            state=State.TAMPERED,
            records=chain.last.seq,
            head=chain.last.head,
            record=flaw.seq,
            id=flaw.id,
            why=str(flaw),
        )
    return Report(
        state=State.SOUND,
        records=chain.last.seq,
        head=chain.last.head,
        vouched=vouched,
        restores=chain.restores,
        redacted=chain.redacted,
    )


class _Histories:
    """The incidents as their records make them, of the few that records are about just now.

    An incident that was put away and comes back is folded again, alone, from its first record.
    """

    def __init__(self) -> None:
        self._desk = Desk()
        self._near: OrderedDict[str, Incident | None] = OrderedDict()
        self.again: set[str] = set()
        self._left: set[str] = set()

    def leave(self, incident: str) -> None:
        """Say no more of an incident whose events were redacted."""
        self._left.add(incident)

    def follow(self, told: Told, *, first: bool) -> None:
        """Fold one more record, the incident's first or a later one; raises `IllegalEvent`."""
        incident, event = told.incident, told.event
        decides_nothing = not first and type(event) in DECIDES_NOTHING
        if event is None or decides_nothing or incident in self._left:
            return
        if not incident:
            self._desk = settle(self._desk, event)
        elif first or incident in self._near:
            self._near[incident] = apply(self._near.pop(incident, None), event)
        else:
            self.again.add(incident)
        if len(self._near) > NEAR:
            self._near.popitem(last=False)


class _Chain:
    """What was seen so far. It stays small: eight bytes a record, whatever is in the events."""

    def __init__(self, checkpoints: Sequence[Checkpoint], keys: Sequence[Verifier]) -> None:
        self._claims = Claims(checkpoints, keys) if checkpoints else None
        self._withheld = Withheld(keys)
        self.histories = _Histories()
        self.last = NOTHING
        self.redacted = 0
        self.started: set[tuple[bytes, bytes, int]] = set()
        self.incidents: dict[str, array[int]] = {}

    def follow(self, row: Row, told: Told | None) -> None:
        """Check one more row, `told` what a glance saw of it; raises `BrokenRecord`."""
        told = told or _examined(row)
        self._check_place(told, row)
        incident, kind, subject, plan, event = told[:5]
        seqs = self.incidents.get(incident)
        if seqs is None:
            seqs = self.incidents[incident] = array("q")
        if event is None:
            self._withheld.absent(row.seq, incident, row.redacted)
            self.histories.leave(incident)
        else:
            self._fold(told, row, first=not seqs)
        seqs.append(row.seq)
        if kind == ActionStarted.__name__:
            self.started.add((subject.encode(), plan.encode(), row.seq))
        elif isinstance(event, Redacted):
            self._withheld.allow(event, row.seq, self.last.head)
        self.last = told
        if self._claims is not None:
            restore = event if isinstance(event, RestoreAccepted) else None
            self._claims.follow(row.h or b"", told.log_id, restore)

    def end(self) -> int:
        """Return how many records are vouched for; raises `BrokenRecord` where there were more."""
        self.redacted = self._withheld.check()
        if self._claims is None:
            return 0
        for claim in sorted(self._claims.contradicted(), key=lambda c: c.size):
            if claim.size <= self.last.seq:
                what = f"what there is up to it is not what a checkpoint of {claim.origin} tells"
                raise BrokenRecord(claim.size, what)
            held = f"{claim.origin} held {claim.size} records when they were vouched for"
            raise BrokenRecord(self.last.seq + 1, f"it is missing: {held}")
        return self._claims.kept

    @property
    def restores(self) -> int:
        """Return how many losses were accepted."""
        return self._claims.restores if self._claims is not None else 0

    def _fold(self, told: Told, row: Row, *, first: bool) -> None:
        try:
            self.histories.follow(told, first=first)
        except IllegalEvent as error:
            what = f"it cannot have happened: {error}"
            raise BrokenRecord(row.seq, what, unseal(row).id) from error

    def _check_place(self, told: Told, row: Row) -> None:
        last = self.last
        if told.seq != last.seq + 1:
            raise BrokenRecord(last.seq + 1, "it is missing")
        if told.prev != last.head:
            what = "it does not follow the record before it: one of the two was replaced"
        elif told.log_id != (last.log_id or told.log_id):
            what = "it belongs to another journal"
        elif told.ts < last.ts:
            what = "it is dated before the record before it"
        else:
            return
        raise BrokenRecord(told.seq, what, unseal(row).id)


def _examined(row: Row) -> Told:
    """Return what a row says, or raise the `BrokenRecord` that says what is wrong with it."""
    envelope, event = examined(row)
    return Told(
        incident=envelope.incident,
        kind=envelope.type,
        subject=envelope.subject,
        plan=envelope.plan_sha256,
        event=event,
        seq=envelope.seq,
        prev=envelope.prev,
        head=(row.h or b"").hex(),
        ts=envelope.ts.isoformat(timespec="microseconds"),
        log_id=envelope.log_id,
    )


def _check(connection: sqlite3.Connection, chain: _Chain) -> int:
    """Check all and return how many records are vouched for; raises `BrokenRecord`."""
    cursor = connection.execute(f"{ROWS} ORDER BY e.seq")
    while page := [Row(*found) for found in cursor.fetchmany(PAGE)]:
        for row, told in zip(page, glances(page), strict=True):
            chain.follow(row, told)
    vouched = chain.end()
    extra = connection.execute(
        "SELECT seq FROM payload WHERE seq NOT IN (SELECT seq FROM entry) ORDER BY seq LIMIT 1"
    ).fetchone()
    if extra is not None:
        raise BrokenRecord(extra[0], "there is an event without its envelope")
    _check_intents(connection, chain.started)
    _check_index(connection, chain.incidents)
    for incident in sorted(chain.histories.again):
        _check_history(connection, incident)
    return vouched


def _check_intents(connection: sqlite3.Connection, started: set[tuple[bytes, bytes, int]]) -> None:
    """Every start has its intent and every intent its start; raises `BrokenRecord`."""
    rows = connection.execute(
        "SELECT CAST(request AS BLOB), CAST(digest AS BLOB), "
        "iif(typeof(seq) = 'integer', seq, 0) FROM intent"
    )
    intended = set(rows)
    for seq in sorted(seq for _, _, seq in started - intended):
        raise BrokenRecord(seq, "it started an action without the intent that guards it")
    for seq in sorted(seq for _, _, seq in intended - started):
        raise BrokenRecord(seq, "an intent names it, and it did not start that action")


def _check_index(connection: sqlite3.Connection, incidents: "Mapping[str, array[int]]") -> None:
    """Compare with what the application finds of each incident; raises `BrokenRecord`."""
    left = dict(incidents)
    indexed = connection.execute("SELECT incident, seq FROM entry ORDER BY incident, seq")
    for incident, found in groupby(indexed, key=itemgetter(0)):
        here, there = left.pop(incident, array("q")), array("q", (seq for _, seq in found))
        if here != there:
            _hidden(set(here).symmetric_difference(there))
    for seqs in left.values():
        _hidden(set(seqs))


def _hidden(seqs: set[int]) -> None:
    raise BrokenRecord(min(seqs), "it is not found by its incident: the index was changed")


def _check_history(connection: sqlite3.Connection, incident: str) -> None:
    """Fold one incident as the application reads it; raises `BrokenRecord` for what cannot be."""
    state: Incident | None = None
    for found in connection.execute(f"{ROWS} WHERE e.incident = ? ORDER BY e.seq", (incident,)):
        row = Row(*found)
        event = EVENTS.decode(row.body or b"")  # its hashes were checked with the chain
        try:
            state = apply(state, event)
        except IllegalEvent as error:
            what = f"it cannot have happened: {error}"
            raise BrokenRecord(row.seq, what, unseal(row).id) from error
