"""One SQLite database: opened with care, written in transactions that are on disk when they end.

A file that is not firstline's, or that a newer firstline has written, is refused and left as it is.
Whatever SQLite fails with becomes one sentence.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from assistant.failure import Unusable
from assistant.store.schema import MIGRATIONS, missing

APPLICATION_ID = 0x464C4A31  # "FLJ1"; `file` and SQLite's own tools show it
PRIVATE = 0o600
WHY = {
    sqlite3.SQLITE_FULL: "the disk is full; make room, then start again",
    sqlite3.SQLITE_READONLY: "it may only be read; check its owner and the disk",
    sqlite3.SQLITE_BUSY: "another process is writing to it; stop that one, or try again",
    sqlite3.SQLITE_LOCKED: "another process is writing to it; stop that one, or try again",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "it is not a database; name another file or folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder exists and is yours",
    sqlite3.SQLITE_PERM: "it cannot be opened; check that its folder exists and is yours",
    sqlite3.SQLITE_IOERR: "the disk does not do its work; check it before anything else",
}


class StoreError(Unusable):
    """The database cannot be used; `str()` says why and what to do."""


class NotForgotten(StoreError):
    """It is deleted, and nobody can find it by asking; the files have it for a while yet."""


class Database:
    """A connection that threads take turns with; made by `open_database` or `open_for_reading`."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._turn = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all of it is on disk after the context, or none of it. Raises `StoreError`."""
        with self._during("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read one state of the database, whatever others write. Raises `StoreError`."""
        with self._during("BEGIN") as connection:
            yield connection

    def forget(self) -> None:
        """Leave nothing of what was deleted in the files; raises `NotForgotten`, `StoreError`."""
        with self._turn, _told(self._name):
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise NotForgotten(
                f"what was deleted is still in the files of {self._name}, because another process "
                "reads it; end that one, then start and end firstline to overwrite it"
            )

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    @contextmanager
    def _during(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._turn, _told(self._name):
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:  # it failed, and SQLite did not roll back
                    self._connection.execute("ROLLBACK")


def open_database(path: Path | None, *, patience_s: float = 5.0) -> Database:
    """Open, or make, the database at `path` (null: in memory), brought to the newest schema.

    The file is readable by its user alone. Waits `patience_s` seconds for other writers. Raises
    `StoreError`.
    """
    name = "the database in memory" if path is None else f"the database {path}"
    with _told(name):
        if path is not None and not path.exists():
            path.touch(mode=PRIVATE)  # before SQLite makes it for everybody
        connection = _connect(":memory:" if path is None else path.absolute().as_uri(), patience_s)
        with _closed_on_failure(connection):
            _refuse_foreign(connection, name)
            if path is not None:
                path.chmod(PRIVATE)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged is on disk
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
            database = Database(connection, name)
            _migrate(database)
    return database


def open_for_reading(path: Path, *, patience_s: float = 5.0) -> Database:
    """Open a database that exists, beside the process that writes to it; raises `StoreError`."""
    name = f"the database {path}"
    with _told(name):
        if not path.is_file():
            raise StoreError(f"there is no database {path}; --data names the folder that holds it")
        connection = _connect(f"{path.absolute().as_uri()}?mode=ro", patience_s)
        with _closed_on_failure(connection):
            version = _refuse_foreign(connection, name, may_be_new=False)
            for statement in missing(version):
                connection.execute(statement)
    return Database(connection, name)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn the errors of SQLite and of the disk into one sentence about the database `name`."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{name} cannot be used: {error.strerror or error}") from error
    except UnicodeDecodeError as error:  # from SQLite's own words about a damaged file
        raise StoreError(f"{name} cannot be used: {WHY[sqlite3.SQLITE_CORRUPT]}") from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the extended code's family
        raise StoreError(f"{name} cannot be used: {WHY.get(code, error)}") from error


@contextmanager
def _closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    with ExitStack() as stack:
        stack.callback(connection.close)
        yield
        stack.pop_all()


def _connect(address: str, patience_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        address,
        uri=True,
        timeout=patience_s,
        isolation_level=None,  # transactions begin and end where this module says so
        check_same_thread=False,  # `Database` lets one thread in at a time
    )


def _refuse_foreign(connection: sqlite3.Connection, name: str, *, may_be_new: bool = True) -> int:
    """Return the version of the schema; raises `StoreError` for what is not ours to read."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{name} belongs to another program; name another folder with --data")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{name} was written by a newer firstline (schema {version}, "
            f"this one knows {len(MIGRATIONS)}); install that one again"
        )
    if version == 0 and not may_be_new:
        raise StoreError(f"{name} is empty; firstline has not written to it")
    return int(version)


def _migrate(database: Database) -> None:
    """Bring the schema to the newest version, one step a transaction."""
    for target, steps in enumerate(MIGRATIONS, start=1):
        with database.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version >= target:
                continue
            for step in steps:
                connection.execute(step)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {target}")
