"""The runbook that fits a hypothesis, looked up in an index in memory."""

from dataclasses import replace

import pytest
from written import BLAMED, evidence, finding, hypothesis

from assistant.clock import SystemClock
from assistant.commands import Investigate
from assistant.domain.events import HypothesesRanked, RecallFailed
from assistant.domain.hypothesis import CauseType
from assistant.flow import LOOK_BACK, Sources
from assistant.journal.sql import SqlJournal
from assistant.recall import COLLECTION, documents, entities, plan, query
from assistant.recollection import Reading
from assistant.service import Service
from assistant.store.database import open_database
from bench.generator import generate
from connectors.recording import RecordingConnector, write_recording
from retrieval.api import RetrievalError
from retrieval.index import open_index
from runbooks.parse import load_library, parse_runbook

LIBRARY = {runbook.id: runbook for runbook in load_library()}


@pytest.fixture(scope="module")
def index():
    opened = open_index(None, embed=False)
    opened.sync(COLLECTION, documents(LIBRARY.values()))
    yield opened
    opened.close()


def one(cause, fact, **more):
    return finding(
        hypotheses=(hypothesis(cause=cause, **more),), evidence=(evidence(1, fact),), change=None,
        innocent_changes=(), ruled_out=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "fact", "page"),
    [
        ("tls_failure", "ledger writes the new line “x509: certificate expired”", "tls-failure"),
        ("added_calls", "ledger makes the call SELECT 1 → 30 times per execution", "added-calls"),
        ("memory_pressure", "ledger: memory is 200 MiB → 900 MiB", "memory-pressure"),
        ("dns_failure", "ledger writes the new line “no such host”", "dns-failure"),
        ("pool_exhaustion", "ledger writes “timeout waiting for a connection”", "connection-pool"),
        # Words that speak for another page do not outweigh the cause.
        ("disk_pressure", "certificate verify failed, x509 handshake failure", "disk-full"),
    ],
)
def test_the_page_of_the_cause_is_proposed(index, cause, fact, page):
    found = plan(index, LIBRARY, one(cause, fact))
    assert found.runbook.startswith(page)
    assert cause in LIBRARY[found.runbook].applies_to
    assert 0 <= found.match <= 1
    assert found.steps


def test_one_instance_of_several_has_its_own_page(index):
    fact = "ledger: processor time of ledger-2 is 20 % → 97 %"
    alone = plan(index, LIBRARY, one("cpu_saturation", fact, instance="ledger-2"))
    assert alone.runbook == "cpu-contention-one-instance"
    assert "ledger-2" in " ".join(f"{s.text} {s.command}" for s in alone.steps)


def test_a_cause_that_no_page_is_about_gets_none(index):
    assert plan(index, LIBRARY, one("gremlins", "no space left on device")) is None


def test_a_slow_way_is_told_from_the_callers_side(index):
    fact = "calls from front to ledger wait 1 ms → 80 ms on the way"
    found = plan(
        index, LIBRARY, one("slow_edge", fact, type=CauseType.NETWORK, peer="front")
    )  # fmt: skip
    assert found.runbook == "slow-edge"
    assert "calls from front by callee. Only ledger should" in found.steps[0].text
    assert not [s for s in found.steps if "{{ service }}" in s.text or "{{ peer }}" in s.text]


def test_names_of_the_system_are_not_looked_for():
    asked = query(
        one("code_error", "errors begin in ledger of ledger-2 and reach front",
            instance="ledger-2", affected=("front",)),
        hypothesis(instance="ledger-2", affected=("front",)),
    )  # fmt: skip
    assert "ledger" not in asked.text
    assert "front" not in asked.text
    assert asked.labels == {"cause": ("code_error",)}


class ClosedIndex:
    """An index that cannot be used, as a locked folder or a server that is away."""

    def search(self, query):
        raise RetrievalError("The index is held by another process.")


async def test_a_search_that_fails_is_an_event_after_the_answer(tmp_path):
    made = generate(3, fault="exception", services=3, rps=2, minutes=20)
    write_recording(
        tmp_path / "recording",
        title=made.title,
        source="made",
        window=made.window,
        spans=made.spans,
        logs=made.logs,
        changes=made.changes,
    )
    clock = SystemClock()
    sources = Sources(
        connectors={"recording": RecordingConnector(tmp_path / "recording")},
        clock=clock,
        found=Reading(ClosedIndex(), LIBRARY),
    )
    journal = SqlJournal(open_database(None), clock)
    at = made.cases[0].alert_at
    asked = Investigate(text="it fails", at=at, horizon=at)
    incident = await Service(sources, journal).investigate(asked)
    events = [record.event for record in journal.records()]
    assert isinstance(events[-2], HypothesesRanked)
    assert events[-1] == RecallFailed(reason="The index is held by another process.")
    assert incident.window == (at - LOOK_BACK, at)


LEARNT = """---
id: ledger-code-error-inc-{n}
title: ledger raises errors
summary: Taking the change back helped.
applies_to: [code_error]
services: [{services}]
symptoms: [bookings fail, errors begin in ledger]
owners: [ana]
reviewed: 2026-03-01
made_from: INC-{n}
---

## Steps

1. **check** — Look.

2. **action** — Take it back.

   action: `rollback_deploy` service=ledger change={{{{ change }}}}

   no rollback: deploy it again.

3. **verify** — Look again.
"""


def learnt(n, services="ledger"):
    text = LEARNT.format(n=n, services=services)
    runbook = parse_runbook(text, f"ledger-code-error-inc-{n}.md")
    return {runbook.id: runbook}


def test_what_an_incident_here_has_taught_comes_before_the_shipped_pages(index):
    found = plan(index, LIBRARY | learnt(9) | learnt(10), finding())
    assert found.runbook == "ledger-code-error-inc-10"
    assert found.why[0] == "made from INC-10, which recovered by it"
    assert found.steps[1].args == (("change", "v2"), ("service", "ledger"))


@pytest.mark.parametrize(
    ("services", "more"),
    [
        ("front", {}),  # taught elsewhere
        ("ledger", {"cause": "slow_code"}),  # taught by another cause
        ("ledger, front", {}),  # about a way, and this is no way
        ("ledger", {"type": CauseType.NETWORK, "peer": "front"}),  # a way, and it is about one end
    ],
)
def test_what_was_taught_elsewhere_is_not_proposed(index, services, more):
    library = LIBRARY | learnt(1, services)
    index.sync(COLLECTION, documents(library.values()))
    found = plan(index, library, finding(hypotheses=(hypothesis(**more),)))
    assert found is None or found.runbook in LIBRARY


def test_a_learnt_page_whose_action_cannot_be_filled_in_gives_way(index):
    found = plan(index, LIBRARY | learnt(1), finding(change=None))
    assert found.runbook in LIBRARY


def test_a_fact_in_strange_words_does_not_hide_the_page_of_its_cause(index):
    line = (
        "ledger writes “zeta omicron epsilon upsilon lambda sigma theta kappa omega iota chi psi”"
    )
    found = plan(index, LIBRARY, one("code_error", line))
    assert found.runbook == "exception-in-new-release"


@pytest.mark.parametrize(
    ("kind", "offered"), [("deploy", ["rollback_deploy"]), ("flag", ["set_flag", "set_flag"])]
)
def test_only_the_action_for_its_kind_is_offered_to_take_a_change_back(index, kind, offered):
    change = replace(BLAMED, ref="a-change", kind=kind)
    found = plan(
        index, LIBRARY, replace(one("added_calls", "ledger makes the call 30 times"), change=change)
    )
    steps = [s for s in found.steps if s.action in ("rollback_deploy", "set_flag")]
    assert [s.action for s in steps if s.ready] == offered
    assert len(steps) > len(offered)


def test_a_page_about_a_way_is_proposed_for_this_way_from_either_end(index):
    way = hypothesis(service="ledger", peer="front", type=CauseType.NETWORK)
    found = plan(index, LIBRARY | learnt(1, "front, ledger"), finding(hypotheses=(way,)))
    assert found.runbook == "ledger-code-error-inc-1"


def test_the_release_is_read_from_a_reference_that_names_the_service():
    change = replace(BLAMED, ref="ledger@2.1.7")
    known = entities(finding(change=change), hypothesis())
    assert (known["change"], known["version"]) == ("ledger@2.1.7", "2.1.7")
    assert entities(finding(), hypothesis())["version"] == "v2"
    assert "version" not in entities(finding(change=replace(BLAMED, kind="flag")), hypothesis())
