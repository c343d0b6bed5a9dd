"""Telemetry at its most awkward, in the middle of a system that is otherwise well."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from frames import T0, logs, metrics, minute, span, spans
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.domain.hypothesis import Verdict
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry

ONSET = 60


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def ask(rows, *, lines=(), samples=(), end=ONSET + 20, **more):
    telemetry = Telemetry(spans=spans(rows), logs=logs(lines), metrics=metrics(samples))
    return diagnose(telemetry, Question(at=at(end), horizon=at(end), **more))


def quiet():
    return minute(300, 0)


def broken():
    return [*quiet(), *minute(90, ONSET, prefix="u", gap=150.0)]


MOMENTS = [
    datetime(1754, 8, 30, tzinfo=UTC), at(-4000), at(0), at(30), at(ONSET), at(ONSET + 5),
    at(ONSET + 19), datetime(2262, 1, 1, tzinfo=UTC), None,
]  # fmt: skip
SPANS = st.fixed_dictionaries(
    {
        "trace_id": st.sampled_from(["t1", "u1", "u2", "odd", "", None]),
        "span_id": st.sampled_from(["u1r", "u1c", "u1s", "x", "y", "", None]),
        "parent_span_id": st.sampled_from(["u1r", "u1c", "x", "y", "gone", "", None]),
        "service": st.sampled_from(["front", "back", "late", "", None]),
        "instance": st.sampled_from(["f-1", "b-1", "b-2", None]),
        "name": st.sampled_from(["GET /", "GET /back", "", "ü" * 300, None]),
        "kind": st.sampled_from(
            ["server", "client", "internal", "producer", "consumer", "?", None]
        ),
        "status": st.sampled_from(["error", "ok", "unset", None]),
        "version": st.sampled_from(["1", "2", None]),
        "peer": st.sampled_from(["back", "db", "", None]),
        "start": st.sampled_from(MOMENTS),
        "end": st.sampled_from(MOMENTS),
    }
)
LINES = st.fixed_dictionaries(
    {
        "time": st.sampled_from(MOMENTS),
        "service": st.sampled_from(["front", "back", "mute", "", None]),
        "severity": st.sampled_from(["INFO", "ERROR", "odd", None]),
        "body": st.sampled_from(["", "a 1", '"', "x" * 200_000, "7 " * 100_000, "\x00\n", None]),
        "trace_id": st.sampled_from(["t1", "u1", None]),
        "span_id": st.sampled_from(["t1r", "u1s", None]),
    }
)
SAMPLES = st.fixed_dictionaries(
    {
        "time": st.sampled_from(MOMENTS),
        "service": st.sampled_from(["front", "back", "db", None]),
        "instance": st.sampled_from(["b-1", None]),
        "name": st.sampled_from(["cpu", "memory", "queue", "latency.p95", None]),
        "unit": st.sampled_from(["1", "%", "{request}", "s", None]),
        "value": st.one_of(
            st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, None]), st.floats()
        ),
    }
)
GENTLE = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@GENTLE
@given(st.lists(SPANS, max_size=30), st.lists(LINES, max_size=8), st.lists(SAMPLES, max_size=20))
def test_rubbish_among_good_telemetry_gets_an_answer(rows, lines, samples):
    assert ask([*broken(), *rows], lines=lines, samples=samples).verdict in Verdict


@GENTLE
@given(st.lists(SPANS, max_size=30), st.sampled_from(MOMENTS[1:7]), st.sampled_from(MOMENTS[1:7]))
def test_a_told_onset_of_any_kind_gets_an_answer(rows, onset, until):
    finding = ask([*quiet(), *rows], onset=onset, until=until)
    assert finding.verdict in Verdict


@pytest.mark.parametrize("end", [-5000, 0, 1, ONSET, 100_000])
def test_a_window_in_which_nothing_happened_is_not_an_incident(end):
    finding = ask(quiet(), end=end)
    assert finding.verdict in (Verdict.HEALTHY, Verdict.NOT_DETERMINED)


def test_one_trace_alone_is_too_little():
    finding = ask(minute(1, ONSET))
    assert finding.verdict is Verdict.NOT_DETERMINED
    assert any("requests were seen" in gap for gap in finding.gaps)


def test_one_trace_of_thousands_of_spans_in_a_chain_is_too_little():
    rows = [
        span("t", str(i), f"part{i % 5}", at=i / 50, ms=3, parent=str(i - 1) if i else None)
        for i in range(4_000)
    ]
    assert ask(rows).verdict is Verdict.NOT_DETERMINED


def letters(number):
    return "".join(chr(97 + int(digit)) for digit in str(number))


@pytest.mark.parametrize("own", [str, letters])
def test_a_fault_is_found_among_thousands_of_operations_that_ran_once(own):
    rows = broken()
    rows += [
        span(f"n{i}", "r", "front", at=i / 80, ms=5, name=f"GET /{own(i)}", kind="server")
        for i in range(6_000)
    ]
    finding = ask(rows)
    first = finding.hypotheses[0]
    assert (first.service, first.peer) == ("back", "front")
    assert any("6002 names of operations" in gap for gap in finding.gaps)


def test_a_fault_is_found_among_lines_of_which_no_two_are_alike():
    words = [letters(i * 7919) for i in range(6_000)]
    lines = [
        {"time": at(i / 75), "service": "back", "severity": "INFO", "body": f"{word} {word[::-1]}"}
        for i, word in enumerate(words)
    ]
    assert ask(broken(), lines=lines).hypotheses[0].service == "back"


def test_a_fault_is_found_beside_lines_of_200_kb():
    lines = [
        {
            "time": at(i),
            "service": "front",
            "severity": "INFO",
            "body": f"{i} " + "at f(7), " * 22_000,
        }
        for i in range(ONSET)
    ]
    assert ask(broken(), lines=lines).hypotheses[0].service == "back"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_samples_that_are_no_numbers_are_no_evidence(value):
    samples = [
        {"time": at(i), "service": "back", "name": "cpu", "unit": "1",
         "value": 0.1 if i < ONSET else value}
        for i in range(ONSET + 20)
    ]  # fmt: skip
    assert ask(quiet(), samples=samples, end=ONSET).verdict is Verdict.HEALTHY
    finding = ask(broken(), samples=samples)
    assert not [e for e in finding.evidence if e.kind == "resource_saturation"]


def test_clocks_of_the_year_1754_do_not_hide_a_fault():
    stray = [
        {**span(f"s{i}", "r", "front", at=0, ms=5), "start": MOMENTS[0], "end": MOMENTS[0]}
        for i in range(9)
    ]
    assert ask([*broken(), *stray]).hypotheses[0].service == "back"


def test_a_component_that_began_with_the_fault_has_an_answer_though_nothing_is_known_of_it():
    rows = quiet()
    for i in range(90):
        rows += minute(1, ONSET + i / 5, prefix=f"u{i}", failing=True)
        rows.append(
            span(f"u{i}0", "n", "newborn", at=ONSET + i / 5, ms=4, parent=f"u{i}0s", status="error")
        )
    finding = ask(rows)
    assert finding.verdict in Verdict
    assert finding.hypotheses


EDGE_TIMES = [datetime(1754, 1, 1, tzinfo=UTC), at(5), at(60), datetime(2262, 1, 1, tzinfo=UTC)]
RUBBISH = st.fixed_dictionaries(
    {
        "trace_id": st.sampled_from(["a", "b", None]),
        "span_id": st.sampled_from(["1", "2", "3"]),
        "parent_span_id": st.sampled_from(["1", "2", "9", None]),
        "service": st.sampled_from(["x", "y", None]),
        "name": st.sampled_from(["op", None, "ü" * 300]),
        "kind": st.sampled_from(["server", "client", "odd", None]),
        "status": st.sampled_from(["error", "ok", None]),
        "start": st.sampled_from([*EDGE_TIMES, None]),
        "end": st.sampled_from([*EDGE_TIMES, None]),
    }
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RUBBISH, max_size=12), st.integers(0, 3), st.floats())
def test_rubbish_gets_an_answer_or_a_gap(rows, kind, value):
    lines = [
        {"time": at(5), "service": "x", "severity": None, "body": "y" * 200_000, "trace_id": "a"},
        {"time": EDGE_TIMES[0], "service": None, "body": None},
    ]
    samples = [
        {"time": at(i), "service": "x", "name": "cpu", "value": value if i == kind else 0.1}
        for i in range(8)
    ]
    finding = ask(rows, lines=lines[:kind], samples=samples[: 2 * kind], end=90)
    assert finding.verdict in Verdict
