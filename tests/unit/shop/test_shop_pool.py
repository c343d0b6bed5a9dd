"""The shop's connection pool: real connections, never more than its size, a bounded queue."""

import asyncio
from pathlib import Path

import pytest
from shop.pool import WAIT_S, Pool, PoolExhausted, create, execute


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "stock.db"
    create(path, 20)
    return path


async def test_never_more_connections_than_its_size_are_lent(database: Path):
    pool = Pool(database, size=2, max_waiting=10)
    most = 0

    async def use() -> None:
        nonlocal most
        async with pool.connection():
            most = max(most, pool.used)
            await asyncio.sleep(0)

    await asyncio.gather(*(use() for _ in range(8)))
    assert most == 2
    assert (pool.used, pool.waiting) == (0, 0)
    pool.close()


async def test_who_waits_is_counted_and_one_too_many_is_refused(database: Path):
    pool = Pool(database, size=1, max_waiting=1)
    async with pool.connection():
        waiting = asyncio.create_task(_borrow(pool))
        await asyncio.sleep(0)
        assert pool.waiting == 1
        with pytest.raises(PoolExhausted, match="1 connections in use, 1 requests waiting"):
            await _borrow(pool)
    await waiting
    assert (pool.used, pool.waiting) == (0, 0)
    pool.close()


async def test_a_cancelled_waiter_leaves_the_queue(database: Path):
    pool = Pool(database, size=1, max_waiting=1)
    async with pool.connection():
        waiting = asyncio.create_task(_borrow(pool))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert pool.waiting == 0
    await _borrow(pool)
    pool.close()


async def test_who_waits_too_long_goes_away_and_every_wait_is_told(database: Path):
    waits: list[float] = []
    pool = Pool(database, size=1, max_waiting=1, waited=waits.append)
    async with pool.connection():
        with pytest.raises(PoolExhausted, match="no connection within 400 ms, 1 of 1 in use"):
            await _borrow(pool)
    assert pool.timeouts == 1
    assert max(waits) >= WAIT_S * 0.9
    assert len(waits) == 2
    pool.close()


async def test_a_pool_is_resized_while_it_is_in_use(database: Path):
    pool = Pool(database, size=2, max_waiting=5)
    async with pool.connection(), pool.connection():
        pool.resize(1)
        assert pool.used == 2
    async with pool.connection():
        waiting = asyncio.create_task(_borrow(pool))
        await asyncio.sleep(0)
        assert pool.waiting == 1
        pool.resize(3)
        await waiting
    pool.close()


async def test_two_pools_share_what_they_write(database: Path):
    first, second = (Pool(database, size=1, max_waiting=1) for _ in range(2))
    update = "UPDATE stock SET reserved = reserved + 1 WHERE sku = :sku"
    async with first.connection() as connection:
        assert execute(connection, update, {"sku": "sku-0003"}) == 1
    async with second.connection() as connection:
        read = "SELECT sku FROM stock WHERE reserved = 1"
        assert execute(connection, read, {}) == 1
    first.close()
    second.close()


async def _borrow(pool: Pool) -> None:
    async with pool.connection():
        pass
