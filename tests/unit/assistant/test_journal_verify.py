"""Whatever is done to a journal behind firstline's back is found, and the record is named."""

# ruff: noqa: S311, S608 — the changes are seeded, and spelled out here
import random
import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest
from happened import DESK, HISTORY, Ticking, approved, asked, done, happen, started
from written import NOON

from assistant.domain.events import ActionFailed, Expired
from assistant.domain.people import FIRSTLINE
from assistant.journal.envelope import commitment, leaf
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.store.database import APPLICATION_ID, open_database

SHORT = (HISTORY[0], HISTORY[1], asked("run"), approved("run"), started("run"), done("run"))

STORED = (("entry", "env"), ("entry", "h"), ("payload", "salt"), ("payload", "body"))


def made(path, *histories):
    database = open_database(path)
    journal = SqlJournal(database, Ticking())
    for incident, history in histories:
        happen(journal, history, incident)
    database.close()
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    return made(folder / "journal.db", ("INC-1", SHORT), ("", DESK), ("INC-2", SHORT[:2]))


@pytest.fixture
def path(sound, tmp_path):
    return shutil.copy(sound, tmp_path / "journal.db")


@contextmanager
def unguarded(path):
    """The file without its triggers, as somebody with the file in their hands has it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        yield connection


def found(path, *changes):
    """Make the changes; return the number of the record that `verify` names, and what it says."""
    with unguarded(path) as connection:
        for change, *values in changes:
            connection.execute(change, values)
    report = verify(path)
    assert report.state is State.TAMPERED, report
    return report.record, report.why


def test_an_untouched_journal_is_sound(path):
    report = verify(path)
    assert (report.state, report.records, report.record, report.why) == (State.SOUND, 10, 0, "")


def test_everything_that_can_happen_is_sound(tmp_path):
    whole = made(tmp_path / "whole.db", ("INC-1", HISTORY), ("", DESK))
    assert verify(whole).records == len(HISTORY) + len(DESK)


def test_a_journal_without_records_is_sound(tmp_path):
    assert verify(made(tmp_path / "empty.db")).state is State.SOUND


@pytest.mark.parametrize(
    ("table", "column"),
    [*STORED, ("entry", "seq"), ("payload", "seq")],
)
def test_any_changed_byte_is_found_and_its_record_named(path, table, column):
    rng = random.Random(f"{table} {column}")
    with unguarded(path) as connection:
        for _ in range(60):
            seq = rng.randint(1, 10)
            query = f"SELECT {column} FROM {table} WHERE seq = ?"
            (old,) = connection.execute(query, (seq,)).fetchone()
            new, now = _changed(old, rng), seq
            if column == "seq":
                new = now = new if not 1 <= new <= 10 else new + 10
            update = f"UPDATE {table} SET {column} = ? WHERE seq = ?"
            connection.execute(update, (new, seq))
            report = verify(path)
            assert (report.state, report.record) == (State.TAMPERED, seq), report
            connection.execute(update, (old, now))
    assert verify(path).state is State.SOUND


def _changed(old, rng):
    data = bytearray(old if isinstance(old, bytes) else old.to_bytes(8, "big"))
    data[rng.randrange(len(data))] ^= rng.randint(1, 255)
    return bytes(data) if isinstance(old, bytes) else int.from_bytes(data, "big", signed=True)


@pytest.mark.parametrize("value", ["text", b"\xff\xfe", 7, 0.5, b"", b"{}", b"[" * 5000])
@pytest.mark.parametrize(("table", "column"), STORED)
def test_values_of_any_kind_are_found(path, table, column, value):
    assert found(path, (f"UPDATE {table} SET {column} = ? WHERE seq = 3", value))[0] == 3


def test_a_record_taken_out_is_missing(path):
    changes = [(f"DELETE FROM {table} WHERE seq = 5",) for table in ("intent", "payload", "entry")]
    assert found(path, *changes) == (5, "record 5: it is missing")


def test_two_records_in_each_others_place_are_found(path):
    swaps = [
        (f"UPDATE {table} SET seq = {new} WHERE seq = {old}",)
        for table in ("payload", "entry")
        for old, new in ((3, 99), (4, 3), (99, 4))
    ]
    number, why = found(path, *swaps)
    assert (number, why[-30:]) == (4, "it is stored under the number 3"[-30:])


def test_an_event_taken_out_is_missing(path):
    number, why = found(path, ("DELETE FROM payload WHERE seq = 6",))
    assert (number, why.endswith("its event is missing")) == (6, True)


def test_an_event_without_envelope_is_found(path):
    add = ("INSERT INTO payload VALUES (11, zeroblob(16), zeroblob(9))",)
    assert found(path, add) == (11, "record 11: there is an event without its envelope")


def test_a_start_without_its_intent_is_found(path):
    number, why = found(path, ("DELETE FROM intent",))
    assert (number, why) == (5, "record 5: it started an action without the intent that guards it")


@pytest.mark.parametrize("column", ["request", "digest"])
def test_a_changed_intent_is_found(path, column):
    assert found(path, (f"UPDATE intent SET {column} = 'other'",))[0] == 5


def test_an_intent_without_its_start_is_found(path):
    number, why = found(path, ("INSERT INTO intent VALUES ('other', 'digest', 2)",))
    assert (number, "did not start that action" in why) == (2, True)


def test_a_record_that_the_index_hides_is_found(path):
    """The application reads an incident by its index, so what is not in there would be lost."""
    table = "CREATE TABLE entry (seq INTEGER PRIMARY KEY, env BLOB, h BLOB, incident TEXT)"
    number, why = found(
        path,
        ("ALTER TABLE entry RENAME TO was",),
        (table,),
        ("INSERT INTO entry SELECT seq, env, h, incident FROM was",),
        ("UPDATE entry SET incident = 'INC-9' WHERE seq = 4",),
    )
    assert (number, "not found by its incident" in why) == (4, True)


def _rewritten(path, seq, change):
    """Write a record anew with a hash that fits, as somebody who knows the format would."""
    with unguarded(path) as connection:
        env, salt, body = connection.execute(
            "SELECT env, salt, body FROM entry JOIN payload USING (seq) WHERE seq = ?", (seq,)
        ).fetchone()
        env, body = change(env, salt, body)
        connection.execute("UPDATE entry SET env = ?, h = ? WHERE seq = ?", (env, leaf(env), seq))
        connection.execute("UPDATE payload SET body = ? WHERE seq = ?", (body, seq))
    report = verify(path)
    assert report.state is State.TAMPERED
    return report.record, report.why


def _body(new):
    def change(env, salt, body):
        body = new(body)
        old = env[env.index(b'"payload_commit":"') + 18 :][:64]
        return env.replace(old, commitment(salt, body).encode()), body

    return change


def test_a_record_written_anew_breaks_the_link_behind_it(path):
    change = _body(lambda body: body.replace(b"booking", b"nothing"))
    number, why = _rewritten(path, 1, change)
    assert (number, "one of the two was replaced" in why) == (2, True)


def test_a_second_encoding_of_the_same_record_is_found(path):
    number, why = _rewritten(path, 10, lambda env, _, body: (env.replace(b'":', b'": '), body))
    assert (number, "canonical form" in why) == (10, True)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b'"type":"ScopeSet"', b'"type":"Opened"', "speaks of another event"),
        (b'"subject":""', b'"subject":"run"', "speaks of another event"),
        (b'"ts":"2026', b'"ts":"2025', "dated before"),
        (b'"log_id":"', b'"log_id":"x', "another journal"),
        (b'"v":1', b'"v":2', "cannot be read"),
        (b'"prev":"', b'"prev":"0', "one of the two was replaced"),
    ],
)
def test_an_envelope_that_says_something_else_is_found(path, old, new, what):
    number, why = _rewritten(path, 10, lambda env, _, body: (env.replace(old, new), body))
    assert (number, what in why) == (10, True)


def test_an_event_that_nobody_knows_is_found(path):
    number, why = _rewritten(path, 10, _body(lambda _: b'{"Teleported":{}}'))
    assert (number, "nothing is called Teleported" in why) == (10, True)


def test_what_cannot_have_happened_is_found(tmp_path):
    path = made(tmp_path / "journal.db", ("INC-1", SHORT))
    database = open_database(path)
    expired = Expired(request="run", at=NOON)
    SqlJournal(database, Ticking()).append("INC-1", FIRSTLINE, [expired])
    database.close()
    report = verify(path)
    assert (report.state, report.record) == (State.TAMPERED, 7)
    assert "a request that is finished cannot become expired" in report.why


def test_incidents_that_come_back_after_many_others_are_followed_too(tmp_path, monkeypatch):
    monkeypatch.setattr("assistant.journal.verify.NEAR", 1)
    turns = [(f"INC-{n}", [event]) for event in SHORT[:3] for n in range(1, 4)]
    assert verify(made(tmp_path / "sound.db", *turns)).state is State.SOUND
    failed = ActionFailed(request="run", why="it was never started")
    report = verify(made(tmp_path / "broken.db", *turns, ("INC-2", [failed])))
    assert (report.state, report.record) == (State.TAMPERED, 10)
    assert "cannot have happened" in report.why


def test_no_bytes_of_the_file_make_it_raise(path):
    rng = random.Random(7)
    whole = path.read_bytes()
    seen = set()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 20, 2000))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.choice((len(data), len(data) // 2))])
        seen.add(verify(path).state)
    assert {State.TAMPERED, State.UNVERIFIABLE} <= seen


def _foreign(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def _newer(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _: None, "there is no database"),
        (lambda path: path.mkdir(), "no database"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"hello" * 900), "it is not a database"),
        (_foreign, "belongs to another program"),
        (_newer, "was written by a newer firstline"),
    ],
)
def test_what_is_no_journal_cannot_be_verified(tmp_path, make, why):
    make(tmp_path / "journal.db")
    report = verify(tmp_path / "journal.db")
    assert (report.state, why in report.why) == (State.UNVERIFIABLE, True), report
