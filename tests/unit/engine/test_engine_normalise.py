"""Dirty spans become clean ones, and what was repaired is said."""

from datetime import timedelta

import polars as pl
import pytest
from frames import request, span, spans
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("ahead_s", [0.02, 0.2, 5, -5])
def test_an_answer_by_a_clock_that_is_off_is_still_waited_for(ahead_s):
    rows = [row for i in range(10) for row in request(f"t{i}", i, gap=2.0, work=5.0)]
    for row in rows[2::3]:
        row["start"] += timedelta(seconds=ahead_s)
        row["end"] += timedelta(seconds=ahead_s)
    traces = normalise(spans(rows))
    assert roles(traces)["t0s"] == "entry"
    own = dict(traces.spans.select("span_id", "self_ms").iter_rows())
    assert (own["t0c"], own["t0s"]) == (2.0, 5.0)
    assert traces.gaps == (
        "clocks differ between front and back: 10 spans were moved into the calls they answer",
    )


def test_an_answer_that_begins_within_its_call_says_nothing_of_clocks():
    assert normalise(spans(request("t", 0))).gaps == ()


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


def test_spans_that_are_cut_to_an_hour_are_told():
    rows = [*request("t", 0), span("s", "s", "front", at=0, ms=2 * 3_600_000, name="stream")]
    assert normalise(spans(rows)).gaps == (
        "1 span lasts more than an hour, and counted as an hour",
    )


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


def test_an_operation_has_one_number_and_no_other_has_it():
    said = normalise(spans([row for i in range(5) for row in request(f"t{i}", i)])).spans
    numbers = said.select("op", "service", "name").unique()
    assert numbers["op"].n_unique() == numbers.height == 3


def test_parents_in_a_circle_do_no_harm():
    rows = [
        span("t", "a", "x", at=0, ms=5, parent="b"),
        span("t", "b", "y", at=0, ms=5, parent="a"),
    ]
    assert normalise(spans(rows)).spans.height == 2


IDS = st.sampled_from(["a", "b", "c", "d", None])
TREES = st.lists(
    st.fixed_dictionaries(
        {
            "trace_id": st.sampled_from(["one", "two"]),
            "span_id": IDS,
            "parent_span_id": IDS,
            "service": st.sampled_from(["x", "y"]),
            "instance": st.sampled_from(["i", "j", None]),
            "kind": st.sampled_from(["server", "client", None]),
            "status": st.sampled_from(["ok", "error", None]),
        }
    ),
    max_size=12,
)


@pytest.mark.parametrize("shared", [True, False])
@settings(max_examples=40, deadline=None)
@given(rows=TREES)
def test_parents_and_children_are_those_that_a_walk_over_the_spans_finds(shared, rows):
    """Whether ids of spans are told apart by their traces only, or are of one span each."""
    if not shared:
        rows = [{**r, "span_id": r["trace_id"] + str(r["span_id"])} for r in rows]
        rows = [
            {**r, "parent_span_id": r["parent_span_id"] and r["trace_id"] + r["parent_span_id"]}
            for r in rows
        ]
    made = [{**span(None, None, "", at=i, ms=5), **row} for i, row in enumerate(rows)]
    said = normalise(spans(made)).spans
    first = {(r["trace_id"], r["span_id"]): i for i, r in reversed(list(enumerate(rows)))}
    kept = [rows[i] for i in sorted(first.values())]
    by_id = {(r["trace_id"], r["span_id"]): i for i, r in enumerate(kept)}
    for i, row in enumerate(kept):
        up = row["parent_span_id"]
        parent = None if up is None else by_id.get((row["trace_id"], up))
        assert said["parent"][i] == parent
    for i in range(len(kept)):
        below = said.filter(said["parent"] == i)
        assert said["child_failed"][i] == bool(below["failed"].fill_null(value=False).any())
        remote = below.filter("remote")
        assert said["callee_instance"][i] == (remote["instance"][0] if remote.height else None)


@pytest.mark.parametrize("turn", [1, -1], ids=["as sent", "backwards"])
def test_the_order_of_rows_decides_nothing(turn):
    rows = request("t", 0)
    # The call was answered by one instance, then asked again of another; a span came twice, ended.
    rows.append({**rows[2], "span_id": "ts2", "instance": "b-2", "start": rows[2]["end"]})
    rows[-1]["end"] = rows[1]["end"]
    rows.append({**rows[0], "status": "error", "end": rows[1]["end"]})
    found = normalise(spans(rows[::turn])).spans
    seen = {row["span_id"]: row for row in found.iter_rows(named=True)}
    assert seen["tc"]["callee_instance"] == "b-1"
    assert seen["tr"]["failed"] is True
