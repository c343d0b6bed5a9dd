"""Who may write: the process that took the pen last.

A process that was paused does not know that another one has gone on without it; the database does.
Whoever takes the pen gets the next number, and whoever holds a smaller one writes nothing more: a
fencing token (Kleppmann, "How to do distributed locking", 2016).
"""

import sqlite3

from assistant.store.database import Database, StoreError


class Fenced(StoreError):
    """Another process has taken over; this one must stop."""

    def __init__(self) -> None:
        super().__init__("another firstline has taken over this database; this one has to stop")


class Pen:
    """The right to write, as long as nobody has taken it since; made by `take`."""

    def __init__(self, database: Database, number: int) -> None:
        self._database = database
        self._number = number

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise `Fenced` inside a transaction whose writes would be another's."""
        (last,) = connection.execute("SELECT number FROM pen").fetchone()
        if last != self._number:
            raise Fenced

    def lost(self) -> str | None:
        """Return why nothing may be done any more, or null."""
        try:
            with self._database.reading() as connection:
                self.check(connection)
        except StoreError as error:
            return str(error)
        return None


def take(database: Database) -> Pen:
    """Take the pen from whoever had it; raises `StoreError`."""
    with database.transaction() as connection:
        connection.execute("UPDATE pen SET number = number + 1")
        (number,) = connection.execute("SELECT number FROM pen").fetchone()
    return Pen(database, number)
