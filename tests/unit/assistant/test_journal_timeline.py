"""Every record as a sentence."""

from typing import get_args

import pytest
from happened import ANN, DESK, HISTORY, REDACTED, RESTORED, request
from written import NOON

from assistant.domain.events import Denied, Event, Opened
from assistant.domain.record import Record
from assistant.journal.timeline import sentence


def said(event, actor=ANN):
    return sentence(Record(seq=1, id="", at=NOON, actor=actor, incident="INC-1", event=event))


def test_every_event_has_a_sentence_of_its_own():
    sentences = {}
    for event in (*HISTORY, *DESK, RESTORED, REDACTED):
        line = said(event)
        assert line.isprintable()
        assert 10 < len(line) <= 240
        sentences.setdefault(line, set()).add(type(event))
    assert set().union(*sentences.values()) == set(get_args(Event))
    assert {line: kinds for line, kinds in sentences.items() if len(kinds) > 1} == {}


@pytest.mark.parametrize(
    "expected",
    [
        "Ann asked: booking fails",
        "store answered spans: 1500 rows in 0.4 s, not all there is",
        "store logs were not looked at: The store is down.",
        "likely cause: code error in ledger (90%), after v2",
        "it is like INC-0",
        "the runbook exception-in-new-release fits (71%)",
        "Ann said: not front",
        "Ann asked for rollback on service/ledger (request run): Roll ledger back from v2 to v1.",
        "Ben approved request run as it was shown",
        f"the action of request run was started as approved ({request('run').digest[:8]})",
        "the action of request run was done: ledger runs v1.",
        "the action of request lost turned out to have been done: It was done.",
        "nobody knows whether the action of request lost was done: the connection broke",
        "measured again after request run: recovered, errors are as before",
        "Ben tried to approve and was refused: not an approver",
        "Ben denied request denied: too early",
        "nobody decided on request late in time",
        "Ann froze all actions: a release",
        "Ann closed it: resolved",
        "it can be found from now on, with the runbook ledger-errors",
    ],
)
def test_sentences_say_what_people_want_to_know(expected):
    assert expected in {said(event) for event in (*HISTORY, *DESK)}


@pytest.mark.parametrize(
    "text", ["two\nlines\tof it", "\x1b[2Jgone", "right\u202eleft", "long " * 99]
)
def test_no_text_breaks_the_line_or_steers_the_terminal(text):
    line = said(Opened(at=NOON, text=text, service=None))
    assert line.isprintable()
    assert len(line) <= 240


def test_a_reason_that_was_not_given_leaves_no_trace():
    assert said(Denied(request="r1", by=ANN, reason="")) == "Ann denied request r1"
