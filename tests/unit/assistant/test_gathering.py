"""Asking through several sources at once: what fails is a gap, the rest is joined."""

import dataclasses
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from fakes import Answering, Failing, Silent, Telling

from assistant.clock import SystemClock
from assistant.commands import Investigate
from assistant.domain.events import ReadFailed, ReadPerformed
from assistant.flow import Sources
from assistant.gather import gather
from assistant.journal.sql import SqlJournal
from assistant.service import Service
from assistant.store.database import open_database
from bench.generator import generate
from connectors.api import FRAME_SCHEMAS, Capability, Change, Page, Window
from connectors.errors import Forbidden, Rejected, Unavailable
from connectors.recording import RecordingConnector, write_recording

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(start=NOW - timedelta(hours=1), end=NOW)


def change(ref, minutes=10, target="a"):
    return Change(
        at=NOW - timedelta(minutes=minutes),
        until=None,
        kind="deploy",
        target=target,
        ref=ref,
        actor=None,
        summary=f"deploy {ref}",
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A generated system and its folder."""
    made = generate(3, fault="exception", services=3, rps=2, minutes=8)
    folder = tmp_path_factory.mktemp("gathering") / "recording"
    write_recording(
        folder,
        title=made.title,
        source="made",
        window=made.window,
        spans=made.spans,
        logs=made.logs,
        metrics=made.metrics,
        changes=made.changes,
    )
    return made, folder


async def gathered(sources, window=WINDOW, **how):
    return await gather(sources, window, SystemClock(), **how)


@pytest.mark.parametrize("error", [Unavailable, Forbidden, Rejected])
async def test_each_way_to_fail_is_not_looked_at_and_the_others_go_on(recorded, error):
    made, folder = recorded
    window = Window(start=made.window.start, end=made.window.end + timedelta(seconds=1))
    sources = {
        "down": Failing(error("Nobody is there."), Capability.SPANS, Capability.METRICS),
        "recording": RecordingConnector(folder),
    }
    got = await gathered(sources, window)
    failed = [r for r in got.reads if isinstance(r, ReadFailed)]
    assert [(r.source, r.capability, r.reason) for r in failed] == [
        ("down", "metrics", "Nobody is there."),
        ("down", "spans", "Nobody is there."),
    ]
    done = {r.capability: r for r in got.reads if isinstance(r, ReadPerformed)}
    assert done["spans"].rows == got.telemetry.spans.height == made.spans.height
    assert done["logs"].rows == made.logs.height
    assert "spans.parquet where start >= " in done["spans"].query


@pytest.mark.parametrize("complete", [True, False])
async def test_spans_are_whole_where_no_source_of_them_failed_or_left_some_out(complete):
    page = Page(
        capability=Capability.SPANS,
        frame=pl.DataFrame(schema=FRAME_SCHEMAS[Capability.SPANS]),
        complete=complete,
        query="all",
    )
    sources = {"told": Answering(page, Capability.SPANS)}
    assert (await gathered(sources)).telemetry.spans_whole is complete
    down = Failing(Unavailable("Nobody is there."), Capability.SPANS)
    assert not (await gathered({**sources, "down": down})).telemetry.spans_whole
    down = Failing(Unavailable("Nobody is there."), Capability.LOGS)
    assert (await gathered({**sources, "down": down})).telemetry.spans_whole is complete


async def test_what_came_before_a_failure_is_not_taken_for_the_whole():
    page = Page(capability=Capability.CHANGES, changes=(change("half"),), query="all")
    source = Failing(Unavailable("It broke off."), Capability.CHANGES, page=page)
    got = await gathered({"half": source})
    assert got.telemetry.changes == ()
    assert not got.telemetry.changes_seen
    assert isinstance(got.reads[0], ReadFailed)


@pytest.mark.parametrize("error", [KeyError("token=s3cret"), ExceptionGroup("x", [OSError()])])
async def test_a_source_that_fails_as_none_should_is_not_looked_at_either(error):
    got = await gathered({"odd": Failing(error, Capability.SPANS), "told": Telling(change("r1"))})
    (failed,) = [r for r in got.reads if isinstance(r, ReadFailed)]
    assert failed.source == "odd"
    assert failed.reason == f"it failed: {type(error).__name__}; the log says more"
    assert [c.ref for c in got.telemetry.changes] == ["r1"]


@pytest.mark.parametrize(
    ("capability", "page", "reason"),
    [
        (
            Capability.SPANS,
            Page(capability=Capability.SPANS, frame=pl.DataFrame({"took": [1]}), query="all"),
            "spans must come in a frame of exactly the fixed schema",
        ),
        (
            Capability.CHANGES,
            Page(
                capability=Capability.CHANGES,
                changes=(dataclasses.replace(change("r2"), at=datetime(2026, 3, 1)),),  # noqa: DTZ001
                query="all",
            ),
            "a change's times must have a zone",
        ),
        (
            Capability.GRAPH,
            Page(capability=Capability.GRAPH, edges=((1, "b"),), query="all"),
            "the graph's edges are pairs of names",
        ),
        (Capability.LOGS, {"rows": []}, "it failed: AttributeError; the log says more"),
    ],
)
async def test_what_is_no_page_as_documented_is_not_looked_at(capability, page, reason):
    source = Answering(page, capability)
    got = await gathered({"odd": source, "told": Telling(change("r1"))})
    failed = [r for r in got.reads if isinstance(r, ReadFailed)]
    assert [(r.source, r.reason) for r in failed] == [("odd", reason)]
    assert [c.ref for c in got.telemetry.changes] == ["r1"]


async def test_a_source_that_never_answers_costs_no_more_than_the_deadline():
    clock = SystemClock()
    began = clock.monotonic()
    got = await gathered({"silent": Silent(), "told": Telling(change("r1"))}, deadline_s=0.3)
    assert clock.monotonic() - began < 5
    (failed,) = [r for r in got.reads if isinstance(r, ReadFailed)]
    assert failed.source == "silent"
    assert "no answer within" in failed.reason
    assert [c.ref for c in got.telemetry.changes] == ["r1"]


async def test_a_change_that_two_sources_tell_is_one_change():
    both = change("r1")
    elsewhere = dataclasses.replace(both, target="b")
    got = await gathered(
        {"one": Telling(both, change("r2", 5)), "two": Telling(elsewhere, both)},
    )
    told = [(c.ref, c.target) for c in got.telemetry.changes]
    assert sorted(told) == [("r1", "a"), ("r1", "b"), ("r2", "a")]


async def test_the_order_of_the_sources_changes_nothing(recorded):
    made, folder = recorded
    sources = {
        "b": Telling(change("r2"), change("r1"), edges=(("x", "y"), ("a", "b")), gaps=("late",)),
        "a": Telling(change("r1"), edges=(("a", "b"),)),
        "c": RecordingConnector(folder),
    }
    one = await gathered(sources, made.window)
    other = await gathered(dict(reversed(sources.items())), made.window)
    assert one.telemetry.changes == other.telemetry.changes
    assert one.telemetry.edges == other.telemetry.edges == (("a", "b"), ("x", "y"))
    assert one.telemetry.gaps == other.telemetry.gaps == ("late",)
    assert one.telemetry.spans.equals(other.telemetry.spans)
    assert [(r.source, r.capability) for r in one.reads] == [
        (r.source, r.capability) for r in other.reads
    ]


async def test_no_changes_is_told_apart_from_changes_not_looked_at():
    looked = await gathered({"told": Telling()})
    assert looked.telemetry.changes_seen
    assert not (await gathered({})).telemetry.changes_seen


async def test_an_investigation_of_nothing_but_failures_names_them_and_no_cause():
    down = {"down": Failing(Unavailable("The store is down."), *Capability)}
    service = Service(
        Sources(connectors=down, clock=SystemClock()),
        SqlJournal(open_database(None), SystemClock()),
    )
    incident = await service.investigate(Investigate(text="slow", at=NOW, horizon=NOW))
    assert incident.finding.verdict.value == "not_determined"
    assert incident.plan is None
    for kind in Capability:
        assert f"down {kind} were not looked at: The store is down." in incident.gaps
