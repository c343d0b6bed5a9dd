"""Records as CloudEvents and OCSF: each keeps what makes it findable here."""

import json
import re

import pytest
from happened import DESK, HISTORY, Ticking, happen

from assistant.journal.export import lines
from assistant.journal.foreign import cloudevent, ocsf
from assistant.journal.sql import SqlJournal
from assistant.store.database import open_database


@pytest.fixture(scope="module")
def database():
    opened = open_database(None)
    journal = SqlJournal(opened, Ticking())
    happen(journal)
    happen(journal, DESK, "")
    yield opened
    opened.close()


def test_every_record_is_a_cloudevent(database):
    told = [json.loads(line) for line in lines(database, None, cloudevent)]
    assert len(told) == len(HISTORY) + len(DESK)
    for event in told:
        assert event["specversion"] == "1.0"
        assert all(event[name] for name in ("id", "source", "type", "time", "subject"))
        assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event)
    assert len({(event["source"], event["id"]) for event in told}) == len(told)
    assert told[0]["type"] == "dev.firstline.Opened"
    assert told[0]["data"]["text"] == "booking fails"
    assert [event["sequence"] for event in told] == sorted(event["sequence"] for event in told)


def test_every_record_is_an_api_activity_of_ocsf(database):
    told = [json.loads(line) for line in lines(database, None, ocsf)]
    for event in told:
        required = {"activity_id", "actor", "api", "category_uid", "class_uid", "metadata",
                    "severity_id", "src_endpoint", "time", "type_uid"}  # fmt: skip
        assert required <= event.keys()
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"] > 600_300
        assert event["time"] > 1_700_000_000_000
        assert event["metadata"]["product"]["name"] == "firstline"
    by_type = {event["api"]["operation"]: event for event in told}
    assert by_type["Refused"]["status_id"] == 2
    assert by_type["ActionStarted"]["actor"]["user"]["uid"]
    assert by_type["ActionUnknown"]["severity_id"] > by_type["Opened"]["severity_id"]


def test_one_incident_can_be_told_alone(database):
    assert len(list(lines(database, "", ocsf))) == len(DESK)
