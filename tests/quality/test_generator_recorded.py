"""What anybody who reads a generated recording relies on."""

from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bench.generator import FAULTS, Shape, generate, random_shape
from connectors.api import LOGS, METRICS, SPANS

SMALL = Shape(services=8, minutes=8, rps=4.0, spans_per_trace=10)
TINY = Shape(services=8, minutes=8, rps=0.5, spans_per_trace=10)


def test_same_seed_gives_the_same_rows_and_another_seed_does_not():
    first, second = (generate(5, minutes=7, rps=2) for _ in range(2))
    for name in ("spans", "logs", "metrics"):
        assert_frame_equal(getattr(first, name), getattr(second, name))
    assert first.changes == second.changes
    assert first.cases == second.cases
    assert not generate(6, minutes=7, rps=2).spans.equals(first.spans)


@pytest.mark.parametrize("dirt", [0, 1, 2])
def test_frames_have_the_schemas_of_connectors_api(dirt: int):
    recorded = generate(8, dirt=dirt, minutes=7, rps=2)
    assert recorded.spans.schema == SPANS
    assert recorded.logs.schema == LOGS
    assert recorded.metrics.schema == METRICS
    assert min(len(recorded.spans), len(recorded.logs), len(recorded.metrics)) > 0


def test_another_seed_for_the_names_renames_the_same_system():
    plain = generate(4, shape=SMALL, fault="slow_code")
    renamed = generate(4, shape=SMALL, fault="slow_code", names=99)
    assert set(plain.spans["service"]).isdisjoint(renamed.spans["service"])
    kept = ["trace_id", "span_id", "parent_span_id", "kind", "status", "start", "end"]
    assert_frame_equal(plain.spans.select(kept), renamed.spans.select(kept))
    kept = ["time", "trace_id", "span_id", "severity"]
    assert_frame_equal(plain.logs.select(kept), renamed.logs.select(kept))
    assert_frame_equal(
        plain.metrics.select("time", "value"), renamed.metrics.select("time", "value")
    )
    assert [(c.at, c.kind, c.ref) for c in plain.changes] == [
        (c.at, c.kind, c.ref) for c in renamed.changes
    ]
    assert plain.cases[0].onset == renamed.cases[0].onset


def test_same_seed_keeps_the_system_under_every_fault():
    systems = {fault: generate(4, shape=TINY, fault=fault).edges for fault in FAULTS}
    assert len(set(systems.values())) == 1


@pytest.mark.parametrize("seed", range(3))
def test_clean_spans_form_trees_in_time(seed: int):
    spans = generate(seed, minutes=7, rps=2).spans
    assert spans["span_id"].is_unique().all()
    assert (spans["end"] > spans["start"]).all()
    children = spans.filter(pl.col("parent_span_id").is_not_null())
    joined = children.join(
        spans, left_on="parent_span_id", right_on="span_id", how="left", suffix="_parent"
    )
    assert (joined["trace_id"] == joined["trace_id_parent"]).all()
    roots = spans.filter(pl.col("parent_span_id").is_null())
    assert roots["trace_id"].is_unique().all()
    assert set(roots["trace_id"]) == set(spans["trace_id"])
    waited = joined.filter(pl.col("kind") != "consumer")
    assert (waited["start"] >= waited["start_parent"]).all()
    assert (waited["end"] <= waited["end_parent"]).all()
    later = joined.filter(pl.col("kind") == "consumer")
    assert (later["start"] >= later["end_parent"]).all()


def test_calls_hang_below_the_service_that_makes_them():
    recorded = generate(7, shape=SMALL)
    spans = recorded.spans
    parents = spans.select(parent_span_id="span_id", caller="service", caller_kind="kind")
    joined = spans.join(parents, on="parent_span_id")
    same = joined.filter(pl.col("kind").is_in(["client", "producer", "internal"]))
    assert (same["service"] == same["caller"]).all()
    remote = joined.filter(pl.col("kind").is_in(["server", "consumer"]))
    seen = set(remote.select("caller", "service").unique().iter_rows())
    assert seen <= set(recorded.edges)
    names = set(spans["service"])
    asked = spans.filter(pl.col("peer").is_not_null() & ~pl.col("peer").is_in(names))
    assert len(asked) > 0
    assert not set(asked["span_id"]) & set(spans["parent_span_id"])


def test_log_lines_point_at_spans_of_their_own_service():
    recorded = generate(7, shape=SMALL)
    spans = recorded.spans.select("span_id", "trace_id", at="service", pod="instance")
    joined = recorded.logs.join(spans, on=["span_id", "trace_id"], how="left")
    assert (joined["service"] == joined["at"]).all()
    assert (joined["instance"] == joined["pod"]).all()
    assert not recorded.logs["body"].str.contains(r"[{}]").any()


@pytest.mark.parametrize("fault", FAULTS)
def test_truth_refers_to_what_is_in_the_recording(fault: str):
    recorded = generate(12, shape=TINY, fault=fault)
    (case,) = recorded.cases
    truth = case.truth
    refs = {change.ref: change for change in recorded.changes}
    assert len(refs) == len(recorded.changes)
    assert set(truth["decoys"]) <= set(refs)
    assert truth["change"] not in truth["decoys"]
    assert recorded.window.start <= case.alert_at < recorded.window.end
    if fault == "healthy":
        assert (truth["service"], truth["type"], truth["change"]) == (None, None, None)
        assert recorded.known_incidents == ()
        return
    everything = set(recorded.spans["service"]) | set(recorded.spans["peer"].drop_nulls())
    assert truth["service"] in everything
    assert truth["service"] not in truth["affected"]
    assert set(truth["affected"]) <= everything
    assert truth["type"] in {"resource", "network", "code"}
    if fault != "slow_leak":
        assert timedelta(seconds=30) <= case.alert_at - case.onset <= timedelta(seconds=120)
    if truth["change"] is not None:
        guilty = refs[truth["change"]]
        assert guilty.target == truth["service"]
        assert timedelta(0) <= case.onset - guilty.at <= timedelta(seconds=5)


def test_one_instance_at_fault_is_named_as_in_its_spans():
    named = [generate(seed, shape=TINY, fault="cpu_contention").cases[0].truth for seed in range(6)]
    with_instance = [truth for truth in named if truth["instance"]]
    assert 0 < len(with_instance) < len(named)
    seed = named.index(with_instance[0])
    recorded = generate(seed, shape=TINY, fault="cpu_contention")
    instances = recorded.spans.filter(service=with_instance[0]["service"])["instance"]
    assert with_instance[0]["instance"] in set(instances)


def test_innocent_changes_happen_on_the_faulty_service_too():
    own = 0
    for seed in range(12):
        recorded = generate(seed, shape=TINY, fault="cpu_contention")
        truth = recorded.cases[0].truth
        targets = {change.ref: change.target for change in recorded.changes}
        own += any(targets[ref] == truth["service"] for ref in truth["decoys"])
    assert 2 <= own <= 11


def test_a_canary_runs_beside_the_old_version():
    for seed in range(20):
        recorded = generate(seed, shape=TINY, fault="slow_code")
        guilty = next(c for c in recorded.changes if c.ref == recorded.cases[0].truth["change"])
        if guilty.summary.startswith("canary"):
            break
    spans = recorded.spans.filter(pl.col("service") == guilty.target)
    after = (pl.col("start") >= guilty.until) & (pl.col("start") < recorded.cases[0].until)
    new = [v in guilty.summary for v in spans.filter(after)["version"].unique()]
    assert any(new)
    assert not all(new)


def test_metrics_tell_of_a_busy_processor():
    recorded = generate(3, shape=SMALL, fault="cpu_contention")
    (case,) = recorded.cases
    cpu = recorded.metrics.filter(pl.col("name") == "process.cpu.utilization")
    after = pl.col("time") >= case.onset
    own = pl.col("service") == case.truth["service"]
    assert cpu.filter(own & after)["value"].max() > 0.9
    assert cpu.filter(~own & after)["value"].median() < 0.6
    assert cpu.filter(own & ~after)["value"].median() < 0.6


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"services": 2}, "services"),
        ({"rps": 0}, "rps"),
        ({"minutes": 1}, "minutes"),
        ({"dirt": 3}, "dirt"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_measure_out_of_range_is_named(wrong: dict[str, float], word: str):
    with pytest.raises(ValueError, match=word):
        random_shape(1, **wrong)


def test_an_unknown_fault_is_told_with_the_known_ones():
    with pytest.raises(ValueError, match="slow_edge"):
        generate(1, fault="gremlins")


def test_nothing_lies_outside_of_the_window():
    recorded = generate(9, minutes=6.5, rps=2)
    window = recorded.window
    for times in (recorded.spans["start"], recorded.logs["time"], recorded.metrics["time"]):
        assert window.start <= times.min()
        assert times.max() < window.end
    assert all(window.start <= change.at < window.end for change in recorded.changes)
