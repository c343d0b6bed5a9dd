"""The database: private, ours or refused, and every failure one sentence."""

import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from assistant.journal.verify import State, verify
from assistant.store.database import (
    APPLICATION_ID,
    StoreError,
    open_database,
    open_for_reading,
)
from assistant.store.schema import MIGRATIONS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def database(path):
    opened = open_database(path, patience_s=0.05)
    yield opened
    opened.close()


def claim(database, key):
    with database.transaction() as connection:
        connection.execute("INSERT INTO inbox VALUES (?, '', x'00')", (key,))


def claimed(database):
    with database.reading() as connection:
        return [key for (key,) in connection.execute("SELECT key FROM inbox ORDER BY rowid")]


def test_the_files_are_readable_by_their_user_alone(path, database):
    claim(database, "a")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_a_file_that_was_opened_to_others_is_closed_to_them_again(path):
    open_database(path).close()
    path.chmod(0o644)
    open_database(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_marked_as_ours_and_synced_at_every_commit(path, database):
    with database.reading() as connection:
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "journal_mode", "synchronous",
                         "foreign_keys")
        }  # fmt: skip
    assert settings == {
        "application_id": APPLICATION_ID,
        "user_version": len(MIGRATIONS),
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
    }


def test_what_was_written_is_there_after_the_next_start(path):
    first = open_database(path)
    claim(first, "a")
    first.close()
    second = open_database(path)
    assert claimed(second) == ["a"]
    second.close()


def test_all_of_a_transaction_or_nothing(database):
    twice = pytest.raises(StoreError, match="UNIQUE constraint failed")
    with twice, database.transaction() as connection:
        connection.executemany("INSERT INTO inbox VALUES (?, '', x'00')", [("a",), ("a",)])
    claim(database, "b")
    assert claimed(database) == ["b"]


def test_threads_take_turns(database):
    threads = [
        threading.Thread(target=lambda n=n: [claim(database, f"{n}-{i}") for i in range(10)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(claimed(database))) == 40


def test_it_can_be_read_beside_its_writer(path, database):
    claim(database, "a")
    reader = open_for_reading(path)
    assert claimed(reader) == ["a"]
    with reader.reading() as connection:
        connection.execute("SELECT * FROM inbox").fetchall()
        claim(database, "b")  # a reader does not hold up the writer
        assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (1,)
    assert claimed(reader) == ["a", "b"]
    with pytest.raises(StoreError, match="it may only be read"):
        claim(reader, "c")
    reader.close()


def test_where_nobody_may_look_whether_there_is_a_database_is_said(tmp_path):
    # fails for everybody, as a folder that cannot be entered does for others than its owner
    unseen = tmp_path / ("d" * 300) / "store.db"
    with pytest.raises(StoreError, match="cannot be used: File name too long"):
        open_for_reading(unseen)
    assert verify(unseen).state is State.UNVERIFIABLE


def test_what_a_reader_keeps_from_being_forgotten_is_said(path):
    database = open_database(path, patience_s=0)
    claim(database, "a")
    with closing(open_for_reading(path)) as reader, reader.reading() as connection:
        connection.execute("SELECT * FROM inbox").fetchall()
        claim(database, "b")
        with pytest.raises(StoreError, match=r"another process reads it.*start and end firstline"):
            database.forget()
    database.forget()
    database.close()


def test_a_writer_that_does_not_let_go_is_named(path, database):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process is writing to it"):
            claim(database, "a")
        other.execute("ROLLBACK")
    claim(database, "b")
    assert claimed(database) == ["b"]


def test_a_full_disk_is_one_sentence_and_writes_nothing(path, database):
    with database.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    full = pytest.raises(StoreError, match=r"store\.db cannot be used: the disk is full")
    with full, database.transaction() as connection:
        connection.execute("INSERT INTO inbox VALUES ('a', '', zeroblob(100000))")
    assert claimed(database) == []


def test_a_damaged_file_is_one_sentence(path):
    first = open_database(path)
    with first.transaction() as connection:
        rows = [(f"{number:0200}",) for number in range(200)]
        connection.executemany("INSERT INTO inbox VALUES (?, '', x'00')", rows)
    first.close()
    data = bytearray(path.read_bytes())
    data[4096 * 8 :] = b"\x07" * (len(data) - 4096 * 8)
    path.write_bytes(data)
    second = open_database(path)
    with pytest.raises(StoreError, match="it is damaged; restore it from a backup"):
        claimed(second)
    second.close()


def test_a_newer_schema_is_refused_and_left_alone(path):
    open_database(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"newer firstline \(schema 99, this one knows 3\)"):
        open_database(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)


def test_another_programs_file_is_refused_and_left_alone(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = (path.read_bytes(), path.stat().st_mode)
    with pytest.raises(StoreError, match="belongs to another program"):
        open_database(path)
    assert (path.read_bytes(), path.stat().st_mode) == before


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes(b"hello" * 900), "it is not a database"),
        (lambda path: path.mkdir(), "it cannot be opened"),
        (lambda path: path.parent.rmdir(), "cannot be used: No such file or directory"),
    ],
)
def test_what_cannot_be_a_database_is_one_sentence(path, make, why):
    make(path)
    with pytest.raises(StoreError, match=why):
        open_database(path)
