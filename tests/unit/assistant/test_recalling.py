"""The runbook that fits a hypothesis, looked up in an index in memory."""

import pytest
from written import evidence, finding, hypothesis

from assistant.clock import SystemClock
from assistant.commands import Investigate
from assistant.domain.events import HypothesesRanked, RecallFailed
from assistant.domain.hypothesis import CauseType
from assistant.flow import LOOK_BACK, Sources, investigate
from assistant.recall import COLLECTION, documents, plan, query
from bench.generator import generate
from connectors.api import Window
from connectors.recording import RecordingConnector, write_recording
from retrieval.api import RetrievalError
from retrieval.index import open_index
from runbooks.parse import load_library

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
    sources = Sources(
        connectors={"recording": RecordingConnector(tmp_path / "recording")},
        search=ClosedIndex(),
        runbooks=LIBRARY,
    )
    at = made.cases[0].alert_at
    asked = Investigate(text="it fails", at=at, horizon=at)
    events = [event async for event in investigate(asked, sources, SystemClock())]
    assert isinstance(events[-2], HypothesesRanked)
    assert events[-1] == RecallFailed(reason="The index is held by another process.")
    scope = Window(start=events[1].start, end=events[1].end)
    assert scope == Window(start=at - LOOK_BACK, end=at)
