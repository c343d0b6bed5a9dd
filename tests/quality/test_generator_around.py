"""What surrounds a fault: whom the alert names, a second fault, and a day's harmless events."""

from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bench.generator import FAULTS, PAIRED, Circumstances, NoPlace, Recorded, Shape, generate

TINY = Shape(services=9, minutes=8, rps=0.5, spans_per_trace=12)
SMALL = Shape(services=9, minutes=10, rps=4.0, spans_per_trace=12)
OTHER = Circumstances(alert="other")


def alerted(recorded: Recorded) -> str:
    return str(recorded.cases[0].alert["labels"]["service"])


def paired(seed: int, fault: str, second: str) -> Recorded:
    for more in range(10):
        try:
            around = Circumstances(second=second)
            return generate(seed + more, fault=fault, shape=SMALL, around=around)
        except NoPlace:
            continue
    raise AssertionError("ten systems in a row have no room for two faults")


def roots(recorded: Recorded) -> pl.DataFrame:
    return recorded.spans.filter(pl.col("parent_span_id").is_null())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", [4, 12])
def test_an_alert_elsewhere_never_names_what_is_at_fault(fault: str, seed: int):
    usual, elsewhere = (
        generate(seed, fault=fault, shape=TINY, around=around) for around in (None, OTHER)
    )
    (case,) = elsewhere.cases
    assert alerted(elsewhere) != case.truth["service"]
    assert alerted(elsewhere) in set(elsewhere.spans["service"])
    assert alerted(elsewhere) in case.symptom
    assert case.truth == usual.cases[0].truth
    assert case.alert_at == usual.cases[0].alert_at
    assert_frame_equal(elsewhere.spans, usual.spans)


def test_an_alert_elsewhere_names_a_service_that_feels_the_fault_if_any_does():
    felt = 0
    for seed in range(12):
        recorded = generate(seed, fault="exception", shape=TINY, around=OTHER)
        affected = recorded.cases[0].truth["affected"]
        assert not affected or alerted(recorded) in affected
        felt += bool(affected)
    assert felt > 3


def test_an_alert_waits_until_enough_requests_were_hit():
    delays = []
    for felt in (0, 30, 60):
        around = Circumstances(felt=felt)
        recorded = generate(3, fault="slow_code", shape=SMALL, around=around)
        (case,) = recorded.cases
        began = roots(recorded).select("trace_id", began="start")
        hit = recorded.spans.join(began, on="trace_id").filter(
            (pl.col("service") == case.truth["service"])
            & (pl.col("began") >= case.onset)
            & (pl.col("began") < case.alert_at)
        )
        assert hit["trace_id"].n_unique() >= felt
        delays.append(case.alert_at - case.onset)
    assert delays == sorted(delays)
    assert delays[-1] > delays[0]


@pytest.mark.parametrize(
    ("first", "second"), [("slow_code", "exception"), ("exception", "slow_database")]
)
def test_of_two_faults_both_are_there_and_the_first_hurts_more(first: str, second: str):
    recorded = paired(20, first, second)
    (case,) = recorded.cases
    also = case.truth["also"]
    assert (case.truth["fault"], also["fault"]) == (first, second)
    assert also["service"] != case.truth["service"]
    refs = {change.ref: change for change in recorded.changes}
    for truth in (case.truth, also):
        if truth["change"] is not None:
            guilty = refs[truth["change"]]
            assert guilty.target == truth["service"]
            assert abs(guilty.at - case.onset) < timedelta(seconds=60)
            assert truth["change"] not in case.truth["decoys"]
    assert damage(recorded, also) > 1.3


def damage(recorded: Recorded, truth: dict) -> float:
    """How many times more errors or time there are where the truth says than before."""
    (case,) = recorded.cases
    own = recorded.spans.filter(
        (pl.col("service") == truth["service"]) | (pl.col("peer") == truth["service"])
    ).filter(
        (pl.col("start") >= case.onset) | (pl.col("start") < case.onset - timedelta(minutes=1))
    )
    after = pl.col("start") >= case.onset
    seconds = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
    bad = (pl.col("status") == "error").cast(pl.Float64) + 0.002
    by = own.group_by("name").agg(
        time=seconds.filter(after).mean() / seconds.filter(~after).mean(),
        errors=bad.filter(after).mean() / bad.filter(~after).mean(),
    )
    return max(by["time"].max(), by["errors"].max())


@pytest.mark.parametrize("second", ["slow_edge", "unreachable_dependency"])
def test_users_suffer_less_from_the_second_fault_than_from_the_first(second: str):
    both = paired(40, "slow_code", second)
    seed = int(both.title.split("-")[1])
    alone = generate(seed, fault="slow_code", shape=SMALL)
    calm = roots(generate(seed, fault="healthy", shape=SMALL))
    (case,) = alone.cases
    usual = calm.filter(pl.col("start") < case.onset)
    first, together = (suffering(roots(r), usual, case.onset) for r in (alone, both))
    assert first > 0.1
    assert together - first < first


def suffering(requests: pl.DataFrame, usual: pl.DataFrame, onset) -> float:
    """Mean extra time of requests from an onset on, in usual durations; errors count as five."""
    seconds = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
    means = usual.group_by("name").agg(usual=seconds.mean())
    late = (seconds / pl.col("usual") - 1.0).clip(0.0, 5.0)
    hurt = pl.when(pl.col("status") == "error").then(5.0).otherwise(late)
    found = requests.join(means, on="name").with_columns(hurt=hurt)
    after = pl.col("start") >= onset
    return found.select(
        pl.col("hurt").filter(after).mean() - pl.col("hurt").filter(~after).mean()
    ).item()


def test_two_faults_need_two_kinds_that_can_be_compared():
    around = Circumstances(second="early_return")
    with pytest.raises(ValueError, match=PAIRED[0]):
        generate(1, fault="slow_code", shape=SMALL, around=around)
    with pytest.raises(ValueError, match=PAIRED[0]):
        generate(1, fault="healthy", shape=SMALL, around=Circumstances(second="slow_code"))


def test_an_unknown_alert_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match="symptom, other"):
        generate(1, shape=SMALL, around=Circumstances(alert="nobody"))


def test_a_slow_leak_creeps_for_minutes_before_the_alert():
    recorded = generate(6, fault="slow_leak", services=6, rps=3)
    (case,) = recorded.cases
    assert timedelta(minutes=5) < case.alert_at - case.onset < timedelta(minutes=17)
    assert case.onset - recorded.window.start > timedelta(minutes=7)
    own = pl.col("service") == case.truth["service"]
    memory = recorded.metrics.filter(own & pl.col("name").str.contains("memory"))
    third = (case.alert_at - case.onset) / 3
    means = [
        memory.filter(
            (pl.col("time") >= case.onset + n * third)
            & (pl.col("time") < case.onset + (n + 1) * third)
        )["value"].mean()
        for n in range(-1, 3)
    ]
    assert means == sorted(means)
    steps = [later - sooner for sooner, later in pairwise(means)]
    assert max(steps) < 0.6 * (means[-1] - means[0])  # no step holds most of the rise
    lines = recorded.logs.filter(own & pl.col("body").str.contains("heap nearly full"))
    early = lines.filter(pl.col("time") < case.onset + third)
    late = lines.filter(
        (pl.col("time") >= case.onset + 2 * third) & (pl.col("time") < case.alert_at)
    )
    assert len(late) > 2 * len(early)


@pytest.fixture(scope="module")
def days() -> list[Recorded]:
    around = Circumstances(everyday=True)
    return [generate(s, fault="healthy", shape=SMALL, around=around) for s in range(10)]


def test_on_any_day_innocent_changes_happen_shortly_before_the_alert(days: list[Recorded]):
    canaries = 0
    for recorded in days:
        (case,) = recorded.cases
        near = [
            change
            for change in recorded.changes
            if timedelta(0) < case.alert_at - change.at < timedelta(minutes=7)
        ]
        assert {change.ref for change in near} <= set(case.truth["decoys"])
        assert "deploy" in {change.kind for change in near}
        canaries += any(change.summary.startswith("canary") for change in near)
        served = recorded.spans.filter(
            pl.col("trace_id").is_in(
                recorded.spans.filter(
                    (pl.col("service") == alerted(recorded)) & pl.col("parent_span_id").is_null()
                )["trace_id"].implode()
            )
        )["service"]
        assert {change.target for change in near} & set(served)
        assert (case.truth["service"], case.truth["change"], case.onset) == (None, None, None)
    assert 0 < canaries < len(days)


def test_on_some_days_a_job_runs_that_no_user_asked_for(days: list[Recorded]):
    running = 0
    for recorded in days:
        early = recorded.window.start + timedelta(minutes=1)
        users = set(roots(recorded).filter(pl.col("start") < early)["name"])
        own = roots(recorded).filter(~pl.col("name").is_in(list(users)))
        if len(own) > 20:
            running += 1
            assert len(own) < 0.2 * len(roots(recorded))
            assert own["start"].max() - own["start"].min() < timedelta(minutes=8)
    assert 1 <= running < len(days)


def test_on_some_days_an_instance_is_replaced_and_begins_cold(days: list[Recorded]):
    slower = []
    for recorded in days:
        for change in recorded.changes:
            if change.kind != "kubernetes_event":
                continue
            own = recorded.spans.filter(
                (pl.col("service") == change.target) & (pl.col("kind") == "server")
            )
            seconds = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
            means = own.group_by("name").agg(usual=seconds.median())
            ratio = own.join(means, on="name").with_columns(ratio=seconds / pl.col("usual"))
            soon = ratio.filter(pl.col("start") >= change.at).sort("start").head(10)
            slower.append(soon["ratio"].max())
    assert len(slower) >= 2
    assert max(slower) > 1.5


def test_a_day_with_a_fault_spares_the_services_at_fault():
    for seed in range(6):
        around = Circumstances(everyday=True)
        recorded = generate(seed, fault="cpu_contention", shape=TINY, around=around)
        (case,) = recorded.cases
        targets = {change.ref: change for change in recorded.changes}
        for ref in case.truth["decoys"]:
            if targets[ref].target == case.truth["service"]:
                assert abs(targets[ref].at - case.onset) >= timedelta(seconds=90)


def test_the_same_circumstances_give_the_same_rows():
    around = Circumstances(alert="other", everyday=True)
    one, two = (generate(5, fault="healthy", shape=SMALL, around=around) for _ in range(2))
    for name in ("spans", "logs", "metrics"):
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert (one.cases, one.changes) == (two.cases, two.changes)
