"""A bounded pool of real SQLite connections, with a bounded queue in front of it.

Who waits for a connection waits for `WAIT_S` at most, as in the pools of everyday.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

SIZE = 4  # unless it is set otherwise
WAIT_S = 0.4


class PoolExhausted(Exception):
    """All connections are in use, and the queue for them is full or too slow."""


class Pool:
    """`size` connections; at most `max_waiting` requests wait for one, the next one is refused.

    `waited` is told how many seconds each wait took.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: int,
        max_waiting: int,
        waited: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.size = 0
        self.used = 0
        self.waiting = 0
        self.timeouts = 0
        self._path = path
        self._waited = waited
        self._max_waiting = max_waiting
        self._idle: asyncio.Queue[sqlite3.Connection] = asyncio.Queue()
        self.resize(size)

    def resize(self, size: int) -> None:
        """Open or close connections; one that is lent is closed once it comes back."""
        self.size = size
        while self.used + self._idle.qsize() < size:
            self._idle.put_nowait(_open(self._path))
        while self.used + self._idle.qsize() > size and not self._idle.empty():
            self._idle.get_nowait().close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[sqlite3.Connection]:
        """Lend a connection; raises `PoolExhausted` where none is to be had in time."""
        if self._idle.empty() and self.waiting >= self._max_waiting:
            raise PoolExhausted(f"{self.size} connections in use, {self.waiting} requests waiting")
        taken = await self._taken()
        self.used += 1
        try:
            yield taken
        finally:
            self.used -= 1
            if self.used + self._idle.qsize() < self.size:
                self._idle.put_nowait(taken)
            else:
                taken.close()

    async def _taken(self) -> sqlite3.Connection:
        since = time.monotonic()
        self.waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                return await self._idle.get()
        except TimeoutError as error:
            self.timeouts += 1
            raise PoolExhausted(
                f"no connection within {WAIT_S * 1000:.0f} ms, {self.used} of {self.size} in use"
            ) from error
        finally:
            self.waiting -= 1
            self._waited(time.monotonic() - since)

    def close(self) -> None:
        """Close what is not lent; what is lent is closed once it comes back."""
        self.resize(0)


def _open(path: Path) -> sqlite3.Connection:
    # autocommit, and used by one worker thread at a time: the pool lends it to one request only
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def execute(connection: sqlite3.Connection, sql: str, facts: Mapping[str, str]) -> int:
    """Run one statement; how many rows it returned or changed."""
    cursor = connection.execute(sql, facts)
    return len(cursor.fetchall()) if cursor.description else cursor.rowcount


def create(path: Path, skus: int) -> None:
    """Make the database file with `skus` products in stock."""
    connection = _open(path)
    connection.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, quantity INT, reserved INT)")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO stock VALUES (?, 100, 0)", [(f"sku-{number:04d}",) for number in range(skus)]
    )
    connection.execute("COMMIT")
    connection.close()
