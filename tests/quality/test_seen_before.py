"""Recorded runs of the example shop: which of them memory takes for the same fault.

One run is remembered at a time, and all the others ask. Only another run of the same fault at the
same place may be told that it was seen before.
"""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from assistant.domain.events import Closed, HypothesesRanked, Opened
from assistant.domain.incident import apply
from assistant.domain.people import FIRSTLINE
from assistant.evaluate.diagnosis import outcomes
from assistant.memory import INCIDENTS, document, similar
from connectors.recording import open_recording
from retrieval.index import open_index

RECORDINGS = sorted((Path(__file__).parents[1] / "fixtures" / "recordings").iterdir())
SAME = {"cpu-contention-6": "cpu-contention-7", "cpu-contention-7": "cpu-contention-6"}
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def incidents():
    """Every run as an incident that was diagnosed and closed."""
    states = {}
    for folder in RECORDINGS:
        (outcome,) = asyncio.run(outcomes(open_recording(folder), given=False))
        at = outcome.case.alert_at
        state = apply(None, Opened(at=at, text=outcome.case.symptom, service=None))
        state = apply(state, HypothesesRanked(finding=outcome.finding, seconds=0.0))
        states[folder.name] = apply(state, Closed(by=FIRSTLINE, at=at + SECOND, reason="over"))
    return states


@pytest.fixture(scope="module", params=[True, False], ids=["meaning and words", "words only"])
def index(request):
    opened = open_index(None, embed=request.param)
    yield opened
    opened.close()


def asked(index, incidents, name):
    latest = max(state.opened.at for state in incidents.values()) + SECOND
    return similar(index, incidents.get, incidents[name].finding, latest)


def test_only_the_same_fault_at_the_same_place_was_seen_before(index, incidents):
    for remembered, state in incidents.items():
        page = document(remembered, state)
        index.sync(INCIDENTS, [page] if page else [])
        told = {
            name: [s.incident for s in asked(index, incidents, name)]
            for name in incidents
            if name != remembered
        }
        expected = {n: [remembered] if SAME.get(n) == remembered else [] for n in told}
        assert told == expected


def test_among_all_of_them_each_finds_itself_first(index, incidents):
    pages = [document(name, state) for name, state in incidents.items()]
    index.sync(INCIDENTS, [page for page in pages if page])
    for name, page in zip(incidents, pages, strict=True):
        found = [s.incident for s in asked(index, incidents, name)]
        assert found == ([name] + ([SAME[name]] if name in SAME else []) if page else [])


def test_another_run_of_a_fault_says_what_is_the_same_and_what_is_not(index, incidents):
    index.sync(INCIDENTS, [document("cpu-contention-6", incidents["cpu-contention-6"])])
    (found,) = asked(index, incidents, "cpu-contention-7")
    instance = incidents["cpu-contention-6"].finding.hypotheses[0].instance
    assert found.score > 0.75
    assert "only one instance is hit" in found.same
    assert f"the instance was {instance}" in found.differed
    assert (found.action, found.runbook, found.seconds) == (None, None, None)
