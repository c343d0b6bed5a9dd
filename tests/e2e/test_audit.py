"""The journal of real processes: killed at any moment, and read from the command line."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from assistant.clock import SystemClock
from assistant.config import DATABASE, Settings
from assistant.domain.events import Closed, Opened, RecallFailed
from assistant.domain.people import FIRSTLINE, Actor, ActorKind
from assistant.journal import offline
from assistant.journal.checkpoint import new_signer
from assistant.journal.keys import made
from assistant.journal.notary import VouchedJournal
from assistant.journal.published import Published
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.store.database import open_database

pytestmark = pytest.mark.e2e
OFFLINE = offline.__file__
ANN = Actor(kind=ActorKind.HUMAN, id="U1", name="Ann", team="T1")
APPENDS = """
import sys
from pathlib import Path
from assistant.clock import SystemClock
from assistant.domain.events import Opened, RecallFailed
from assistant.domain.people import FIRSTLINE
from assistant.journal.sql import SqlJournal
from assistant.store.database import open_database

clock = SystemClock()
journal = SqlJournal(open_database(Path(sys.argv[1])), clock)
opened = Opened(at=clock.now(), text="it fails", service=None)
events = [RecallFailed(reason="locked")] if journal.incidents() else [opened]
while True:
    for record in journal.append("INC-1", FIRSTLINE, events):
        print(record.seq, flush=True)
    events = [RecallFailed(reason="locked"), RecallFailed(reason="busy")]
"""


def audit(data, *words):
    return subprocess.run(
        [sys.executable, "-m", "assistant", "audit", *words, "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def data(tmp_path):
    database = open_database(tmp_path / DATABASE)
    clock = SystemClock()
    journal = SqlJournal(database, clock)
    journal.append("INC-1", ANN, [Opened(at=clock.now(), text="it\nfails", service="web")])
    journal.append("INC-2", ANN, [Opened(at=clock.now(), text="so does this", service=None)])
    journal.append("INC-1", FIRSTLINE, [RecallFailed(reason="locked")])
    journal.append("INC-1", ANN, [Closed(by=ANN, at=clock.now(), reason="resolved")])
    yield tmp_path  # still open: the commands read beside a process that writes
    database.close()


def test_no_acknowledged_record_is_lost_to_a_kill(tmp_path):
    path = tmp_path / DATABASE
    acknowledged = 0
    for lines in (1, 40, 7, 150, 23):
        with subprocess.Popen(
            [sys.executable, "-c", APPENDS, str(path)], stdout=subprocess.PIPE
        ) as process:
            for _ in range(lines):
                process.stdout.readline()
            process.kill()
            rest = process.stdout.read().splitlines()
        assert process.returncode == -signal.SIGKILL
        seen = [int(line) for line in rest if line.strip()]
        acknowledged = max([acknowledged + lines, *seen])
        report = verify(path)
        assert report.state is State.SOUND, report
        assert report.records >= acknowledged
        acknowledged = report.records


def test_a_sound_journal_is_said_to_be_sound(data):
    done = audit(data, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sound: 4 records, head ")


def test_a_tampered_journal_is_refused_with_the_record(data):
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER payload_unchanged")
        connection.execute("UPDATE payload SET salt = zeroblob(16) WHERE seq = 3")
    done = audit(data, "verify")
    assert done.returncode == 1
    assert done.stdout.startswith("tampered: record 3 (")
    assert "its event is not the one that was written\n2 records before that" in done.stdout
    shown = audit(data, "show")
    assert (shown.returncode, shown.stderr.count("\n")) == (2, 1)
    assert "record 3" in shown.stderr


def vouched(data):
    """Have the journal vouched for, as at the end of a process that was on call."""
    settings = Settings(data=data)
    database = open_database(settings.database)
    with closing(database):
        key = made(settings.signing_key)
        put = Published(settings.checkpoints).put
        VouchedJournal(SqlJournal(database, SystemClock()), key, [put], []).vouch()


def test_a_cut_tail_is_found_and_a_restore_can_be_accepted(data):
    vouched(data)
    key = audit(data, "key").stdout.strip()
    done = audit(data, "verify", "--key", key)
    assert (done.returncode, done.stdout.count("\n")) == (0, 2)
    assert "vouches for the first 4 of them" in done.stdout
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as connection:
        connection.executescript(
            "DROP TRIGGER payload_kept; DELETE FROM payload WHERE seq = 4;"
            "DROP TRIGGER entry_kept; DELETE FROM entry WHERE seq = 4;"
        )
    cut = audit(data, "verify")
    assert cut.returncode == 1
    assert cut.stdout.startswith("tampered: record 4: it is missing")
    accepted = audit(data, "accept-restore", "--reason", "the disk died")
    assert (accepted.returncode, accepted.stderr) == (0, "")
    assert audit(data, "verify").returncode == 0
    assert (
        "gave up a journal of 4 records for this one: the disk died" in audit(data, "show").stdout
    )
    assert "nothing to accept" in audit(data, "accept-restore", "--reason", "again").stdout


def test_a_closed_incident_can_be_redacted_and_everything_still_verifies(data):
    vouched(data)
    still = audit(data, "redact", "INC-2", "--reason", "a customer asked")
    assert (still.returncode, still.stdout) == (2, "")
    assert "INC-2 is not closed" in still.stderr
    done = audit(data, "redact", "INC-1", "--reason", "a customer asked")
    assert (done.returncode, done.stdout) == (0, "INC-1: redacted by record 5\n")
    checked = audit(data, "verify")
    assert checked.returncode == 0, checked.stdout
    assert "redacted: the events of 3 records, as the key signed" in checked.stdout
    assert "vouches for the first 5 of them" in checked.stdout
    shown = audit(data, "show").stdout
    assert "redacted the 3 records of INC-1: a customer asked" in shown
    assert "fails" not in shown
    assert "INC-1 was redacted" in audit(data, "show", "INC-1").stdout
    assert '"event":null,"redacted":5' in audit(data, "export", "INC-1").stdout
    again = audit(data, "redact", "INC-1", "--reason", "again")
    assert "knows no incident INC-1, or it was redacted" in again.stderr


def test_what_is_redacted_leaves_no_picture(data):
    vouched(data)
    folder = Settings(data=data).pictures
    folder.mkdir()
    kept = [folder / f"{name}{end}" for name in ("INC-1", "INC-2", "INC-11")
            for end in (".png", ".txt", ".png.part")]  # fmt: skip
    for file in kept:
        file.write_bytes(b"what was seen")
    done = audit(data, "redact", "INC-1", "--reason", "a customer asked")
    assert done.stdout == "INC-1: its picture is deleted\nINC-1: redacted by record 5\n"
    assert sorted(folder.iterdir()) == sorted(kept[3:])


def test_a_note_that_somebody_copied_from_the_channel_finds_a_rewritten_journal(data, tmp_path):
    vouched(data)
    settings = Settings(data=data)
    (note,) = Published(settings.checkpoints).notes()
    copied = tmp_path / "note.txt"
    copied.write_text(f"\n{note.strip()}")
    shutil.rmtree(settings.checkpoints)
    assert audit(data, "verify", "--checkpoint", str(copied)).returncode == 0
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as connection:
        connection.executescript(
            "DROP TRIGGER payload_kept; DELETE FROM payload WHERE seq = 4;"
            "DROP TRIGGER entry_kept; DELETE FROM entry WHERE seq = 4;"
        )
    assert audit(data, "verify").returncode == 0, "nothing else knows"
    assert audit(data, "verify", "--checkpoint", str(copied)).returncode == 1
    copied.write_text("anything")
    assert audit(data, "verify", "--checkpoint", str(copied)).returncode == 2


def test_where_checkpoints_cannot_be_read_nothing_is_verified(data):
    vouched(data)
    elsewhere = Settings(data=data).checkpoints
    shutil.rmtree(elsewhere)
    elsewhere.write_text("")
    said = audit(data, "verify")
    assert said.returncode == 2
    assert "cannot be read" in said.stdout + said.stderr


def test_what_a_reader_keeps_from_being_overwritten_is_said(data):
    vouched(data)
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM entry").fetchall()
        done = audit(data, "redact", "INC-1", "--reason", "a customer asked")
    assert done.returncode == 1
    assert "INC-1: redacted, but what was deleted is still in the files" in done.stderr
    sound = audit(data, "verify")
    assert sound.returncode == 0
    assert "vouches for the first 5 of them" in sound.stdout


def checked(proof, key):
    return subprocess.run(
        [sys.executable, "-I", OFFLINE, proof, "--key", key],
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_incident_is_proved_without_firstline_and_without_the_rest(data, tmp_path):
    key = audit(data, "key").stdout.strip()
    proof = tmp_path / "proof.jsonl"
    proof.write_text(audit(data, "prove", "INC-1").stdout, encoding="utf-8")
    done = checked(proof, key)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("holds: 3 records of the 4 that were signed for as firstline/")
    assert "so does this" not in proof.read_text(encoding="utf-8")
    other = checked(proof, str(new_signer("firstline").verifier))
    assert (other.returncode, other.stderr) == (1, "")
    missing = checked(tmp_path / "nowhere", key)
    assert (missing.returncode, missing.stderr) == (2, "")


def test_a_proof_with_any_byte_changed_does_not_hold(data):
    key = audit(data, "key").stdout.strip()
    whole = audit(data, "prove", "INC-1").stdout
    assert offline.verify(whole.splitlines(keepends=True), key).startswith("holds")
    rng = random.Random("proof")  # noqa: S311 — the changes are seeded
    for _ in range(400):
        place = rng.randrange(len(whole))
        changed = whole[:place] + rng.choice('0aZ}"') + whole[place + 1 :]
        if changed == whole or "\n— " in whole[place - 3 : place + 3]:
            continue
        with pytest.raises(offline.CANNOT):
            offline.verify(changed.splitlines(keepends=True), key)


def test_a_checkpoint_of_somebody_else_cannot_be_believed(data):
    vouched(data)
    done = audit(data, "verify", "--key", str(new_signer("firstline").verifier))
    assert done.returncode == 2
    assert "no key that is known here has signed this checkpoint" in done.stdout
    assert audit(data, "verify", "--key", "rubbish").returncode == 2


def test_what_is_not_there_cannot_be_verified(tmp_path):
    done = audit(tmp_path / "nowhere", "verify")
    assert done.returncode == 2
    assert done.stdout.startswith("unverifiable: there is no database ")
    shown = audit(tmp_path / "nowhere", "show")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith("firstline: there is no database ")
    assert not (tmp_path / "nowhere").exists()


def test_the_journal_is_shown_a_line_a_record(data):
    lines = audit(data, "show").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4"]
    one = audit(data, "show", "INC-1").stdout.splitlines()
    assert [line.split()[0] for line in one] == ["1", "3", "4"]
    assert one[0].endswith("human:U1            Ann asked: it fails")
    assert one[2].endswith("Ann closed it: resolved")


def test_the_export_can_be_checked_without_firstline(data):
    done = audit(data, "export", "INC-1", "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["envelope"]["seq"] for row in rows] == [1, 3, 4]
    assert [next(iter(row["event"])) for row in rows] == ["Opened", "RecallFailed", "Closed"]
    checked = subprocess.run(
        [sys.executable, "-I", "-c", CHECK], input=done.stdout.encode(), check=False
    )
    assert checked.returncode == 0


CHECK = """
import sys, json, hashlib
for line in sys.stdin.buffer:
    row = json.loads(line)
    env = json.dumps(row["envelope"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    event = json.dumps(row["event"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    salt = bytes.fromhex(row["salt"])
    assert hashlib.sha256(b"\\0" + env.encode()).hexdigest() == row["hash"]
    assert hashlib.sha256(salt + event.encode()).hexdigest() == row["envelope"]["payload_commit"]
"""


def test_an_unknown_incident_is_one_sentence(data):
    done = audit(data, "show", "INC-9")
    assert (done.returncode, done.stdout) == (2, "")
    assert "knows no incident INC-9" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(data):
    with subprocess.Popen(
        [sys.executable, "-m", "assistant", "audit", "show", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as shown:
        shown.stdout.close()
        assert shown.stderr.read() == ""
