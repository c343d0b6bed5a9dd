"""Dirty spans become clean ones, and what was repaired is said."""

import polars as pl
from frames import request, span, spans

from assistant.engine.normalise import normalise


def roles(traces):
    return dict(traces.spans.select("span_id", "role").iter_rows())


def test_entries_calls_and_callees_are_recognised_by_kind():
    traces = normalise(spans(request("t", 0)))
    assert roles(traces) == {"tr": "entry", "tc": "call", "ts": "entry"}
    assert traces.spans.filter(pl.col("role") == "call")["callee"].to_list() == ["back"]


def test_a_call_is_recognised_without_kinds_by_where_it_leads():
    rows = [{**row, "kind": None, "peer": None} for i in range(3) for row in request(f"t{i}", i)]
    traces = normalise(spans(rows))
    calls = traces.spans.filter(pl.col("role") == "call")
    assert calls["name"].unique().to_list() == ["GET /back"]
    assert calls["callee"].unique().to_list() == ["back"]


def test_the_time_of_children_is_not_the_parents_own():
    traces = normalise(spans(request("t", 0, gap=2.0, work=5.0)))
    own = dict(traces.spans.select("span_id", "self_ms").iter_rows())
    assert own == {"tr": 3.0, "tc": 2.0, "ts": 5.0}


def test_a_callee_whose_clock_is_off_counts_inside_its_caller():
    rows = request("t", 0, gap=2.0, work=5.0)
    rows[2] = span("t", "ts", "back", at=-90, ms=5, parent="tc", kind="server")
    own = dict(normalise(spans(rows)).spans.select("span_id", "self_ms").iter_rows())
    assert own["tc"] == 2.0


def test_duplicates_and_impossible_spans_are_dropped_and_told():
    rows = [row for i in range(10) for row in request(f"t{i}", i)]
    backwards = span("x", "x1", "back", at=5, ms=-30)
    traces = normalise(spans([*rows, *rows[:6], backwards]))
    assert traces.spans.height == len(rows)
    assert any("end before the start" in gap for gap in traces.gaps)
    assert any("received twice" in gap for gap in traces.gaps)


def test_orphans_are_told():
    rows = [span(f"t{i}", "b", "back", at=i, ms=5, parent="gone") for i in range(10)]
    (gap,) = normalise(spans(rows)).gaps
    assert gap.startswith("10 of 10 spans have a parent that was not received")


def test_an_error_begins_where_no_child_failed():
    traces = normalise(spans(request("t", 0, failing=True)))
    origin = dict(traces.spans.select("span_id", "origin").iter_rows())
    assert origin == {"tr": False, "tc": False, "ts": True}


def test_work_that_nobody_waits_for_takes_no_time_off_its_sender():
    rows = [
        span("t", "r", "front", at=0, ms=10, kind="server"),
        span("t", "q", "worker", at=1, ms=500, parent="r", kind="consumer"),
    ]
    traces = normalise(spans(rows))
    assert roles(traces) == {"r": "entry", "q": "async"}
    assert traces.spans.filter(pl.col("span_id") == "r")["self_ms"].item() == 10.0


def test_parents_in_a_circle_do_no_harm():
    rows = [
        span("t", "a", "x", at=0, ms=5, parent="b"),
        span("t", "b", "y", at=0, ms=5, parent="a"),
    ]
    assert normalise(spans(rows)).spans.height == 2
