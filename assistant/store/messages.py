"""Which message on a surface shows what, so that it is edited and never posted twice.

The intention is on disk before a message is sent. Where a process dies in between, nobody knows
whether it arrived: the row says `ambiguous` until the surface was asked.
"""

from dataclasses import dataclass
from typing import Literal

from assistant.store.database import Database, StoreError

SELECT = "SELECT slot, channel, ts, thread, digest, state FROM message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One message. `digest` is of what it shows, or was meant to show while it is ambiguous.

    `ts` is the surface's name for it, null before it was sent first; `thread` the message that it
    answers, null if none.
    """

    channel: str
    ts: str | None
    thread: str | None
    digest: str
    state: Literal["ambiguous", "sent"]


class Messages:
    """Messages by slot: the place they have in an incident (`INC-1/card`), one message each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, slot: str) -> Sent | None:
        """Return what is known of a slot; raises `StoreError`."""
        return self._found("WHERE slot = ?", slot).get(slot)

    def all(self) -> dict[str, Sent]:
        """Return every message by its slot, the oldest first; raises `StoreError`."""
        return self._found("ORDER BY rowid")

    def intend(self, slot: str, channel: str, thread: str | None, digest: str) -> None:
        """Say that a message is about to be sent or edited; raises `StoreError`."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO message (slot, channel, thread, digest, state) "
                "VALUES (?, ?, ?, ?, 'ambiguous') "
                "ON CONFLICT (slot) DO UPDATE SET channel = excluded.channel, "
                "thread = excluded.thread, digest = excluded.digest, state = excluded.state",
                (slot, channel, thread, digest),
            )

    def sent(self, slot: str, ts: str, digest: str) -> None:
        """Say that the surface has the message; raises `StoreError`, also if nobody intended it."""
        with self._database.transaction() as connection:
            known = connection.execute(
                "UPDATE message SET ts = ?, digest = ?, state = 'sent' WHERE slot = ?",
                (ts, digest, slot),
            )
            if known.rowcount != 1:
                raise StoreError(f"no message was intended for {slot}")

    def _found(self, which: str, *values: str) -> dict[str, Sent]:
        with self._database.reading() as connection:
            rows = connection.execute(f"{SELECT} {which}", values).fetchall()
        return {
            slot: Sent(channel=channel, ts=ts, thread=thread, digest=digest, state=state)
            for slot, channel, ts, thread, digest, state in rows
        }
