"""Each fault must really be in the data where its truth says, and nowhere else."""

import numpy as np
import polars as pl
import pytest

from bench.generator import FAULTS, Circumstances, Recorded, Shape, generate

SHAPE = Shape(services=9, minutes=10, rps=5.0, spans_per_trace=14)
SEEDS = (3, 11)
ENOUGH = 60


def with_parents(recorded: Recorded) -> pl.DataFrame:
    """Spans with their parent's name, kind and service, and whether they are after the onset."""
    case = recorded.cases[0]
    onset = case.onset or case.alert_at
    spans = recorded.spans.with_columns(
        ms=(pl.col("end") - pl.col("start")).dt.total_nanoseconds() / 1e6,
        bad=pl.col("status") == "error",
    )
    roots = spans.filter(pl.col("parent_span_id").is_null()).select("trace_id", began="start")
    parents = spans.select(
        parent_span_id="span_id",
        parent_name="name",
        parent_kind="kind",
        parent_ms="ms",
        caller="service",
    )
    joined = spans.join(roots, on="trace_id").join(parents, on="parent_span_id", how="left")
    return joined.with_columns(after=pl.col("began") >= onset)


def own_time(spans: pl.DataFrame) -> pl.DataFrame:
    """Mean time in ms that a service's runs spend outside of their own calls."""
    end = pl.col("end").cast(pl.Int64)
    start = pl.col("start").cast(pl.Int64)
    calls = spans.filter(pl.col("kind").is_in(["client", "producer", "internal"]))
    ordered = calls.sort("parent_span_id", "start").select(
        "parent_span_id", s=start, e=end, group=pl.col("parent_span_id").rle_id()
    )
    base = int(ordered["s"].min())
    s, e = (ordered["s"] - base).to_numpy(), (ordered["e"] - base).to_numpy()
    group = ordered["group"].to_numpy().astype(np.int64)
    step = int(e.max()) + 1
    reached = np.maximum.accumulate(e + group * step) - group * step
    before = np.concatenate([[0], reached[:-1]])
    before[np.concatenate([[True], group[1:] != group[:-1]])] = 0
    covered = ordered.with_columns(ns=pl.Series(np.maximum(0, e - np.maximum(s, before))))
    waiting = covered.group_by("parent_span_id").agg(waited=pl.col("ns").sum() / 1e6)
    return (
        spans.filter(pl.col("kind").is_in(["server", "consumer", "internal"]))
        .join(waiting, left_on="span_id", right_on="parent_span_id", how="left")
        .with_columns(value=pl.col("ms") - pl.col("waited").fill_null(0.0), place="service")
        .filter(~pl.col("bad"))
    )


def edge_gap(spans: pl.DataFrame) -> pl.DataFrame:
    """Time in ms between the caller's and the callee's view of a call."""
    served = spans.filter((pl.col("kind") == "server") & (pl.col("parent_kind") == "client"))
    return served.with_columns(value=pl.col("parent_ms") - pl.col("ms"), place="service")


def resent(spans: pl.DataFrame) -> pl.DataFrame:
    """Share of calls that took long on the way."""
    return edge_gap(spans).with_columns(value=(pl.col("value") > 150).cast(pl.Float64))


def origin(spans: pl.DataFrame) -> pl.DataFrame:
    """Share of runs that fail although nothing that they called did."""
    inner = spans.filter(pl.col("kind") == "internal")
    through = inner.select("span_id", outer="parent_span_id")
    failing = spans.filter(pl.col("bad") & pl.col("kind").is_in(["client"]))
    blamed = failing.join(through, left_on="parent_span_id", right_on="span_id", how="left").select(
        pl.coalesce("outer", "parent_span_id").alias("span_id")
    )
    served = spans.filter(pl.col("kind") == "server")
    own = pl.col("bad") & ~pl.col("span_id").is_in(blamed["span_id"].implode())
    return served.with_columns(value=own.cast(pl.Float64), place="service")


def peer_time(spans: pl.DataFrame) -> pl.DataFrame:
    """Duration in ms of calls to something uninstrumented."""
    services = spans["service"].unique().implode()
    asked = spans.filter((pl.col("kind") == "client") & ~pl.col("peer").is_in(services))
    return asked.with_columns(value="ms", place="peer")


def peer_errors(spans: pl.DataFrame) -> pl.DataFrame:
    """Share of failed calls to something uninstrumented."""
    return peer_time(spans).with_columns(value=pl.col("bad").cast(pl.Float64))


def calls(spans: pl.DataFrame) -> pl.DataFrame:
    """Calls made by each run that went well."""
    made = spans.filter(pl.col("kind").is_in(["client", "producer"]))
    count = made.group_by("parent_span_id").agg(made=pl.len())
    inner = spans.filter(pl.col("kind") == "internal")["parent_span_id"].implode()
    return (
        spans.filter(~pl.col("bad") & pl.col("kind").is_in(["server", "consumer", "internal"]))
        .filter(~pl.col("span_id").is_in(inner))
        .join(count, left_on="span_id", right_on="parent_span_id", how="left")
        .with_columns(value=pl.col("made").fill_null(0).cast(pl.Float64))
        .with_columns(place="service", value=pl.col("value") + 0.5)
    )


def shifts(rows: pl.DataFrame) -> dict[str, float]:
    """Return by place the larger ratio of an operation's means before and after (either way)."""
    by = rows.group_by("place", "name").agg(
        before=pl.col("value").filter(~pl.col("after")).mean(),
        after_=pl.col("value").filter(pl.col("after")).mean(),
        n0=pl.col("value").filter(~pl.col("after")).len(),
        n1=pl.col("value").filter(pl.col("after")).len(),
    )
    by = by.filter((pl.col("n0") >= ENOUGH) & (pl.col("n1") >= ENOUGH))
    floor = 0.1  # keeps shares near zero from looking like a shift
    ratio = ((pl.col("after_") + floor) / (pl.col("before") + floor)).log().abs().exp()
    found = by.group_by("place").agg(shift=ratio.max())
    return dict(found.iter_rows())


MEASURES = {
    "cpu_contention": own_time,
    "memory_leak": own_time,
    "slow_leak": own_time,
    "slow_edge": edge_gap,
    "packet_loss": resent,
    "unreachable_dependency": peer_errors,
    "exception": origin,
    "early_return": calls,
    "added_calls": calls,
    "slow_code": own_time,
    "pool_exhaustion": own_time,
    "slow_database": peer_time,
}


def test_every_fault_has_a_measure():
    assert set(MEASURES) | {"healthy"} == set(FAULTS)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", sorted(MEASURES))
def test_fault_moves_its_measure_at_the_true_place_and_nowhere_else(fault: str, seed: int):
    recorded = generate(seed, fault=fault, shape=SHAPE)
    truth = recorded.cases[0].truth
    found = shifts(MEASURES[fault](with_parents(recorded)))
    culprit = found.pop(str(truth["service"]))
    if fault in {"slow_edge", "packet_loss"}:  # these also act on calls that the service makes
        found = {p: s for p, s in found.items() if (truth["service"], p) not in recorded.edges}
    assert culprit > 1.5
    assert found
    assert max(found.values()) < 1.5


@pytest.mark.parametrize("everyday", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_healthy_recording_has_no_shift_of_any_kind(seed: int, everyday: bool):
    around = Circumstances(everyday=everyday)
    recorded = generate(seed, fault="healthy", shape=SHAPE, around=around)
    case = recorded.cases[0]
    assert case.onset is None
    assert case.truth["service"] is None
    spans = with_parents(recorded)
    for measure in set(MEASURES.values()):
        assert max(shifts(measure(spans)).values(), default=1.0) < 1.5, measure.__name__
