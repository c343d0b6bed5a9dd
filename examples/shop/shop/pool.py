"""A bounded pool of real SQLite connections, with a bounded queue in front of it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path


class PoolExhausted(Exception):
    """All connections are in use and the queue for them is full."""


class Pool:
    """`size` connections; at most `max_waiting` requests wait for one, the next one is refused."""

    def __init__(self, path: Path, *, size: int, max_waiting: int) -> None:
        self.size = size
        self.waiting = 0
        self._max_waiting = max_waiting
        self._idle: asyncio.Queue[sqlite3.Connection] = asyncio.Queue()
        self._all = [_open(path) for _ in range(size)]
        for connection in self._all:
            self._idle.put_nowait(connection)

    @property
    def used(self) -> int:
        return self.size - self._idle.qsize()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[sqlite3.Connection]:
        """Lend a connection; raises `PoolExhausted` where the queue is full."""
        if self._idle.empty() and self.waiting >= self._max_waiting:
            raise PoolExhausted(f"{self.size} connections in use, {self.waiting} requests waiting")
        self.waiting += 1
        try:
            taken = await self._idle.get()
        finally:
            self.waiting -= 1
        try:
            yield taken
        finally:
            self._idle.put_nowait(taken)

    def close(self) -> None:
        for connection in self._all:
            connection.close()


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
