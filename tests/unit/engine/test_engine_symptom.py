"""Which requests count as bad, and which figures as something that users notice."""

import polars as pl
import pytest
from frames import T0, metrics, minute, span, spans

from assistant.engine.normalise import normalise
from assistant.engine.symptom import met, symptoms
from assistant.engine.windows import INCIDENT

ONSET_S = 120


def judged(rows, samples=()):
    """Return the spans with their windows, and what is noticed."""
    cleaned = normalise(spans(rows)).spans
    onset_us = int(T0.timestamp()) * 1_000_000 + ONSET_S * 1_000_000
    placed = cleaned.with_columns(
        pl.when(pl.col("us") < onset_us)
        .then((pl.col("us") // 20_000_000) % 6)
        .otherwise(INCIDENT)
        .cast(pl.Int32)
        .alias("bucket")
    )
    figures = metrics(samples).with_columns(
        pl.when(pl.col("time").dt.epoch("us") < onset_us)
        .then(0)
        .otherwise(INCIDENT)
        .cast(pl.Int32)
        .alias("bucket")
    )
    return placed, symptoms(placed, figures, ())


def robot(count, at):
    return [
        span(f"r{at}-{i}", f"r{at}-{i}", "front", at=at + i / 5, ms=2.0, name="GET /admin",
             kind="server", status="error")
        for i in range(count)
    ]  # fmt: skip


def test_requests_that_always_fail_do_not_hide_the_ones_that_suffer():
    rows = [*minute(600, 0), *robot(600, 0)]
    rows += [*minute(100, ONSET_S, prefix="u", gap=150.0), *robot(400, ONSET_S)]
    placed, felt = judged(rows)
    assert felt.shifts[0].kind == "symptom_latency"
    assert len(felt.traces) >= 80
    assert not [trace for trace in felt.traces if trace.startswith("r")]
    assert met(placed, felt.traces, ["back"]) == {"back": 1.0}


def test_whom_traces_cannot_see_they_do_not_clear():
    placed, felt = judged([*minute(600, 0), *minute(100, ONSET_S, prefix="u", gap=150.0)])
    assert met(placed, felt.traces, ["front", "a-host-known-by-metrics"]) == {"front": 1.0}


def test_it_is_told_how_much_there_was_to_compare_with():
    _, felt = judged(minute(100, ONSET_S))
    assert (felt.requests, felt.before) == (100, 0)


@pytest.mark.parametrize(
    ("name", "noticed"),
    [
        ("http.server.request.duration.p95", True),
        ("http.server.request.duration.rate", False),
        ("jvm.gc.duration", False),
        ("db.client.connection.pool.wait.duration", False),
    ],
)
def test_a_figure_that_users_cannot_notice_is_no_symptom(name, noticed):
    values = [10.0, 11.0, 10.5, 10.2, 10.8, 10.1, 30.0, 31.0, 30.5]
    samples = [
        {"time": T0.replace(minute=i // 3, second=20 * (i % 3)), "service": "front", "name": name,
         "unit": "ms", "value": value}
        for i, value in enumerate(values)
    ]  # fmt: skip
    _, felt = judged([], samples)
    assert felt.felt is noticed


def handed(count, at, routes, **how):
    """Requests with one name that are handed on in turn to several routes."""
    rows = minute(count, at, prefix=f"t{at}-", **how)
    for i, row in enumerate(rows):
        if row["service"] == "back":
            row["name"] = routes[i // 3 % len(routes)]
    return rows


def test_a_renamed_callee_does_not_hide_that_all_requests_are_slower():
    rows = handed(600, 0, ["GET /a", "GET /b"])
    _, felt = judged([*rows, *handed(100, ONSET_S, ["GET /v2/a", "GET /v2/b"], gap=100.0)])
    assert [(s.kind, s.operation) for s in felt.shifts] == [
        ("symptom_latency", "GET /"), ("symptom_tail", "GET /")
    ]  # fmt: skip
    assert len(felt.traces) == 100


def test_where_one_of_two_routes_is_renamed_the_other_keeps_its_own_past():
    rows = handed(600, 0, ["GET /a", "GET /b"])
    _, felt = judged([*rows, *handed(100, ONSET_S, ["GET /a", "GET /v2/b"], gap=100.0)])
    found = {s.operation for s in felt.shifts}
    assert found == {"GET /", "GET / GET /a"}


def test_a_route_that_nobody_takes_any_more_is_not_compared_with_another():
    rows = handed(600, 0, ["GET /a", "GET /b"])
    _, felt = judged([*rows, *handed(100, ONSET_S, ["GET /a"])])
    assert not felt.felt


def paid(count, at, rate=5.0):
    return [
        span(f"p{at}-{i}", "r", "front", at=at + i / rate, ms=9, name="POST /pay", kind="server")
        for i in range(count)
    ]


def test_a_kind_of_request_that_is_not_sent_any_more_is_told():
    _, felt = judged([*minute(800, 0), *paid(600, 0)])
    (told,) = felt.stopped
    assert told.startswith(
        "no POST /pay requests to front were seen since 03:01:59 UTC, 600 before"
    )


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([*minute(600, 0), *paid(600, 0)], id="everything stops"),
        pytest.param([*minute(800, 0), *paid(780, 0)], id="its last seconds are under way"),
        pytest.param([*minute(800, 0), *paid(20, 0)], id="too few to tell"),
        pytest.param([*minute(800, 0), *paid(100, 50)], id="it has not long begun"),
        pytest.param(
            [*minute(800, 0), *(r for at in (0, 40, 80, 120) for r in paid(40, at))],
            id="it comes and goes",
        ),
    ],
)
def test_what_pauses_as_ever_has_not_stopped(rows):
    _, felt = judged(rows)
    assert felt.stopped == ()
