"""Whole diagnoses of generated systems."""

from dataclasses import asdict, replace

import polars as pl
import pytest

from assistant.domain.hypothesis import Verdict
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from bench.generator import generate


def generated(seed, fault, **more):
    made = generate(seed, fault=fault, services=8, rps=3, minutes=10, **more)
    (case,) = made.cases
    telemetry = Telemetry(
        spans=made.spans.filter(pl.col("end") < case.alert_at),
        logs=made.logs.filter(pl.col("time") < case.alert_at),
        metrics=made.metrics.filter(pl.col("time") < case.alert_at),
        changes=tuple(c for c in made.changes if c.at < case.alert_at),
        changes_seen=True,
    )
    return telemetry, Question(at=case.alert_at, horizon=case.alert_at), case.truth


@pytest.mark.parametrize("fault", ["cpu_contention", "slow_edge", "exception", "slow_database"])
@pytest.mark.parametrize("seed", [21, 22])
def test_a_fault_of_a_generated_system_is_found(seed, fault):
    telemetry, question, truth = generated(seed, fault)
    assert diagnose(telemetry, question).hypotheses[0].service == truth["service"]


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_a_healthy_generated_system_is_never_blamed(seed):
    telemetry, question, _ = generated(seed, "healthy")
    assert diagnose(telemetry, question).verdict in (Verdict.HEALTHY, Verdict.NOT_DETERMINED)


def test_the_order_of_rows_changes_nothing():
    telemetry, question, _ = generated(22, "exception")
    shuffled = replace(
        telemetry,
        **{n: getattr(telemetry, n).sample(fraction=1.0, shuffle=True, seed=5)
           for n in ("spans", "logs", "metrics")},
    )  # fmt: skip
    first, second = (asdict(diagnose(t, question)) for t in (telemetry, shuffled))
    assert first["hypotheses"] == second["hypotheses"]
    assert first["verdict"] is second["verdict"]
