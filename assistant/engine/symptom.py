"""Has anything moved that a user would notice: without that, there is no incident to explain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from assistant.engine import errors
from assistant.engine.arrival import TAIL_US
from assistant.engine.contrast import mean_shift, share_shift
from assistant.engine.shift import Mechanism, Shift, saturate
from assistant.engine.windows import INCIDENT, from_us

KEYS = ["service", "name", "route"]
MIN_T, MIN_RATIO = 3.0, 1.2
MIN_G, MIN_RISE = 10.0, 0.02
MIN_SLOW_RISE = 0.1  # of the share of slow requests: a mean hides that only some users suffer
MIN_WORK_T, MIN_WORK_SHIFT = 4.0, 0.15  # of the log number of spans in a request
SLOW_QUANTILE = 0.95
MIN_ROUTE_SHARE = 0.02  # of the requests with one name: rarer ways are accidents
FELT_METRIC = r"(?i)duration|latency|response_time|error|fail|5xx|p9[059]"
# How often something was measured is traffic, and pauses of the machine are felt through others.
UNFELT_METRIC = r"(?i)(^|[._])(rate|count|gc|pool|queue|dns|lag)([._]|$)"
MIN_Z, SURE_Z, MIN_METRIC_RATIO = 4.0, 20.0, 1.5
MORE_BAD = 1.5  # times the usual share of its kind
LOUD = 0.5  # strength from which complaints in logs count as felt
MIN_BEFORE, MIN_AFTER = 4, 2
MIN_SENT, SILENT = 30, 2  # requests of a kind; times its longest silence


@dataclass(frozen=True, slots=True)
class Symptoms:
    """`shifts` are what users notice; `traces` the ids of slow or failed requests during it.

    `requests` were seen during it, and `before` in the baseline. `stopped` says which kinds of
    requests nobody sends any more.
    """

    shifts: tuple[Shift, ...]
    traces: frozenset[str]
    requests: int
    before: int
    stopped: tuple[str, ...] = ()

    @property
    def felt(self) -> bool:
        return bool(self.shifts)


def symptoms(spans: pl.DataFrame, metrics: pl.DataFrame, lines: tuple[Shift, ...]) -> Symptoms:
    """Return how requests at the system's entries changed; `lines` are error-line shifts."""
    asked = requests(spans)
    roots = _slow(_paired(asked))
    found = [*_slower(roots), *_failing(roots), *_other_work(roots), *_logged(lines)]
    found += [*_measured(metrics), *_partly_slower(roots)]
    roots = roots.with_columns(
        (pl.col("slow") | pl.col("failed").fill_null(value=False)).alias("bad")
    )
    before, during = (
        roots.filter(place) for place in (pl.col("bucket") >= 0, pl.col("bucket") == INCIDENT)
    )
    # What always goes wrong (a robot that may not enter) says nothing of who is at fault now.
    usual = before.group_by(KEYS).agg(pl.col("bad").mean().alias("usual"))
    more = during.join(usual, on=KEYS, how="left", maintain_order="left").filter(
        pl.col("bad").mean().over(KEYS) > MORE_BAD * pl.col("usual").fill_null(0.0)
    )
    bad = more.filter(pl.col("bad")).get_column("trace_id").to_list()
    return Symptoms(tuple(found), frozenset(bad), during.height, before.height, _stopped(asked))


def through(spans: pl.DataFrame, traces: frozenset[str]) -> frozenset[str]:
    """Return the services that took part in the traces."""
    mine = pl.col("trace_id").is_in(pl.Series(sorted(traces), dtype=pl.String).implode())
    seen = spans.lazy().filter(mine).select("service").unique().collect()
    return frozenset(seen.get_column("service").to_list())


def met(spans: pl.DataFrame, traces: frozenset[str], names: Sequence[str]) -> dict[str, float]:
    """Return which share of the traces each name took part in, if only as one that was called.

    Names that are in no span are left out: whom traces cannot see they cannot clear.
    """
    ends = ("service", "callee")
    traced = {str(n) for end in ends for n in spans.get_column(end).unique().drop_nulls()}
    mine = pl.col("trace_id").is_in(pl.Series(sorted(traces), dtype=pl.String).implode())
    during = spans.lazy().filter((pl.col("bucket") == INCIDENT) & mine)
    either = [during.select("trace_id", pl.col(end).cast(pl.String).alias("name")) for end in ends]
    wanted = pl.concat(either).filter(pl.col("name").is_in(list(names))).unique()
    counts = dict(wanted.group_by("name").len().collect().iter_rows())
    return {name: counts.get(name, 0) / len(traces) for name in names if name in traced}


def requests(spans: pl.DataFrame) -> pl.DataFrame:
    """Return the roots with `ms`, `size` and `route`.

    Gateways name all requests alike; what they hand a request to first tells the kinds apart. Where
    a name has one route only, the route is left out: a request that fails before it is handed on
    is still of that kind.
    """
    handed = (pl.col("role") == "entry") & pl.col("parent").is_not_null()
    first = (
        spans.lazy()
        .filter(handed)
        .select("us", "ix", "trace")
        .collect()
        .sort("us", "ix")
        .unique("trace", keep="first", maintain_order=True)
    )
    routes = first.select(
        "trace", spans.get_column("name").gather(first.get_column("ix")).alias("route")
    )
    sizes = pl.Series("size", np.bincount(spans.get_column("trace").to_numpy()), dtype=pl.UInt32)
    roots = spans.filter(pl.col("parent_span_id").is_null())
    roots = roots.join(routes, on="trace", how="left", maintain_order="left").with_columns(
        sizes.gather(roots.get_column("trace")), (pl.col("dur_us") / 1000.0).alias("ms")
    )
    share = pl.len() / pl.col("handed").first()
    several = (
        roots.filter(pl.col("route").is_not_null())
        .with_columns(pl.len().over("service", "name").alias("handed"))
        .group_by("service", "name", "route")
        .agg(share.alias("share"))
        .group_by("service", "name")
        .agg(((pl.col("share") >= MIN_ROUTE_SHARE).sum() > 1).alias("several"))
    )
    return roots.join(
        several, on=["service", "name"], how="left", maintain_order="left"
    ).with_columns(pl.when("several").then("route").fill_null("").alias("route"))


def comparable(roots: pl.DataFrame, before: pl.Expr, during: pl.Expr) -> pl.DataFrame:
    """Return the requests without the routes that are usual on one side only.

    What was renamed, or is handed on otherwise, is so compared by its name with what it was.
    """
    sides = (before, during)
    seen = roots.group_by(KEYS).agg(n.sum().alias(str(i)) for i, n in enumerate(sides))
    usual = [
        pl.col(str(i)) > pl.col(str(i)).sum().over(KEYS[:2]) * MIN_ROUTE_SHARE
        for i, _ in enumerate(sides)
    ]
    lone = seen.filter(usual[0] != usual[1]).select(*KEYS, pl.lit(value=True).alias("lone"))
    if lone.is_empty():
        return roots
    return (
        roots.join(lone, on=KEYS, how="left", maintain_order="left")
        .with_columns(pl.when("lone").then(pl.lit("")).otherwise("route").alias("route"))
        .drop("lone")
    )


def _paired(roots: pl.DataFrame) -> pl.DataFrame:
    return comparable(roots, pl.col("bucket") >= 0, pl.col("bucket") == INCIDENT)


def _stopped(roots: pl.DataFrame) -> tuple[str, ...]:
    """Tell of kinds of requests that are silent while others go on, and as never before.

    Silence is counted in requests of all kinds: where load falls for all alike, none is silent.
    """
    kind = KEYS[:2]
    ordered = roots.select(*kind, "us", "trace_id").sort("us", "trace_id").with_row_index("place")
    place = pl.col("place").cast(pl.Int64)
    kinds = ordered.group_by(kind).agg(
        pl.len().alias("n"),
        pl.col("us").max().alias("last"),
        (place.max() + 1).alias("reached"),
        # What it was silent for at most: ahead of its first request, and between two of them.
        pl.max_horizontal(place.min(), place.diff().max() - 1).alias("longest"),
    )
    silent = ordered.height - pl.col("reached")
    share = pl.col("n") / pl.col("reached")
    late = int(str(ordered.get_column("us").max())) if ordered.height else 0
    gone = kinds.filter(
        (pl.col("n") >= MIN_SENT)
        & (late - pl.col("last") > TAIL_US)
        & (-2 * silent * (1 - share).log() > MIN_G)
        & (silent > SILENT * pl.col("longest"))
    ).sort(["n", *kind], descending=[True, False, False])
    return tuple(
        f"no {name} requests to {service} were seen since {from_us(last):%H:%M:%S} UTC,"
        f" {n} before: whether anybody can send them cannot be told"
        for service, name, last, n in gone.select(*kind, "last", "n").iter_rows()
    )


def harmed(roots: pl.DataFrame) -> tuple[Shift, ...]:
    """Return which kinds of requests (see `requests`, with `bucket`) are slow or fail as never."""
    roots = _slow(_paired(roots))
    return (*_slower(roots), *_failing(roots), *_partly_slower(roots))


def _slow(roots: pl.DataFrame) -> pl.DataFrame:
    limits = (
        roots.filter(pl.col("bucket") >= 0)
        .group_by(KEYS)
        .agg(pl.col("ms").quantile(SLOW_QUANTILE).alias("limit"))
    )
    return roots.join(limits, on=KEYS, how="left", maintain_order="left").with_columns(
        (pl.col("ms") > pl.col("limit") * MIN_RATIO).fill_null(value=False).alias("slow")
    )


def _other_work(roots: pl.DataFrame) -> list[Shift]:
    """Return kinds of requests that do clearly less or more work than before."""
    log_size = pl.col("size").cast(pl.Float64).log()
    sums = roots.group_by([*KEYS, "bucket"]).agg(
        pl.len().alias("n"),
        log_size.sum().alias("total"),
        (log_size**2).sum().alias("squares"),
        pl.col("size").sum().cast(pl.Float64).alias("ms"),
    )
    moved = mean_shift(sums, KEYS, INCIDENT).filter(
        (pl.col("t").abs() > MIN_WORK_T) & (pl.col("shift").abs() > MIN_WORK_SHIFT)
    )
    return [
        _shift(
            row,
            "symptom_work",
            Mechanism.CONTROL,
            "spans",
            saturate(abs(row["shift"]), 1.0),
            row["t"],
        )
        for row in moved.sort(["n1", *KEYS], descending=[True, False, False, False]).iter_rows(
            named=True
        )
    ]


def _measured(metrics: pl.DataFrame) -> list[Shift]:
    """Return durations and failures that metrics tell of, for systems that are hardly traced."""
    keys = ["service", "instance", "name", "unit"]
    felt = metrics.filter(tells_of_users() & pl.col("value").is_finite())
    before = (
        felt.filter(pl.col("bucket") >= 0)
        .group_by(keys)
        .agg(
            pl.col("value").median().alias("before"),
            (pl.col("value").quantile(0.75) - pl.col("value").quantile(0.25)).alias("iqr"),
            pl.len().alias("n0"),
        )
    )
    after = (
        felt.filter(pl.col("bucket") == INCIDENT)
        .group_by(keys)
        .agg(pl.col("value").median().alias("after"), pl.len().alias("n1"))
    )
    rise = pl.col("after") - pl.col("before")
    moved = (
        before.join(after, on=keys, nulls_equal=True)
        .with_columns(
            (rise / pl.max_horizontal("iqr", 0.05 * pl.col("before").abs(), 1e-9)).alias("t")
        )
        .filter(
            (pl.col("n0") >= MIN_BEFORE)
            & ((pl.col("n1") >= MIN_AFTER) | (pl.col("t") > SURE_Z))
            & (pl.col("t") > MIN_Z)
            & (pl.col("after") > pl.col("before") * MIN_METRIC_RATIO)
        )
        .sort(["t", *keys], descending=[True, False, False, False, False])
    )
    return [
        _shift(row, "symptom_metric", Mechanism.LATENCY, str(row["unit"] or ""), 0.5, row["t"])
        for row in moved.head(3).iter_rows(named=True)
    ]


def tells_of_users() -> pl.Expr:
    """Tell, row by row, whether a metric by its name is of what users notice."""
    name = pl.col("name").str
    return name.contains(FELT_METRIC) & ~name.contains(UNFELT_METRIC)


def _slower(roots: pl.DataFrame) -> list[Shift]:
    log_ms = (pl.col("ms") + 0.05).log()
    sums = roots.group_by([*KEYS, "bucket"]).agg(
        pl.len().alias("n"),
        log_ms.sum().alias("total"),
        (log_ms**2).sum().alias("squares"),
        pl.col("ms").sum(),
    )
    moved = mean_shift(sums, KEYS, INCIDENT).filter(
        (pl.col("t") > MIN_T) & (pl.col("after") > pl.col("before") * MIN_RATIO)
    )
    return [
        _shift(
            row, "symptom_latency", Mechanism.LATENCY, "ms", saturate(row["shift"], 1.0), row["t"]
        )
        for row in moved.sort(["excess", *KEYS], descending=[True, False, False, False]).iter_rows(
            named=True
        )
    ]


def _failing(roots: pl.DataFrame) -> list[Shift]:
    known = roots.filter(pl.col("failed").is_not_null())
    moved = _share(known, pl.col("failed"), MIN_RISE)
    return [
        _shift(
            row,
            "symptom_errors",
            Mechanism.ERROR,
            "share",
            saturate(row["after"] - row["before"], errors.HALF_RISE),
            row["g"],
        )
        for row in moved.iter_rows(named=True)
    ]


def _partly_slower(roots: pl.DataFrame) -> list[Shift]:
    """Return kinds of requests of which more than before are slower than usual."""
    return [
        _shift(row, "symptom_tail", Mechanism.LATENCY, "share", row["after"], row["g"])
        for row in _share(roots, pl.col("slow"), MIN_SLOW_RISE).iter_rows(named=True)
    ]


def _share(roots: pl.DataFrame, hit: pl.Expr, rise: float) -> pl.DataFrame:
    sums = roots.group_by([*KEYS, "bucket"]).agg(
        pl.len().alias("n"), hit.sum().cast(pl.Int64).alias("hits")
    )
    return (
        share_shift(sums, KEYS, INCIDENT)
        .filter((pl.col("g") > MIN_G) & (pl.col("r1") > pl.col("r0") + rise))
        .rename({"r0": "before", "r1": "after"})
        .sort(["g", *KEYS], descending=[True, False, False, False])
    )


def _logged(lines: tuple[Shift, ...]) -> list[Shift]:
    return [s for s in lines if s.strength >= LOUD][:2]


def _shift(
    row: dict[str, float], kind: str, mechanism: Mechanism, unit: str, strength: float, t: float
) -> Shift:
    return Shift(
        mechanism=mechanism,
        kind=kind,
        service=str(row["service"]),
        operation=" ".join(dict.fromkeys(str(row[k]) for k in ("name", "route") if row.get(k))),
        unit=unit,
        before=float(row["before"]),
        after=float(row["after"]),
        n0=int(row["n0"]),
        n1=int(row["n1"]),
        t=float(t),
        weight=float(row["n1"]),
        strength=strength,
    )
