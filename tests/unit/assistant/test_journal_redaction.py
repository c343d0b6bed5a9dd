"""What was said in a closed incident can be removed; that it was removed cannot be."""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from happened import ANN, DESK, HISTORY, Ticking, happen
from test_journal_verify import unguarded

from assistant.domain.events import Opened
from assistant.domain.people import FIRSTLINE
from assistant.journal import offline, proof
from assistant.journal.checkpoint import Checkpoint, new_signer, origin
from assistant.journal.export import line
from assistant.journal.foreign import cloudevent, ocsf
from assistant.journal.merkle import Frontier
from assistant.journal.redaction import terms
from assistant.journal.sql import SqlJournal, rows
from assistant.journal.verify import State, verify
from assistant.store.database import open_database, open_for_reading

SIGNER = new_signer("test")


@pytest.fixture
def path(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        happen(journal)
        happen(journal, HISTORY[:3], incident="INC-2")
        happen(journal, DESK, incident="")
    return tmp_path / "journal.db"


class opened:  # noqa: N801 — read as a phrase
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.database = open_database(self.path)
        return SqlJournal(self.database, Ticking())

    def __exit__(self, *_):
        self.database.close()


def redact(path, incident="INC-1", signer=SIGNER, place=0):
    with opened(path) as journal:
        return journal.redact(
            incident,
            ANN,
            "they asked",
            lambda e, seq, prev: signer.sign(terms(e, seq + place, prev)),
        )


def verified(path, checkpoints=()):
    return verify(path, checkpoints, [SIGNER.verifier])


def test_it_is_gone_from_the_files_and_the_chain_is_whole(path):
    said = b"# What happened"  # the postmortem
    assert any(said in file.read_bytes() for file in path.parent.glob("journal.db*"))
    record = redact(path)
    assert not any(said in file.read_bytes() for file in path.parent.glob("journal.db*"))
    report = verified(path)
    assert (report.state, report.redacted) == (State.SOUND, len(HISTORY)), report.why
    assert report.records == record.seq


def test_checkpoints_of_before_still_hold(path):
    with opened(path) as journal:
        tree = Frontier()
        for leaf in journal.leaves():
            tree.push(leaf)
        before = Checkpoint(
            origin=origin(journal.log_id(), 0), size=journal.head()[0], root=tree.root()
        )
    redact(path)
    assert verified(path, [before]).vouched == before.size


def test_nobody_finds_the_incident_and_the_others_are_as_before(path):
    redact(path)
    with opened(path) as journal:
        assert journal.incidents() == ["INC-2"]
        assert {r.incident for r in journal.records()} == {"INC-2", ""}
        assert list(journal.records("INC-1")) == []
        opening = Opened(at=Ticking().now(), text="it fails", service=None)
        journal.append("INC-3", FIRSTLINE, [opening])
    assert verified(path).state is State.SOUND


def stolen(path):
    with unguarded(path) as connection:
        connection.execute("DELETE FROM payload WHERE seq = 3")


def said_to_be_redacted(path):
    with unguarded(path) as connection:
        (last,) = connection.execute("SELECT max(seq) FROM entry").fetchone()
        connection.execute("INSERT INTO redacted VALUES (3, ?)", (last,))
        connection.execute("DELETE FROM payload WHERE seq = 3")


def by_whoever(path):
    redact(path, signer=new_signer("test"))


def for_another_place(path):
    redact(path, place=1)


def more_than_was_signed(path):
    seq = redact(path).seq
    with unguarded(path) as connection:
        (other,) = connection.execute(
            "SELECT min(seq) FROM entry WHERE incident = 'INC-2'"
        ).fetchone()
        connection.execute("INSERT INTO redacted VALUES (?, ?)", (other, seq))
        connection.execute("DELETE FROM payload WHERE seq = ?", (other,))


def back_again(path):
    shutil.copy(path, f"{path}.old")
    redact(path)
    with unguarded(path) as connection:
        connection.execute("ATTACH ? AS old", (f"{path}.old",))
        connection.execute("INSERT INTO payload SELECT * FROM old.payload WHERE seq = 2")


@pytest.mark.parametrize(
    ("attempt", "why"),
    [
        (stolen, "its event is missing"),
        (said_to_be_redacted, "the key did not sign"),
        (by_whoever, "the key did not sign"),
        (for_another_place, "the key did not sign"),
        (more_than_was_signed, "the key did not sign"),
        (back_again, "is here again"),
    ],
)
def test_what_is_gone_without_leave_was_stolen(path, attempt, why):
    attempt(path)
    report = verified(path)
    assert report.state is State.TAMPERED
    assert why in report.why


def test_sql_alone_removes_nothing(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="never removed, only redacted"):
            connection.execute("DELETE FROM payload WHERE seq = 3")
        redact(path)
        for change in ("UPDATE redacted SET by = 1", "DELETE FROM redacted"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(change)


def test_what_is_exported_says_what_is_withheld_and_by_whose_record(path):
    by = redact(path).seq
    database = open_database(path)
    with closing(database):
        first = next(rows(database, "INC-1"))
    told = json.loads(line(first))
    assert (told["event"], told["redacted"]) == (None, by)
    assert hashlib.sha256(b"\0" + first.env).hexdigest() == told["hash"]
    event = json.loads(cloudevent(first))
    assert (event["data"], event["redactedby"]) == ({}, f"{by:020d}")
    assert json.loads(ocsf(first))["api"]["operation"] == "Opened"


def test_a_proof_without_the_events_still_holds_and_says_so(path):
    redact(path)
    with opened(path) as journal:
        tree = Frontier()
        for leaf in journal.leaves():
            tree.push(leaf)
        here = Checkpoint(origin=origin(journal.log_id(), 0), size=tree.size, root=tree.root())
        database = open_database(path)
        with closing(database):
            note = SIGNER.sign(here.text())
            lines = [w.decode() for w in proof.lines(database, journal, "INC-1", note)]
    said = offline.verify(lines, str(SIGNER.verifier))
    assert f"the events of {len(HISTORY)} are withheld as redacted" in said
    forged = [lines[0], *(text.replace('"redacted"', '"gone"') for text in lines[1:])]
    with pytest.raises(offline.Wrong, match="not the one that was written"):
        offline.verify(forged, str(SIGNER.verifier))


def test_a_journal_of_before_there_was_redaction_is_read_as_it_is(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            "DROP TRIGGER payload_kept; DROP TABLE redacted; PRAGMA user_version = 2;"
            "CREATE TRIGGER payload_kept BEFORE DELETE ON payload "
            "BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
    report = verified(path)
    assert (report.state, report.redacted) == (State.SOUND, 0), report.why
    with closing(open_for_reading(path)) as database:
        assert len(list(SqlJournal(database, Ticking()).records("INC-1"))) == len(HISTORY)
    redact(path)  # whoever writes brings the tables up to date first
    assert verified(path).state is State.SOUND
