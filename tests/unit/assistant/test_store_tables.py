"""Buttons, deliveries and messages: what survives a restart beside the history."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from assistant import commands as c
from assistant.store.buttons import Buttons
from assistant.store.database import StoreError, open_database
from assistant.store.inbox import Inbox
from assistant.store.messages import Messages, Sent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = c.RequestAction(incident="I", action="restart", args={"n": 2, "all": True, "name": "x"})
COMMANDS = (
    c.Investigate(text="it fails", at=NOON, labels={"team": "a"}, fingerprint="f"),
    c.AlertEnded(at=NOON, fingerprint="f"),
    c.Steer(incident="I", text="not the database", zone="Europe/Berlin"),
    c.Stop(incident="I"),
    c.GoOn(incident="I"),
    c.RequestStep(incident="I", step=1),
    RUN,
    c.RequestUndo(incident="I", request="r"),
    c.Approve(incident="I", request="r", digest="d"),
    c.Deny(incident="I", request="r", reason="no"),
    c.Close(incident="I"),
    c.Reopen(incident="I"),
    c.Move(incident="I", place="C1", shown="#inc-001"),
    c.SharePostmortem(incident="I", upto=9, kept=(7, 9)),
    c.Merge(incident="I", into="J"),
    c.Split(incident="I", text="mail", place="p"),
    c.AcceptRunbook(incident="I", digest="d"),
    c.RejectRunbook(incident="I", digest="d"),
    c.Move(incident="I", place="C1", shown="#inc"),
    c.SharePostmortem(incident="I", upto=9, kept=(1, 2)),
    c.CorrectCause(incident="I", service="ledger"),
    c.Rate(incident="I", good=True),
    c.Freeze(reason="a release"),
    c.Thaw(),
    c.SeeEvidence(incident="I", page=2),
    c.SeePlan(incident="I"),
    c.SeeRequest(incident="I", request="r"),
    c.AskCause(incident="I"),
)


@pytest.fixture(params=["file", "memory"])
def path(request, tmp_path):
    return tmp_path / "store.db" if request.param == "file" else None


@pytest.fixture
def database(path):
    opened = open_database(path)
    yield opened
    opened.close()


def test_every_command_comes_back_from_its_button(database):
    buttons = Buttons(database)
    tokens = {buttons.token(command, "I"): command for command in COMMANDS}
    assert {type(command) for command in COMMANDS} == set(get_args(c.Pressable))
    assert len(tokens) == len(COMMANDS)
    assert {token: buttons.command(token) for token in tokens} == tokens


def test_a_command_has_one_button_in_an_incident(database):
    buttons = Buttons(database)
    token = buttons.token(RUN, "I")
    turned = replace(RUN, args=dict(reversed(RUN.args.items())))
    assert buttons.token(turned, "I") == token
    assert buttons.token(RUN, "J") != token
    assert buttons.token(replace(RUN, args={**RUN.args, "all": 1}), "I") != token


def test_a_button_that_was_not_made_here_stands_for_nothing(database):
    buttons = Buttons(database)
    token = buttons.token(c.Thaw(), "")
    assert len(token) == 40
    assert buttons.command(token[:-1] + ("0" if token[-1] != "0" else "1")) is None
    assert buttons.command("") is None


def test_a_button_of_a_newer_firstline_is_one_sentence(database):
    with database.transaction() as connection:
        connection.execute("INSERT INTO button VALUES ('t', '', ?)", (b'{"Teleport":{}}',))
    with pytest.raises(StoreError, match="a button of this incident cannot be read"):
        Buttons(database).command("t")


def test_a_delivery_is_claimed_once_even_when_it_is_done(database):
    inbox = Inbox(database)
    assert inbox.claim("a", b"body", NOON)
    assert not inbox.claim("a", b"again", NOON)
    inbox.done("a")
    assert not inbox.claim("a", b"again", NOON)


def test_what_was_not_finished_is_found_in_order(database):
    inbox = Inbox(database)
    for key in ("c", "a", "b"):
        inbox.claim(key, key.encode(), NOON)
    inbox.done("a")
    assert inbox.unfinished() == [("c", b"c"), ("b", b"b")]


def test_a_message_is_ambiguous_until_it_is_known_to_be_sent(database):
    messages = Messages(database)
    assert messages.get("I/card") is None
    messages.intend("I/card", "C1", None, "d1")
    new = Sent(channel="C1", ts=None, thread=None, digest="d1", state="ambiguous")
    assert messages.get("I/card") == new
    messages.sent("I/card", "17.1", "d1")
    assert messages.get("I/card") == replace(new, ts="17.1", state="sent")
    messages.intend("I/card", "C1", None, "d2")
    assert messages.get("I/card") == replace(new, ts="17.1", digest="d2")


def test_all_messages_by_their_slot(database):
    messages = Messages(database)
    messages.intend("b", "C1", "17.0", "d")
    messages.intend("a", "C2", None, "d")
    messages.sent("a", "17.2", "e")
    assert messages.all() == {
        "b": Sent(channel="C1", ts=None, thread="17.0", digest="d", state="ambiguous"),
        "a": Sent(channel="C2", ts="17.2", thread=None, digest="e", state="sent"),
    }


def test_a_message_that_nobody_intended_was_not_sent(database):
    with pytest.raises(StoreError, match="no message was intended for a"):
        Messages(database).sent("a", "17.1", "d")
