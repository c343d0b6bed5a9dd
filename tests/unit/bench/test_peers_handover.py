"""What is handed to the methods: their documented shape, and nothing that they may not see."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from assistant.engine.question import Question, Telemetry
from bench.peers.handover import BASELINE, cut_of, hand_over
from connectors.api import LOGS, METRICS, SPANS, Window

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def moment(at):
    return NOON + timedelta(seconds=at)


def frame(rows, schema):
    return pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema)


def span(service, at, *, name="do", took=0.2, status=None):
    return {
        "trace_id": f"t{at}", "span_id": f"{service}{at}{name}", "service": service, "name": name,
        "start": moment(at), "end": moment(at + took), "status": status,
    }  # fmt: skip


def telemetry(spans=(), logs=(), metrics=()):
    return Telemetry(
        spans=frame(spans, SPANS), logs=frame(logs, LOGS), metrics=frame(metrics, METRICS)
    )


def question(*, onset=None, until=None, at=2000, known=()):
    return Question(
        at=moment(at),
        horizon=moment(at if until is None else until),
        onset=None if onset is None else moment(onset),
        until=None if until is None else moment(until),
        known_incidents=tuple(Window(start=moment(a), end=moment(b)) for a, b in known),
    )


@pytest.fixture
def shown(tmp_path):
    def show(seen, asked):
        hand_over(tmp_path / "case", seen, asked)
        told = json.loads((tmp_path / "case" / "case.json").read_text())
        tables = {
            path.stem: pl.read_parquet(path) for path in (tmp_path / "case").glob("*.parquet")
        }
        return told, tables

    return show


def seconds_of(cells):
    return [(cell - int(NOON.timestamp()) * 1_000_000) // 1_000_000 for cell in cells]


def test_the_baseline_is_what_lies_nearest_outside_every_incident():
    rows = [span("a", at) for at in range(0, 3000, 10)]
    asked = question(onset=1500, until=1600, known=[(1500, 1650), (1300, 1400)])
    cells = seconds_of(cut_of(telemetry(spans=rows), asked).cells)
    assert len(cells) * 10 == BASELINE.total_seconds()
    assert not [at for at in cells if 1300 <= at < 1400 or 1500 <= at < 1650]
    assert (cells[0], cells[-1]) == (1130, 1970)
    before = cut_of(telemetry(spans=rows), question(onset=1500, until=1600, known=[(1600, 3000)]))
    assert seconds_of(before.cells) == list(range(900, 1500, 10))
    short = cut_of(telemetry(spans=rows), asked, timedelta(minutes=2))
    assert len(short.cells) == 12


def test_without_an_onset_the_two_minutes_before_the_alert_are_the_incident():
    rows = [span("a", at) for at in range(0, 2000, 10)]
    cut = cut_of(telemetry(spans=rows), question(at=2000))
    assert cut.inject == int(moment(1880).timestamp()) * 1_000_000
    assert seconds_of(cut.cells) == list(range(1280, 1880, 10))


def test_the_baseline_ends_before_the_moment_that_is_told(shown):
    rows = [span(name, at) for name in ("cart", "pay") for at in range(0, 3000, 10)]
    told, tables = shown(telemetry(spans=rows), question(onset=1500, until=1600))
    traces = tables["traces"]
    ends = traces["startTime"] + traces["duration"]
    assert traces.height == 2 * (60 + 10)
    assert (ends < told["inject_us"]).sum() == 2 * 60
    assert traces["startTime"].max() == told["inject_us"] + 90_000_000
    assert sorted(told["services"].values()) == ["cart", "pay"]
    assert set(traces["serviceName"]) == set(told["services"])


def test_an_operation_that_was_never_seen_before_is_left_out(shown):
    rows = [span("cart", at) for at in range(0, 1600, 10)]
    rows += [span("cart", at, name="new") for at in range(1500, 1600, 10)]
    _, tables = shown(telemetry(spans=rows), question(onset=1500, until=1600))
    assert tables["traces"]["methodName"].n_unique() == 1


def test_metrics_have_a_row_a_second_and_keep_their_last_value(shown):
    rows = [
        {"time": moment(at), "service": "cart", "name": "cpu", "value": float(at)}
        for at in range(0, 1600, 60)
    ]
    told, tables = shown(telemetry(metrics=rows), question(onset=1500, until=1600))
    metrics = tables["metrics"]
    assert metrics.columns[0] == "time"
    (column,) = metrics.columns[1:]
    assert column.count("_") == 1
    during = metrics.filter(pl.col("time") * 1_000_000 >= told["inject_us"])
    assert during.height == 100
    assert during[column].unique().sort().to_list() == [1500.0, 1560.0]
    assert metrics.filter(pl.col("time") * 1_000_000 < told["inject_us"])[column].max() == 1440.0


def test_log_lines_are_counted_by_template_in_steps_of_fifteen_seconds(shown):
    rows = [
        {"time": moment(at), "service": "cart", "body": f"stored order {at}"}
        for at in range(0, 1600, 5)
    ]
    rows += [
        {"time": moment(at), "service": "cart", "body": "cannot reach the bank"}
        for at in range(1500, 1600, 5)
    ]
    told, tables = shown(telemetry(logs=rows), question(onset=1500, until=1600))
    counts = tables["logts"]
    assert counts.width == 3
    assert counts["time"].diff().drop_nulls().mode().to_list() == [15]
    during = counts.filter(pl.col("time") * 1_000_000 >= told["inject_us"])
    assert [during[name].sum() for name in during.columns[1:]] == [20.0, 20.0]
    before = counts.filter(pl.col("time") * 1_000_000 < told["inject_us"])
    assert min(before[name].sum() for name in before.columns[1:]) == 0.0


def test_failed_spans_are_a_series_and_empty_telemetry_is_no_error(shown):
    rows = [span("cart", at) for at in range(0, 1500, 10)]
    rows += [span("cart", at, status="error") for at in range(1500, 1600, 10)]
    _, tables = shown(telemetry(spans=rows), question(onset=1500, until=1600))
    assert tables["tracets_err"].select(pl.exclude("time")).sum().row(0) == (10.0,)
    assert tables["logts"].columns == ["time"]


def test_a_case_without_any_telemetry_is_handed_over(shown):
    told, tables = shown(telemetry(), question())
    assert told["services"] == {}
    assert tables["traces"].is_empty()
