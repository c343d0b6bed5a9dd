"""Systems that tell of their users by metrics alone."""

from datetime import timedelta

import polars as pl
from frames import T0, metrics

from assistant.domain.hypothesis import CauseType, Verdict
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry

GRAPH = (("web", "orders"), ("orders", "stock"), ("web", "search"))
USUAL = {"web": 80.0, "orders": 50.0, "stock": 20.0, "search": 30.0}


def samples(name, during, *, usual=USUAL, unit="ms", minutes=60, since=55):
    """One sample a minute and service; from minute `since` on `during` is added."""
    rows = []
    for minute in range(minutes):
        for service, base in usual.items():
            more = during.get(service, 0.0) if minute >= since else 0.0
            value = base * (1.0 + 0.01 * ((minute * 7 + len(service)) % 5)) + more
            rows.append(
                {
                    "time": T0 + timedelta(minutes=minute),
                    "service": service,
                    "name": name,
                    "unit": unit,
                    "value": value,
                }
            )
    return rows


def ask(rows, minutes=60):
    end = T0 + timedelta(minutes=minutes)
    telemetry = Telemetry(
        spans=Telemetry.empty().spans,
        logs=Telemetry.empty().logs,
        metrics=metrics(rows),
        edges=GRAPH,
    )
    return diagnose(telemetry, Question(at=end, horizon=end))


def test_the_deepest_of_those_who_are_slow_is_named_and_who_only_waits_is_cleared():
    late = {"stock": 200.0, "orders": 205.0, "web": 210.0}
    rows = samples("http.server.duration.p95", late)
    rows += samples("requests", {}, usual=dict.fromkeys(USUAL, 900.0), unit="")
    finding = ask(rows)
    assert finding.hypotheses[0].service == "stock"
    assert finding.verdict in (Verdict.POSSIBLE, Verdict.LIKELY)
    assert ("orders", "only_waits_for") in {(r.service, r.reason) for r in finding.ruled_out}
    assert (finding.hypotheses[0].type, finding.hypotheses[0].peer) == (CauseType.UNKNOWN, None)


def test_what_a_slow_service_runs_on_tells_the_type_that_its_time_does_not():
    rows = samples("http.server.duration.p95", {"stock": 200.0})
    rows += samples("cpu.utilization", {"stock": 78.0}, usual=USUAL | {"stock": 20.0}, unit="%")
    first = ask(rows).hypotheses[0]
    assert (first.service, first.type, first.cause) == (
        "stock",
        CauseType.RESOURCE,
        "cpu_saturation",
    )


def test_a_loud_little_service_does_not_win_over_who_costs_users_their_time():
    """`search` moves by more of its own spread, but a thousandth of the users wait for it."""
    rows = samples("latency_p90", {"stock": 60.0, "search": 90.0})
    volume = {"web": 1000.0, "orders": 900.0, "stock": 900.0, "search": 1.0}
    rows += samples("request_count", {}, usual=volume, unit="")
    assert ask(rows).hypotheses[0].service == "stock"


def test_where_answers_are_lost_is_where_they_are_lost_first():
    usual = dict.fromkeys(USUAL, 0.001)
    rows = samples("error_ratio", {"stock": 0.4, "orders": 0.39, "web": 0.2}, usual=usual, unit="1")
    finding = ask(rows)
    first = finding.hypotheses[0]
    assert (first.service, first.cause) == ("stock", "code_error")
    assert "metric_errors" in {e.kind for e in finding.evidence if e.id in first.supports}
    assert any(gap.startswith("no traces") for gap in finding.gaps)


def test_availability_falls_where_others_rise():
    usual = dict.fromkeys(USUAL, 99.9)
    assert (
        ask(samples("availability", {"stock": -40.0}, usual=usual, unit="%")).hypotheses[0].service
        == "stock"
    )


def test_metrics_as_before_name_nobody():
    finding = ask(samples("http.server.duration.p95", {}))
    assert finding.verdict in (Verdict.HEALTHY, Verdict.NOT_DETERMINED)
    assert not finding.hypotheses


def test_more_than_twice_the_requests_are_told_as_what_they_are():
    rows = samples("requests_per_sec", {"web": 4000.0}, usual={"web": 900.0}, unit="")
    rows += samples("request_queue_depth", {"web": 200.0}, usual={"web": 1.0}, unit="")
    rows += samples("latency_p99", {"web": 2000.0}, usual={"web": 200.0})
    assert ask(rows).hypotheses[0].cause == "traffic_surge"


def test_the_same_answer_in_whatever_order_the_samples_come():
    rows = samples("latency_p90", {"stock": 60.0, "orders": 61.0})
    assert ask(rows) == ask(pl.Series(rows).reverse().to_list())
