"""What people say of an answer, and what it does to what is written and remembered."""

from dataclasses import replace

import pytest
from acting import ANA, BEN
from written import NOON, finding, incident

from assistant.commands import CorrectCause, Rate
from assistant.domain.events import Closed, PostmortemWritten, Remembered
from assistant.domain.incident import IllegalEvent, apply
from assistant.domain.judgement import CauseCorrected, Rated
from assistant.domain.people import FIRSTLINE
from assistant.feedback import MOST, heard
from assistant.flow import Stage, due
from assistant.memory import document, learnt
from assistant.postmortem import postmortem

SAID = CauseCorrected(by=BEN, service="front", text="its cache was full")


def test_a_correction_is_of_a_component_that_was_seen_or_in_words():
    said = heard(
        CorrectCause(incident="INC-1", service="front", text="its  cache\nwas full"),
        BEN,
        incident(),
    )
    assert said == SAID
    long = heard(CorrectCause(incident="INC-1", text="x" * 999), BEN, incident())
    assert len(long.text) == MOST


@pytest.mark.parametrize(
    ("command", "actor", "state", "why"),
    [
        (CorrectCause(incident="INC-1"), BEN, incident(), "say which component"),
        (CorrectCause(incident="INC-1", service="moon"), BEN, incident(), "was not seen"),
        (CorrectCause(incident="INC-1", text="x"), FIRSTLINE, incident(), "only a person"),
        (Rate(incident="INC-1", good=True), FIRSTLINE, incident(), "only a person"),
        (Rate(incident="INC-1", good=True), BEN, replace(incident(), finding=None), "no answer"),
    ],
)
def test_what_is_not_recorded_says_why(command, actor, state, why):
    assert why in heard(command, actor, state)


def test_of_each_person_the_latest_word_counts():
    state = incident()
    for by, good in ((ANA, True), (BEN, True), (ANA, False)):
        state = apply(state, Rated(by=by, good=good))
    assert list(state.ratings.values()) == [False, True]


def test_nothing_is_judged_before_there_is_an_answer():
    with pytest.raises(IllegalEvent):
        apply(replace(incident(), finding=None), SAID)


def test_what_a_person_said_is_found_instead_of_what_the_engine_said():
    state = apply(incident(finding()), replace(SAID, public=True))
    assert learnt(state) == "front: its cache was full (corrected by a person)"
    page = document("INC-1", state)
    assert page.title == learnt(state)
    assert "Corrected by a person: front: its cache was full" in page.text
    later = apply(state, replace(SAID, text="", service="ledger"))
    assert learnt(later) == "it was in ledger (corrected by a person)"


def test_what_was_said_in_private_is_told_elsewhere_without_its_words():
    state = apply(incident(finding()), SAID)
    assert learnt(state) == "it was in front (corrected by a person)"
    alone = apply(state, replace(SAID, service=""))
    assert learnt(alone) == "something else, as was said there (corrected by a person)"
    assert "cache was full" in postmortem("INC-1", [], state, str)  # it is told where it was said


def test_the_postmortem_tells_it():
    state = apply(incident(finding()), SAID)
    told = postmortem("INC-1", [], state, str)
    assert "Corrected by ben: front: its cache was full" in told


def test_a_correction_after_the_end_is_written_and_remembered_anew():
    state = incident(finding())
    over = (Closed(by=BEN, at=NOON, reason="done"), PostmortemWritten(markdown="# x"),
            Remembered(runbook=None))  # fmt: skip
    for event in over:
        state = apply(state, event)
    assert due(state) is None
    state = apply(state, SAID)
    assert due(state) == (Stage.WRITE, None)
    state = apply(state, over[1])
    assert due(state) == (Stage.REMEMBER, None)
