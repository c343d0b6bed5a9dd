"""Records that come together are written together, and each caller hears of its own."""

import asyncio

import pytest
from happened import ANN, HISTORY, Ticking, asked, request, started

from assistant.journal.api import AlreadyIntended, JournalError
from assistant.journal.group import GroupCommit
from assistant.journal.sql import SqlJournal
from assistant.store.database import StoreError, open_database


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "journal.db")
    yield opened
    opened.close()


@pytest.fixture
def journal(database):
    return SqlJournal(database, Ticking())


class Counting:
    """A journal that counts its transactions."""

    def __init__(self, journal):
        self.journal, self.batches = journal, []

    def append_all(self, batch):
        self.batches.append(len(batch))
        return self.journal.append_all(batch)


async def test_all_are_on_disk_in_their_order_and_few_transactions_are_needed(journal):
    counting = Counting(journal)
    group = GroupCommit(counting)
    made = await asyncio.gather(
        *(group.append(f"INC-{n}", ANN, [HISTORY[0]]) for n in range(1, 301))
    )
    assert [records[0].seq for records in made] == list(range(1, 301))
    assert [r.incident for r in journal.records()] == [f"INC-{n}" for n in range(1, 301)]
    assert sum(counting.batches) == 300
    assert len(counting.batches) < 10


async def test_one_that_may_not_be_written_does_not_hinder_the_others(journal):
    group = GroupCommit(journal)
    intent = ("run", request("run").digest)
    await group.append("INC-1", ANN, [HISTORY[0]])
    await group.append("INC-1", ANN, [started("run")], intent=intent)
    again, without, fine = await asyncio.gather(
        group.append("INC-1", ANN, [started("run")], intent=intent),
        group.append("INC-1", ANN, [started("other")]),
        group.append("INC-1", ANN, [asked("other")]),
        return_exceptions=True,
    )
    assert isinstance(again, AlreadyIntended)
    assert isinstance(without, JournalError)
    assert [record.seq for record in fine] == [3]


async def test_where_nothing_can_be_written_everybody_hears_it_and_later_it_goes_on(
    database, journal
):
    group = GroupCommit(journal)
    await group.append("INC-1", ANN, [HISTORY[0]])
    with database.reading() as connection:
        connection.execute("PRAGMA query_only = ON")
    heard = await asyncio.gather(
        *(group.append("INC-1", ANN, [HISTORY[1]]) for _ in range(3)), return_exceptions=True
    )
    assert {type(one) for one in heard} == {StoreError}
    with database.reading() as connection:
        connection.execute("PRAGMA query_only = OFF")
    (record,) = await group.append("INC-1", ANN, [HISTORY[1]])
    assert record.seq == 2


async def test_who_stops_waiting_takes_nothing_away(journal):
    group = GroupCommit(journal)
    left = asyncio.create_task(group.append("INC-1", ANN, [HISTORY[0]]))
    await asyncio.sleep(0)
    left.cancel()
    (record,) = await group.append("INC-2", ANN, [HISTORY[0]])
    assert record.seq == 2
    assert [r.incident for r in journal.records()] == ["INC-1", "INC-2"]


async def test_what_nobody_foresaw_leaves_nobody_waiting():
    class Odd:
        def append_all(self, batch):
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")

    group = GroupCommit(Odd())
    for _ in range(2):
        with pytest.raises(UnicodeEncodeError):
            await asyncio.wait_for(group.append("INC-1", ANN, [HISTORY[0]]), 60)
