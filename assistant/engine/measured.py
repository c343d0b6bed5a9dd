"""What metrics alone tell of users: time and answers lost, where requests are not traced.

Effect times volume, not z: the excess over the median, times the requests that suffer it. Charged
to a service less what its callees lost (`explain`), this is the exclusive excess that found the
causes of metrics-only systems best (a quiet little dependency has the largest z, and no effect).
"""

import re

import polars as pl

from assistant.engine.resources import SECONDS
from assistant.engine.shift import Mechanism, Shift, saturate

KEYS = ["service", "name", "unit"]
LATENCY = re.compile(r"latency|duration|response.?time|elapsed")
NOT_FELT = re.compile(r"client|pool|gc|queue|request_?s(ize)?$|db|dns|cert|lag")
ERRORS = re.compile(r"error|fail|5xx|5\d\d|exception")
AVAILABLE = re.compile(r"availability|success")
REQUESTS = re.compile(r"(^|[._-])(requests?|rps|qps|throughput|calls|workload|load)([._-]|$)")
WAITING = re.compile(r"queue|pending|active|depth|size|in.?flight|limit|max")
RATIO = re.compile(
    r"(?<![a-z])(ratio|rate|share|pct|percent)|(ratio|rate|percent)$|availability|success"
)
PREFERRED = ("mean", "avg", "p50", "50", "p90", "90", "p95", "95", "p99", "99")
MIN_BEFORE, MIN_Z, SURE_Z, MIN_RATIO = 4, 4.0, 8.0, 1.2
MIN_LOST, HALF_LOST = 0.01, 0.10  # of the answers
PERCENT_FROM = 1.5


def table(metrics: pl.DataFrame) -> pl.DataFrame:
    """Return the samples that tell of users: `about` says of what."""
    names = [n for n in metrics.get_column("name").unique().to_list() if n]
    about = {n: kind for n in sorted(names) if (kind := _about(n)) is not None}
    return metrics.filter(
        pl.col("name").is_in(list(about)) & pl.col("value").is_finite()
    ).with_columns(
        pl.col("name").replace_strict(about, default=None, return_dtype=pl.String).alias("about")
    )


def _about(name: str) -> str | None:
    lowered = name.lower()
    if AVAILABLE.search(lowered):
        return "available"
    if ERRORS.search(lowered):
        return "errors"
    if LATENCY.search(lowered) and not NOT_FELT.search(lowered):
        return "latency"
    counted = REQUESTS.search(lowered) and not WAITING.search(lowered)
    return "requests" if counted else None


def shifts(samples: pl.DataFrame, incident: int) -> tuple[list[Shift], float]:
    """Return slower and failing services, and the time (ms) that requests would have taken."""
    moved = _moved(samples, incident)
    volume = {
        str(r["service"]): max(0.0, float(str(r["after"])))
        for r in moved.filter(pl.col("about") == "requests").iter_rows(named=True)
    }
    out: list[Shift] = []
    expected = 0.0
    for about in ("latency", "errors", "available"):
        for row in _one_each(moved.filter(pl.col("about") == about)):
            requests = volume.get(str(row["service"]), 1.0)
            if about == "latency":
                expected += float(str(row["before"])) * _ms(row) * requests
                shift = _slower(row, requests)
            else:
                shift = _failing(row, requests, falls=about == "available")
            out += [shift] if shift is not None else []
    return sorted(out, key=lambda s: (-s.weight, s.service, s.detail)), expected


def load(samples: pl.DataFrame, incident: int) -> dict[str, float]:
    """Return per service its requests during ÷ before, where metrics tell them."""
    rows = _one_each(_moved(samples, incident).filter(pl.col("about") == "requests"))
    return {
        str(r["service"]): float(str(r["after"])) / before
        for r in rows
        if (before := float(str(r["before"]))) > 0
    }


def _moved(samples: pl.DataFrame, incident: int) -> pl.DataFrame:
    value = pl.col("value")
    before = (
        samples.filter((pl.col("bucket") >= 0) & (pl.col("bucket") != incident))
        .group_by([*KEYS, "about"])
        .agg(
            value.median().alias("before"),
            (value.quantile(0.75) - value.quantile(0.25)).alias("iqr"),
            pl.len().alias("n0"),
        )
        .filter(pl.col("n0") >= MIN_BEFORE)
    )
    after = (
        samples.filter(pl.col("bucket") == incident)
        .group_by(KEYS)
        .agg(value.mean().alias("after"), pl.len().alias("n1"))
    )
    spread = pl.max_horizontal("iqr", 0.05 * pl.col("before").abs(), 1e-9)
    return (
        before.join(after, on=KEYS, nulls_equal=True)
        .with_columns(((pl.col("after") - pl.col("before")) / spread).alias("z"))
        .sort(KEYS)
    )


def _one_each(moved: pl.DataFrame) -> list[dict[str, object]]:
    """Return one metric per service: of several quantiles and means one is enough."""
    ranked = moved.with_columns(
        pl.col("name")
        .map_elements(_preference, return_dtype=pl.Int64, skip_nulls=False)
        .alias("preference")
    )
    chosen = ranked.sort("service", "preference", "name").unique(
        "service", keep="first", maintain_order=True
    )
    return list(chosen.iter_rows(named=True))


def _preference(name: str) -> int:
    words = re.split(r"[._\-]", name.lower())
    return next((i for i, p in enumerate(PREFERRED) if p in words), len(PREFERRED))


def _sure(row: dict[str, object], rise: float) -> bool:
    z = abs(float(str(row["z"])))
    return rise > 0 and z > (MIN_Z if int(str(row["n1"])) > 1 else SURE_Z)


def _ms(row: dict[str, object]) -> float:
    unit, name = str(row["unit"] or ""), str(row["name"]).lower()
    if not unit and re.search(r"seconds|_s$", name):
        unit = "s"
    return 1000.0 * SECONDS.get(unit, 1e-3)


def _slower(row: dict[str, object], requests: float) -> Shift | None:
    before, after = float(str(row["before"])), float(str(row["after"]))
    if not _sure(row, after - before * MIN_RATIO):
        return None
    return _shift(row, "metric_latency", Mechanism.LATENCY, (after - before) * _ms(row) * requests)


def _failing(row: dict[str, object], requests: float, *, falls: bool) -> Shift | None:
    before, after = float(str(row["before"])), float(str(row["after"]))
    name = str(row["name"]).lower()
    rise = before - after if falls else after - before
    if RATIO.search(name) or row["unit"] == "%":
        share = rise / 100.0 if max(before, after) > PERCENT_FROM else rise
    else:
        share = rise / requests if requests > rise else min(1.0, rise)
    if not _sure(row, share - MIN_LOST):
        return None
    strength = saturate(share, HALF_LOST)
    return _shift(row, "metric_errors", Mechanism.ERROR, share * requests, strength)


def _shift(
    row: dict[str, object], kind: str, mechanism: Mechanism, weight: float, strength: float = 0.0
) -> Shift:
    return Shift(
        mechanism=mechanism,
        kind=kind,
        service=str(row["service"]),
        detail=str(row["name"]),
        unit=str(row["unit"] or ""),
        before=float(str(row["before"])),
        after=float(str(row["after"])),
        n0=int(str(row["n0"])),
        n1=int(str(row["n1"])),
        t=float(str(row["z"])),
        weight=weight,
        strength=strength or saturate(abs(float(str(row["z"]))), MIN_Z),
    )
