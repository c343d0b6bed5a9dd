"""Incidents that were seen before: found where it is the same fault, and nowhere else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from solved import ANA, FIRST_SEQ, fold, renewed, story
from written import BLAMED, FACTS, NOON, evidence, finding, hypothesis

from assistant.domain.events import (
    PostmortemWritten,
    Remembered,
    Reopened,
    RunbookAccepted,
    RunbookDrafted,
    RunbookRejected,
)
from assistant.domain.hypothesis import CauseType, Verdict
from assistant.domain.incident import apply
from assistant.domain.judgement import CauseCorrected
from assistant.flow import Stage, due
from assistant.lesson import draft_of
from assistant.memory import INCIDENTS, document, remember, similar
from assistant.recall import COLLECTION, plan
from retrieval.api import Query
from retrieval.index import open_index
from runbooks.model import RunbookError
from runbooks.parse import load_library
from runbooks.shelf import Shelf

LATER = NOON + timedelta(days=1)
SHIPPED = load_library()


@pytest.fixture(scope="module")
def index():
    opened = open_index(None, embed=False)
    yield opened
    opened.close()


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "runbooks")


def ended(found=None, decided=None, **more):
    """Return an incident that is over; its runbook was accepted, rejected or is undecided."""
    records = story(found, **more)
    state = fold(records)
    draft = draft_of("INC-7", records, state)
    if draft is None:
        return state
    state = apply(state, RunbookDrafted(draft=draft))
    if decided is True:
        state = apply(state, RunbookAccepted(digest=draft.digest, by=ANA))
    if decided is False:
        state = apply(state, RunbookRejected(digest=draft.digest, by=ANA, reason="no"))
    return state


def asked(index, incidents, found, opened=LATER):
    return similar(index, incidents.get, found, opened)


def test_an_empty_memory_has_seen_nothing(index):
    index.sync(INCIDENTS, [])
    assert asked(index, {}, finding()) == ()


def test_an_incident_whose_draft_nobody_decides_on_is_remembered_and_its_runbook_when_accepted(
    index, shelf
):
    state = apply(ended(), PostmortemWritten(markdown="# x"))
    assert due(state) == (Stage.REMEMBER, None)
    assert remember(index, shelf, "INC-7", {"INC-7": state}, ()) is None
    state = apply(state, Remembered(runbook=None))
    assert due(state) is None
    assert not state.over  # the draft waits
    (found,) = asked(index, {"INC-7": state}, finding())
    assert (found.incident, found.runbook) == ("INC-7", None)
    state = apply(state, RunbookAccepted(digest=state.draft.digest, by=ANA))
    assert due(state) == (Stage.REMEMBER, None)
    runbook = remember(index, shelf, "INC-7", {"INC-7": state}, ())
    state = apply(state, Remembered(runbook=runbook))
    assert (due(state), state.over) == (None, True)
    (found,) = asked(index, {"INC-7": state}, finding())
    assert found.runbook == runbook == state.draft.runbook


def test_a_draft_that_is_rejected_later_leaves_the_incident_remembered():
    state = apply(ended(), PostmortemWritten(markdown="# x"))
    state = apply(state, Remembered(runbook=None))
    state = apply(state, RunbookRejected(digest=state.draft.digest, by=ANA, reason="no"))
    assert (due(state), state.over) == (None, True)


def test_a_draft_that_cannot_be_made_holds_up_no_remembering():
    state = apply(fold(story()), PostmortemWritten(markdown="# x"))
    assert due(state) == (Stage.DRAFT, None)
    assert due(state, {(Stage.DRAFT, None)}) == (Stage.REMEMBER, None)


def test_the_same_fault_under_other_names_was_seen_before(index, shelf):
    incidents = {"INC-7": ended(decided=True)}
    learnt = remember(index, shelf, "INC-7", incidents, ())
    (found,) = asked(index, incidents, renewed(finding(), "v9"))
    assert (found.incident, found.runbook, found.at) == ("INC-7", learnt, NOON)
    assert found.title == "ledger raises errors of its own"
    assert found.action == "Roll ledger back to v1"
    assert found.seconds == 72 + 11  # finished, and seen to have helped
    assert 0.9 < found.score <= 1
    assert "the same operation, POST /book" in found.same
    assert found.differed == ("the deploy was v2",)


@pytest.mark.parametrize(
    "other",
    [
        hypothesis("front"),
        hypothesis(cause="slow_code"),
        hypothesis(cause="slow_edge", type=CauseType.NETWORK, peer="front"),
        # The same cause in the same service, and nothing else: another matter.
        hypothesis(operation="GET /balance", supports=("E5",), instance="ledger-1"),
    ],
    ids=["service", "cause", "way", "everything else"],
)
def test_another_fault_was_not_seen_before(index, shelf, other):
    incidents = {"INC-7": ended()}
    remember(index, shelf, "INC-7", incidents, ())
    found = finding(hypotheses=(other,), change=None, evidence=(*FACTS[2:], *FACTS[:1]))
    assert asked(index, incidents, found) == ()


def test_a_way_is_only_like_the_same_way(index, shelf):
    def way(caller):
        gap = evidence(1, f"calls from {caller} to ledger wait", kind="edge_gap_shift")
        found = hypothesis(cause="slow_edge", type=CauseType.NETWORK, peer=caller, operation=None)
        return finding(hypotheses=(found,), evidence=(gap, *FACTS[1:]), change=None)

    incidents = {"INC-7": ended(way("front"))}
    remember(index, shelf, "INC-7", incidents, ())
    assert [s.incident for s in asked(index, incidents, way("front"))] == ["INC-7"]
    assert asked(index, incidents, way("mobile")) == ()


@pytest.mark.parametrize("verdict", [Verdict.HEALTHY, Verdict.NOT_DETERMINED])
def test_without_a_cause_nothing_is_kept_and_nothing_is_asked(index, shelf, verdict):
    incidents = {"INC-7": ended()}
    remember(index, shelf, "INC-7", incidents, ())
    assert asked(index, incidents, finding(verdict)) == ()
    assert document("INC-8", ended(finding(verdict))) is None


def test_only_what_is_over_and_began_earlier_counts(index, shelf):
    state = ended()
    remember(index, shelf, "INC-7", {"INC-7": state}, ())
    assert asked(index, {"INC-7": state}, finding(), opened=NOON) == ()  # itself, asked again
    reopened = apply(state, Reopened(by=ANA, at=LATER, reason="it came back"))
    assert asked(index, {"INC-7": reopened}, finding()) == ()
    assert asked(index, {}, finding()) == ()  # the journal does not know it any more


def test_what_was_closed_without_a_cure_is_found_without_one(index, shelf):
    incidents = {"INC-7": ended(solved=False)}
    assert remember(index, shelf, "INC-7", incidents, ()) is None
    (found,) = asked(index, incidents, finding())
    assert (found.action, found.runbook, found.seconds) == (None, None, None)


def test_the_more_alike_comes_first_and_many_others_do_not_hide_it(index, shelf):
    many = {
        f"INC-{100 + n}": replace(
            ended(finding(hypotheses=(hypothesis(f"store{n}"),))), remembered=True
        )
        for n in range(60)
    }
    weaker = finding(hypotheses=(hypothesis(operation="GET /balance"),))
    incidents = {**many, "INC-6": replace(ended(weaker), remembered=True), "INC-7": ended()}
    remember(index, shelf, "INC-7", incidents, ())
    found = asked(index, incidents, finding())
    assert [s.incident for s in found] == ["INC-7", "INC-6"]
    assert "it was GET /balance" in found[1].differed


def test_an_accepted_runbook_is_found_and_proposed_next_time(index, shelf):
    incidents = {"INC-7": ended(decided=True)}
    learnt = remember(index, shelf, "INC-7", incidents, SHIPPED)
    once = sorted(p.stat().st_mtime_ns for p in (shelf.folder).iterdir())
    assert remember(index, shelf, "INC-7", incidents, SHIPPED) == learnt
    assert sorted(p.stat().st_mtime_ns for p in (shelf.folder).iterdir()) == once
    known = {r.id: r for r in (*SHIPPED, *shelf.all())}
    assert index.status().documents == len(known) + 1
    proposed = plan(index, known, renewed(finding(), "v9"))
    assert proposed.runbook == learnt
    assert proposed.why[0] == "made from INC-7, which recovered by it"
    assert len(proposed.steps) < min(len(r.steps) for r in SHIPPED if "code_error" in r.applies_to)
    (action,) = [s for s in proposed.steps if s.kind == "action"]
    assert action.args == (("change", "v9"), ("service", "ledger"))


@pytest.mark.parametrize("decided", [None, False])
def test_a_draft_that_nobody_accepted_is_not_used(index, shelf, decided):
    incidents = {"INC-7": ended(decided=decided)}
    assert remember(index, shelf, "INC-7", incidents, ()) is None
    assert shelf.all() == ()
    found = index.search(Query(text="ledger raises errors", collection=COLLECTION))
    assert found == []


def test_a_draft_that_is_not_what_was_accepted_is_refused(index, shelf):
    state = ended(decided=True)
    swapped = replace(state.draft, markdown=state.draft.markdown + "\nmore\n")
    with pytest.raises(RunbookError, match="not the text that was accepted"):
        remember(index, shelf, "INC-7", {"INC-7": replace(state, draft=swapped)}, ())
    assert shelf.all() == ()


def test_a_runbook_is_drafted_from_what_helped_and_says_where_it_comes_from():
    records = story()
    draft = draft_of("INC-7", records, fold(records))
    by_seq = {r.seq: type(r.event).__name__ for r in records}
    assert [[by_seq[n] for n in step] for step in draft.provenance] == [
        ["HypothesesRanked"],
        ["ActionRequested", "Approved", "ActionStarted", "ActionFinished"],
        ["Verified"],
        ["ActionRequested"],
    ]
    assert min(n for step in draft.provenance for n in step) > FIRST_SEQ
    assert "normal is 0 %, it was 29 % and 0 % after the action" in draft.markdown
    assert "## What did not help" in draft.markdown
    assert "Restart ledger-9f3. The symptom is as large as before" in draft.markdown
    assert draft == draft_of("INC-7", records, fold(records))


@pytest.mark.parametrize(
    "records",
    [story(solved=False), story(finding(Verdict.NOT_DETERMINED)), story()[:-1]],
    ids=["no cure", "no cause", "not over"],
)
def test_nothing_is_taught_without_a_cause_a_cure_and_an_end(records):
    assert draft_of("INC-7", records, fold(records)) is None


def test_no_runbook_is_drafted_from_a_cause_that_a_person_refuted():
    said = CauseCorrected(by=ANA, service="front", text="its cache was full")
    assert draft_of("INC-7", story(), apply(fold(story()), said)) is None


def test_the_change_is_left_open_in_what_is_taught():
    assert BLAMED.ref == "v2"
    draft = draft_of("INC-7", story(), fold(story()))
    assert "action: `rollback_deploy` change={{ change }} service=ledger" in draft.markdown
    assert "action: `redeploy` service=ledger version={{ version }}" in draft.markdown
