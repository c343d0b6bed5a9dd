"""The course of a cited fact: what it counts, since when, and the sentence that says it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from frames import T0, frame, logs, metrics, minute, span, spans

from assistant.domain.evidence import Evidence, Stance, Subject
from assistant.domain.hypothesis import (
    BlamedChange,
    CauseType,
    Finding,
    Hypothesis,
    InnocentChange,
    Verdict,
)
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from assistant.engine.series import MOST_POINTS, panels, shown
from connectors.api import SPANS, Change

ONSET = 300  # seconds after T0


def after(seconds):
    return T0 + timedelta(seconds=seconds)


def record(kind, *, service="back", metric=None, **more):
    subject = Subject(
        service=service, **{k: more.pop(k) for k in ("operation", "peer", "instance") if k in more}
    )
    fields = {
        "id": "E1",
        "stance": Stance.FOR,
        "statement": "",
        "metric": metric or kind,
        "unit": "ms",
        "before": 1.0,
        "after": 2.0,
        "n_before": 9,
        "n_after": 9,
        "strength": 0.5,
    }
    return Evidence(kind=kind, subject=subject, **{**fields, **more})


def finding(*evidence, verdict=Verdict.LIKELY, **more):
    """A finding whose first hypothesis rests on every record that is no symptom."""
    hypothesis = Hypothesis(
        rank=1,
        service="back",
        instance=None,
        peer=None,
        operation=None,
        type=CauseType.CODE,
        cause="slow_code",
        score=1.0,
        confidence=0.9,
        parts={},
        supports=tuple(e.id for e in evidence if not e.kind.startswith("symptom")),
        contradicts=(),
        affected=(),
    )
    known = {"onset": after(ONSET), "change": None, "innocent_changes": ()}
    return Finding(
        verdict=verdict,
        why_verdict="",
        hypotheses=(hypothesis,),
        ruled_out=(),
        evidence=evidence,
        gaps=(),
        **{**known, **more},
    )


def change(ref, at, kind="deploy"):
    return Change(
        at=after(at), until=None, kind=kind, target="back", ref=ref, actor=None, summary=""
    )


def told(**frames):
    return replace(Telemetry.empty(), **frames)


def slow_way():
    rows = minute(1500, 0) + minute(300, ONSET, prefix="u", gap=80.0)
    return told(spans=spans(rows))


def levels(series):
    """Return the smallest and the largest value before, and those since the onset."""
    split = [[], []]
    for moment, value in zip(series.times, series.values, strict=True):
        split[moment >= series.onset].append(value)
    return [round(v, 3) for part in split for v in (min(part), max(part))]


def test_users_and_cause_are_drawn_with_the_figures_of_the_card():
    telemetry = slow_way()
    at = after(ONSET + 60)
    said = diagnose(telemetry, Question(at=at, horizon=at))
    felt, cause = panels(telemetry, said)
    by_id = {e.id: e for e in said.evidence}
    assert by_id[felt.evidence].kind == "symptom_latency"
    assert by_id[cause.evidence].kind == "edge_gap_shift"
    assert cause.evidence == said.hypotheses[0].supports[0]
    for series in (felt, cause):
        assert (series.before, series.after) == (
            by_id[series.evidence].before,
            by_id[series.evidence].after,
        )
    low, _, _, high = levels(cause)
    assert (low, high) == pytest.approx((2.0, 80.0), abs=0.1)


def test_no_bin_holds_some_of_before_and_of_after():
    said = finding(record("edge_gap_shift", service="front", operation="GET /back", peer="back"))
    (series,) = panels(slow_way(), said)
    offsets = {
        (t - series.onset).total_seconds() % series.step_s - series.step_s / 2 for t in series.times
    }
    assert offsets == {0.0}
    assert levels(series) == pytest.approx([2.0, 2.0, 80.0, 80.0], abs=0.1)


def test_an_hour_of_telemetry_is_a_picture_of_few_points_with_enough_of_before():
    rows = minute(3600, 0, rate=1.0) + minute(600, 3600, prefix="u", rate=1.0, gap=80.0)
    said = finding(
        record("edge_gap_shift", service="front", operation="GET /back", peer="back"),
        onset=after(3600),
    )
    (series,) = panels(told(spans=spans(rows)), said)
    assert len(series.times) <= MOST_POINTS
    assert series.times[0] - after(3600 - 1200) < timedelta(seconds=2 * series.step_s)
    assert len(series.values) == len(series.times)


def test_the_order_of_rows_changes_nothing():
    telemetry = slow_way()
    rows = telemetry.spans.to_dicts()
    rows = rows[1::2] + rows[::2]
    said = finding(
        record("symptom_latency", service="front", operation="GET /"),
        record("self_time_shift", id="E2", operation="GET /back"),
    )
    assert panels(telemetry, said) == panels(replace(telemetry, spans=frame(rows, SPANS)), said)


def test_shares_of_requests_and_of_executions_are_counted_per_bin():
    rows = minute(600, 180) + minute(100, ONSET, prefix="u", failing=True)
    said = finding(
        record("symptom_errors", service="front", operation="GET /", unit="share"),
        record("error_origin", id="E2", operation="GET /back", unit="share"),
    )
    for series in panels(told(spans=spans(rows)), said):
        assert levels(series) == [0.0, 0.0, 1.0, 1.0]


def calling(trace, at, calls):
    rows = [span(trace, f"{trace}r", "back", at=at, ms=50, name="POST /", kind="server")]
    rows += [
        span(trace, f"{trace}{i}", "back", at=at + 0.001 * i, ms=1, parent=f"{trace}r",
             name="SELECT", kind="client", peer="store")
        for i in range(calls)
    ]  # fmt: skip
    return rows


@pytest.mark.parametrize(
    ("kind", "unit", "expected"),
    [
        ("calls_multiplied", "calls", [0.0, 0.0, 6.0, 6.0]),
        ("call_added", "share", [0.0, 0.0, 1.0, 1.0]),
    ],
)
def test_calls_of_an_operation_are_counted_or_their_share_is(kind, unit, expected):
    rows = [r for i in range(240) for r in calling(f"t{i}", i, 0)]
    rows += [r for i in range(60) for r in calling(f"u{i}", ONSET + i, 6)]
    said = finding(record(kind, operation="POST /", metric="SELECT → store", unit=unit))
    (series,) = panels(told(spans=spans(rows)), said)
    assert levels(series) == expected
    assert "POST /" in series.title
    assert "SELECT" in series.title


def line(at, body, **more):
    return {"time": after(at), "service": "back", "severity": "INFO", "body": body, **more}


def test_a_line_is_a_share_of_the_executions_that_could_write_it():
    rows = minute(600, 180) + minute(100, ONSET, prefix="u")
    said = finding(record("new_template", operation="GET /back", unit="share",
                          metric="pool is empty"))  # fmt: skip
    lines = [
        line(ONSET + i / 5, "pool is empty", trace_id=f"u{i}", span_id=f"u{i}s")
        for i in range(0, 100, 2)
    ]
    (series,) = panels(told(spans=spans(rows), logs=logs(lines)), said)
    low0, high0, low1, high1 = levels(series)
    assert (low0, high0) == (0.0, 0.0)
    assert 0.3 < low1 <= high1 < 0.7


def test_lines_that_know_no_execution_are_a_share_of_such_lines():
    lines = [line(i, "started") for i in range(ONSET + 60)]
    lines += [line(ONSET + i, "retrying now") for i in range(60)]
    said = finding(record("new_template", operation="(any)", unit="share", metric="retrying now"))
    (series,) = panels(told(logs=logs(lines)), said)
    assert levels(series) == [0.0, 0.0, 0.5, 0.5]
    assert "(any)" not in series.title


def test_complaints_are_counted_per_execution():
    rows = minute(600, 180) + minute(100, ONSET, prefix="u")
    lines = [line(ONSET + i / 5, "broken", severity="ERROR") for i in range(100)]
    said = finding(record("error_lines", unit="lines per execution"))
    (series,) = panels(told(spans=spans(rows), logs=logs(lines)), said)
    assert levels(series) == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=0.15)


def test_of_several_samples_with_one_name_the_one_that_moved_is_shown():
    samples = [
        {"time": after(at), "service": "back", "instance": instance, "name": "cpu", "unit": "1",
         "value": value, "labels": json.dumps({"state": state})}
        for at in range(0, ONSET + 60, 5)
        for instance, state, value in (
            ("b-1", "user", 0.2 if at < ONSET else 0.9),
            ("b-1", "system", 0.1),
            ("b-2", "user", 0.3),
        )
    ]  # fmt: skip
    said = finding(record("resource_saturation", instance="b-1", metric="cpu", unit="1",
                          before=0.2, after=0.9))  # fmt: skip
    (series,) = panels(told(metrics=metrics(samples)), said)
    assert levels(series) == [0.2, 0.2, 0.9, 0.9]
    assert series.step_s >= 5


def test_the_blamed_change_is_told_from_the_innocent_and_from_those_far_away():
    blamed = BlamedChange(ref="back-42", kind="deploy", target="back", at=after(290), why="",
                          likelihood_ratio=6.0, evidence="E7")  # fmt: skip
    innocent = tuple(InnocentChange(ref=f"f-{i}", why="", evidence=f"E1{i}") for i in range(5))
    changes = [change(f"f-{i}", 100 + 40 * i, "flag") for i in range(5)]
    telemetry = replace(slow_way(), changes=(change("back-42", 290), *changes, change("old", 200)))
    said = finding(
        record("edge_gap_shift", service="front", operation="GET /back", peer="back"),
        change=blamed,
        innocent_changes=innocent,
    )
    (series,) = panels(telemetry, said)
    assert [(m.label, m.blamed, m.evidence) for m in series.marks] == [
        ("flag f-2", False, "E12"),
        ("flag f-3", False, "E13"),
        ("flag f-4", False, "E14"),
        ("deploy back-42", True, "E7"),
    ]


def test_the_sentence_says_what_the_picture_shows():
    blamed = BlamedChange(ref="back-42", kind="deploy", target="back", at=after(290), why="",
                          likelihood_ratio=6.0, evidence="E7")  # fmt: skip
    said = finding(
        record("symptom_latency", service="front", operation="GET /", before=38.2, after=412.0),
        change=blamed,
    )
    (series,) = panels(replace(slow_way(), changes=(change("back-42", 290),)), said)
    assert series.alt == (
        "Line chart of E1: mean time of requests to front GET /, 38 ms before, "
        "412 ms after the onset at 03:05:00 UTC; "
        "deploy back-42 at 03:04:50 UTC, blamed (E7)."
    )


def test_without_a_cause_only_what_users_notice_is_drawn():
    said = finding(
        record("symptom_latency", service="front", operation="GET /"),
        record("self_time_shift", id="E2", operation="GET /back"),
        verdict=Verdict.NOT_DETERMINED,
        onset=None,
    )
    (series,) = panels(slow_way(), said)
    assert (series.evidence, series.onset) == ("E1", None)


def test_a_record_without_data_gives_way_to_the_next():
    said = finding(
        record("self_time_shift", operation="no such operation"),
        record("peer_contrast", id="E2"),
        record("self_time_shift", id="E3", operation="GET /back"),
    )
    assert [s.evidence for s in panels(slow_way(), said)] == ["E3"]


def test_where_nothing_has_a_course_nothing_is_drawn():
    assert panels(Telemetry.empty(), finding(record("self_time_shift", operation="x"))) == ()
    assert panels(slow_way(), finding(record("no_change"))) == ()


def test_one_broken_clock_does_not_stretch_the_picture():
    rows = minute(1500, 0) + minute(300, ONSET, prefix="u", gap=80.0)
    rows.append(span("z", "zz", "front", at=10**9, ms=1, name="GET /"))
    said = finding(record("symptom_latency", service="front", operation="GET /"))
    (series,) = panels(told(spans=spans(rows)), said)
    assert series.times[-1] <= after(ONSET + 25 * 3600)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", "plain"),
        ("two\nlines\tand  spaces", "two lines and spaces"),
        ("a\u202eb\u200bc\x00d\ud800", "abcd"),
        ("x" * 10_000, "x" * 29 + "…" + "x" * 30),
    ],
)
def test_text_from_telemetry_is_one_short_line_that_only_shows(text, said):
    assert shown(text) == said
