"""Every byte of a record, changed on its own: found, with the record's name.

The tests change every byte of one record, `make attack` those of twenty.
"""

# ruff: noqa: S608 — the tables are named here
import os
import shutil
import sqlite3
from contextlib import closing

import pytest
from desk import SIGNER, Desk
from scene import Everybody, Restless
from world import BEN

from assistant.journal.checkpoint import opened
from assistant.journal.published import Published
from assistant.journal.verify import State, verify

RECORDS = int(os.environ.get("TAMPERED_RECORDS", "1"))
COLUMNS = (("entry", "env"), ("entry", "h"), ("payload", "salt"), ("payload", "body"))


@pytest.fixture
async def journal(tmp_path):
    """A journal of a whole action, without its triggers, and the checkpoint of its end."""
    path, elsewhere = tmp_path / "whole.db", tmp_path / "elsewhere"
    desk = Desk(path, approvers=Everybody(), kind=Restless, elsewhere=elsewhere, seen=False)
    async with desk.open():
        while len(list(desk.journal.records())) < 20:
            incident, _ = await desk.opened()
            await desk.requested(incident)
            await desk.approve(incident, desk.last(incident), BEN)
        desk.journal.vouch()
    with closing(sqlite3.connect(path)) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    known = [opened(note, [SIGNER.verifier]) for note in Published(elsewhere).notes()]
    assert verify(path, known).state is State.SOUND
    return path, known


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seq", [3 * n % 20 + 1 for n in range(RECORDS)])
async def test_each_changed_byte_is_found_and_its_record_named(journal, tmp_path, seq):
    path, known = journal
    changed = tmp_path / "changed.db"
    missed, tried = [], 0
    for table, column in COLUMNS:
        with closing(sqlite3.connect(path)) as connection:
            (old,) = connection.execute(
                f"SELECT {column} FROM {table} WHERE seq = ?", (seq,)
            ).fetchone()
        for place in range(len(old)):
            new = bytearray(old)
            new[place] ^= 1 + (place + seq) % 255
            shutil.copy(path, changed)
            with closing(sqlite3.connect(changed)) as connection, connection:
                connection.execute("PRAGMA synchronous = OFF")
                update = f"UPDATE {table} SET {column} = ? WHERE seq = ?"
                connection.execute(update, (bytes(new), seq))
            report = verify(changed, known)
            tried += 1
            if (report.state, report.record) != (State.TAMPERED, seq):
                missed.append((table, column, place, report))
    assert missed == []
    assert tried > 300
