"""The journal in SQLite."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from assistant.clock import Clock
from assistant.domain.amends import Redacted
from assistant.domain.events import ActionStarted, Event
from assistant.domain.people import Actor
from assistant.domain.record import Record
from assistant.journal.api import AlreadyIntended, BrokenRecord, JournalError, Writing
from assistant.journal.codec import EVENTS
from assistant.journal.envelope import (
    GENESIS,
    SALT_BYTES,
    Envelope,
    Row,
    about,
    commitment,
    leaf,
    new_id,
    opened,
    record,
    unseal,
)
from assistant.journal.group import append_one
from assistant.store.database import Database
from assistant.store.pen import Pen
from assistant.store.tagged import Unreadable

PAGE, LEAVES = 256, 8192
# Bytes of another type were not written by us; they count as absent.
ROWS = """
SELECT e.seq,
    iif(typeof(e.env) = 'blob', e.env, NULL), iif(typeof(e.h) = 'blob', e.h, NULL),
    iif(typeof(p.salt) = 'blob', p.salt, NULL), iif(typeof(p.body) = 'blob', p.body, NULL),
    iif(typeof(r.by) = 'integer', r.by, NULL)
FROM entry AS e LEFT JOIN payload AS p ON p.seq = e.seq LEFT JOIN redacted AS r ON r.seq = e.seq
"""


class SqlJournal:
    """Implements `assistant.journal.api.Journal`; threads may share one."""

    def __init__(self, database: Database, clock: Clock, pen: Pen | None = None) -> None:
        """`pen` null: nobody else can be there, which whoever opens it has made sure of."""
        self._database = database
        self._clock = clock
        self._pen = pen

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
        encoded = [_encoded(writing) for writing in batch]  # before anybody waits for the database
        made: list[list[Record] | JournalError] = []
        with self._database.transaction() as connection:
            if self._pen is not None:
                self._pen.check(connection)
            end = _last(connection)
            for writing, bodies in zip(batch, encoded, strict=True):
                if isinstance(bodies, JournalError):
                    made.append(bodies)
                elif writing.intent is not None and _intended(connection, writing.intent[0]):
                    request = writing.intent[0]
                    why = f"the action of request {request} was started before"
                    made.append(AlreadyIntended(why))
                else:
                    written, end = self._insert_all(connection, writing, bodies, end)
                    made.append(written)
        return made

    def _insert_all(
        self,
        connection: sqlite3.Connection,
        writing: Writing,
        bodies: Sequence[bytes],
        end: tuple[Envelope | None, str],
    ) -> tuple[list[Record], tuple[Envelope | None, str]]:
        """Write the events behind `end`; return them, and what is the end now."""
        last, prev = end
        seq = last.seq if last else 0
        log_id = last.log_id if last else str(uuid4())
        ts = _dated(last, self._clock.now().astimezone(UTC))
        written = []
        for event, body in zip(writing.events, bodies, strict=True):
            seq += 1
            salt = secrets.token_bytes(SALT_BYTES)
            subject, plan = about(event)
            last = Envelope(
                log_id=log_id,
                seq=seq,
                prev=prev,
                id=new_id(ts),
                ts=ts,
                type=type(event).__name__,
                actor=writing.actor,
                incident=writing.incident,
                subject=subject,
                plan_sha256=plan,
                payload_commit=commitment(salt, body),
            )
            prev = _insert(connection, last, salt, body).hex()
            if isinstance(event, ActionStarted):
                connection.execute("INSERT INTO intent VALUES (?, ?, ?)", (subject, plan, seq))
            written.append(record(last, event))
        return written, (last, prev)

    def records(self, incident: str | None = None) -> Iterator[Record]:
        for row in rows(self._database, incident):
            if row.withheld:
                continue
            envelope, event = opened(row)
            if incident not in {None, envelope.incident}:
                raise BrokenRecord(row.seq, f"it is not of {incident}", envelope.id)
            yield record(envelope, event)

    def incidents(self) -> list[str]:
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT incident FROM entry WHERE incident <> '' "
                "AND seq NOT IN (SELECT seq FROM redacted) GROUP BY incident ORDER BY min(seq)"
            ).fetchall()
        return [str(incident) for (incident,) in found]

    def redact(
        self, incident: str, by: Actor, reason: str, sign: Callable[[Redacted, int, str], str]
    ) -> Record:
        """Remove the events of an incident and write down that it was done, both or neither.

        `sign` returns the note for the event at a number, behind a hash. That the incident is
        closed is for the caller to have checked. Raises `JournalError`, `StoreError`; with
        `NotForgotten` it is done, and only the files are not overwritten yet.
        """
        with self._database.transaction() as connection:
            seqs = tuple(
                seq
                for (seq,) in connection.execute(
                    "SELECT seq FROM entry WHERE incident = ? ORDER BY seq", (incident,)
                )
            )
            last, prev = _last(connection)
            event = Redacted(by=by, reason=reason, incident=incident, seqs=seqs, note="")
            place = last.seq + 1 if last else 1
            event = replace(event, note=sign(event, place, prev))
            writing = Writing(incident="", actor=by, events=(event,))
            bodies = _encoded(writing)
            if isinstance(bodies, JournalError):
                raise bodies
            (written,), _ = self._insert_all(connection, writing, bodies, (last, prev))
            gone = [(seq, written.seq) for seq in seqs]
            connection.executemany("INSERT INTO redacted VALUES (?, ?)", gone)
            connection.executemany("DELETE FROM payload WHERE seq = ?", [(seq,) for seq in seqs])
            connection.execute("DELETE FROM button WHERE incident = ?", (incident,))
        self._database.forget()
        return written

    def leaves(self, after: int = 0) -> Iterator[bytes]:
        while True:
            with self._database.reading() as connection:
                page = connection.execute(
                    "SELECT seq, h FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", (after, LEAVES)
                ).fetchall()
            yield from (h for _, h in page)
            if len(page) < LEAVES:
                return
            after = page[-1][0]

    def withheld(self) -> list[tuple[int, str, int]]:
        with self._database.reading() as connection:
            return connection.execute(
                "SELECT r.seq, e.incident, r.by FROM redacted AS r JOIN entry AS e USING (seq)"
            ).fetchall()

    def log_id(self) -> str:
        with self._database.reading() as connection:
            last, _ = _last(connection)
        return last.log_id if last else ""

    def head(self) -> tuple[int, str]:
        with self._database.reading() as connection:
            last, digest = _last(connection)
        return (last.seq if last else 0), digest


def rows(database: Database, incident: str | None = None) -> Iterator[Row]:
    """Yield the stored rows of one incident (null: all), unchecked, without holding the database.

    Raises `StoreError`.
    """
    seq = 0
    while True:
        with database.reading() as connection:
            if incident is None:
                query, values = f"{ROWS} WHERE e.seq > ? ORDER BY e.seq LIMIT {PAGE}", (seq,)
                page = connection.execute(query, values).fetchall()
            else:
                query = f"{ROWS} WHERE e.incident = ? AND e.seq > ? ORDER BY e.seq LIMIT {PAGE}"
                page = connection.execute(query, (incident, seq)).fetchall()
        yield from (Row(*row) for row in page)
        if len(page) < PAGE:
            return
        seq = page[-1][0]


def _encoded(writing: Writing) -> list[bytes] | JournalError:
    """Return the events as bytes, or why they cannot be written.

    Refused is also a start without intent, and an intent without start.
    """
    started = [(e.request, e.digest) for e in writing.events if isinstance(e, ActionStarted)]
    if started != ([] if writing.intent is None else [writing.intent]):
        return JournalError("an action is started with exactly its own intent, one at a time")
    try:
        return [EVENTS.encode(event) for event in writing.events]
    except Unreadable as error:
        return JournalError(f"an event cannot be written: {error}")


def _intended(connection: sqlite3.Connection, request: str) -> bool:
    found = connection.execute("SELECT 1 FROM intent WHERE request = ?", (request,)).fetchone()
    return found is not None


def _last(connection: sqlite3.Connection) -> tuple[Envelope | None, str]:
    """Return the last envelope and its hash; raises `BrokenRecord`, for nothing may follow one."""
    found = connection.execute(f"{ROWS} ORDER BY e.seq DESC LIMIT 1").fetchone()
    if found is None:
        return None, GENESIS
    row = Row(*found)
    return unseal(row), (row.h or b"").hex()


def _dated(last: Envelope | None, now: datetime) -> datetime:
    """Return the date of the next record: not before the last one's, wherever the clock goes."""
    return max(last.ts, now) if last else now


def _insert(connection: sqlite3.Connection, envelope: Envelope, salt: bytes, body: bytes) -> bytes:
    """Write one record and return its hash."""
    env = envelope.encoded()
    h = leaf(env)
    connection.execute("INSERT INTO entry (seq, env, h) VALUES (?, ?, ?)", (envelope.seq, env, h))
    connection.execute("INSERT INTO payload VALUES (?, ?, ?)", (envelope.seq, salt, body))
    return h
