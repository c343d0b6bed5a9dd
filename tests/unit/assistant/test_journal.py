"""The journal: what is appended is what is read, in order, and once."""

import hashlib
import json
from typing import get_args

import pytest
from happened import ANN, BEN, DESK, HISTORY, REDACTED, RESTORED, Ticking, happen, started
from written import NOON

from assistant.domain.events import Event, Opened, ReadFailed, RecallFailed
from assistant.domain.people import FIRSTLINE
from assistant.journal.api import AlreadyIntended, BrokenRecord, JournalError
from assistant.journal.codec import EVENTS
from assistant.journal.sql import SqlJournal
from assistant.store.database import StoreError, open_database
from assistant.store.tagged import Unreadable

OPENED = Opened(at=NOON, text="checkout fails", service=None)


@pytest.fixture
def database():
    opened = open_database(None)
    yield opened
    opened.close()


@pytest.fixture
def journal(database):
    return SqlJournal(database, Ticking())


def stored(database, query, *values):
    with database.reading() as connection:
        return connection.execute(query, values).fetchall()


def test_what_an_older_firstline_wrote_is_read_as_before():
    older = b'{"Opened":{"at":"2026-03-01T12:00:00Z","text":"checkout fails","service":null}}'
    assert EVENTS.decode(older).key is None


def test_the_history_has_an_example_of_every_event():
    assert {type(event) for event in (*HISTORY, *DESK, RESTORED, REDACTED)} == set(get_args(Event))


def test_what_was_appended_is_what_is_read(journal):
    written = happen(journal) + happen(journal, DESK, "")
    assert list(journal.records()) == written
    assert [record.event for record in written] == [*HISTORY, *DESK]
    assert [record.seq for record in written] == list(range(1, len(written) + 1))
    assert len({record.id for record in written}) == len(written)
    assert {record.actor for record in written} == {FIRSTLINE, ANN, BEN}


def test_each_incident_has_its_own_records(journal):
    happen(journal, [OPENED], "INC-2")
    happen(journal, DESK, "")
    happen(journal, [OPENED], "INC-1")
    happen(journal, [RecallFailed(reason="locked")], "INC-2")
    assert journal.incidents() == ["INC-2", "INC-1"]
    assert [record.seq for record in journal.records("INC-2")] == [1, 5]
    assert [record.event for record in journal.records("")] == list(DESK)
    assert list(journal.records("INC-9")) == []


def test_more_records_than_one_page_are_read(journal):
    journal.append("INC-1", FIRSTLINE, [OPENED, *[RecallFailed(reason="x")] * 600])
    assert [record.seq for record in journal.records("INC-1")] == list(range(1, 602))
    assert [record.seq for record in journal.records()] == list(range(1, 602))


def test_every_envelope_names_the_hash_of_the_one_before(database, journal):
    assert journal.head() == (0, "0" * 64)
    happen(journal)
    prev = "0" * 64
    for env, h, salt, body in stored(
        database, "SELECT env, h, salt, body FROM entry JOIN payload USING (seq) ORDER BY seq"
    ):
        said = json.loads(env)
        assert said["prev"] == prev
        assert hashlib.sha256(b"\x00" + env).digest() == h
        assert hashlib.sha256(salt + body).hexdigest() == said["payload_commit"]
        prev = h.hex()
    assert journal.head() == (len(HISTORY), prev)


def test_an_envelope_says_which_request_it_is_about(database, journal):
    happen(journal)
    said = [json.loads(env) for (env,) in stored(database, "SELECT env FROM entry ORDER BY seq")]
    run = [(env["type"], env["plan_sha256"]) for env in said if env["subject"] == "run"]
    digest = started("run").digest
    assert run == [
        ("ActionRequested", digest),
        ("Approved", digest),
        ("ActionStarted", digest),
        ("ActionFinished", ""),
        ("Verified", ""),
    ]
    assert said[0]["subject"] == said[0]["plan_sha256"] == ""


def test_time_never_goes_backwards(database):
    journal = SqlJournal(database, Ticking(10, 5, 20))
    happen(journal, [OPENED, RecallFailed(reason="x"), RecallFailed(reason="y")])
    assert [(record.at - NOON).total_seconds() for record in journal.records()] == [10, 10, 20]


def test_an_action_is_started_once(journal):
    happen(journal)
    before = journal.head()
    intent = ("run", started("run").digest)
    with pytest.raises(AlreadyIntended, match="request run was started before"):
        journal.append("INC-1", FIRSTLINE, [started("run")], intent=intent)
    assert journal.head() == before


@pytest.mark.parametrize(
    ("events", "intent"),
    [
        ([started("run")], None),
        ([started("run")], ("run", "another digest")),
        ([started("run"), started("lost")], ("run", started("run").digest)),
        ([OPENED], ("run", started("run").digest)),
    ],
)
def test_a_start_and_its_intent_come_together(journal, events, intent):
    with pytest.raises(JournalError, match="exactly its own intent"):
        journal.append("INC-1", FIRSTLINE, events, intent=intent)
    assert journal.head() == (0, "0" * 64)


@pytest.mark.parametrize("table", ["entry", "payload", "intent"])
@pytest.mark.parametrize("change", ["UPDATE {} SET seq = seq + 100", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_was_written(database, journal, table, change):
    happen(journal)
    refused = pytest.raises(StoreError, match=f"what was written to {table} is never")
    with refused, database.transaction() as connection:
        connection.execute(change.format(table))
    assert len(list(journal.records())) == len(HISTORY)


def test_nothing_is_written_when_one_event_cannot_be(journal):
    with pytest.raises(JournalError, match="RecallFailed cannot be written"):
        journal.append("INC-1", FIRSTLINE, [OPENED, RecallFailed(reason="\ud800")])
    assert list(journal.records()) == []


def test_a_changed_record_is_not_read_and_nothing_follows_it(database, journal):
    happen(journal, [OPENED, RecallFailed(reason="locked")])
    with database.transaction() as connection:
        connection.execute("DROP TRIGGER payload_unchanged")
        connection.execute("UPDATE payload SET salt = zeroblob(16) WHERE seq = 2")
    with pytest.raises(BrokenRecord, match=r"record 2 \(.*\): its event is not the one"):
        list(journal.records("INC-1"))
    with database.transaction() as connection:
        connection.execute("DROP TRIGGER entry_unchanged")
        connection.execute("UPDATE entry SET env = CAST(env || ' ' AS BLOB) WHERE seq = 2")
    with pytest.raises(BrokenRecord, match="record 2"):
        happen(journal, [RecallFailed(reason="late")])


def test_an_event_of_a_newer_firstline_is_named():
    with pytest.raises(Unreadable, match="nothing is called Teleported here"):
        EVENTS.decode(b'{"Teleported":{}}')


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_what_would_not_read_back_is_refused(journal, seconds):
    failed = ReadFailed(source="store", capability="logs", seconds=seconds, reason="down")
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append("INC-1", FIRSTLINE, [failed])
