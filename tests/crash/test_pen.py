"""A real process that is paused and taken over: once it goes on, it writes nothing."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from assistant.clock import SystemClock
from assistant.domain.events import Refused
from assistant.domain.people import FIRSTLINE
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.store.database import StoreError, open_database, open_for_reading
from assistant.store.pen import take

pytestmark = pytest.mark.e2e
FENCED = 3


def written(path):
    """Return who wrote each record, in their order; nobody where there is no table yet."""
    try:
        opened = open_for_reading(path)  # not for writing: the other process is making the tables
    except StoreError:
        return []
    with closing(opened) as database:
        return [record.event.why for record in SqlJournal(database, SystemClock()).records()]


def paused(process, path):
    """Pause a process; let it go on where it holds the database, since then nobody can write."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        with closing(open_database(path, patience_s=0.2)) as database, database.transaction():
            return True
    except StoreError:
        os.kill(process.pid, signal.SIGCONT)
        return False


@pytest.mark.parametrize("round_", range(3))
def test_a_paused_writer_that_was_taken_over_writes_nothing_more(tmp_path, round_):
    path = tmp_path / "firstline.db"
    command = [sys.executable, str(Path(__file__).with_name("writer.py")), str(path), "first"]
    with subprocess.Popen(command) as first:
        try:
            give_up = time.monotonic() + 30
            while len(written(path)) < 5 + round_:
                assert time.monotonic() < give_up, "the first writer does not write"
            while not paused(first, path):
                assert time.monotonic() < give_up, "it is always paused in the middle of a write"
            before = len(written(path))
            with closing(open_database(path)) as database:
                journal = SqlJournal(database, SystemClock(), take(database))
                for _ in range(5):
                    event = Refused(by=FIRSTLINE, tried="write", why="second")
                    journal.append("", FIRSTLINE, [event])
            os.kill(first.pid, signal.SIGCONT)
            assert first.wait(30) == FENCED
        finally:
            first.kill()
    assert written(path)[before:] == ["second"] * 5
    assert verify(path).state is State.SOUND
