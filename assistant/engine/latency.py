"""Where time is lost: self time of operations, and the gap of calls to another component.

A call's own time (the client span less the server span) is charged to the edge, never to the
caller: charged to the caller, network faults are never found; as an edge gap, always. Calls are
compared with calls for the same purpose: where a fault lets less of the quick work through, what is
left looks slower, and is not.
"""

import math

import polars as pl

from assistant.engine.contrast import mean_shift
from assistant.engine.shift import Mechanism, Shift

KEYS = ["service", "name", "callee", "purpose"]
MIN_T = 3.0
MIN_RATIO = 1.1
MIN_SHARED = 8  # keys, below which there is no "all of the system"
WINSORISED = 0.99


def table(spans: pl.DataFrame) -> pl.DataFrame:
    """Return log-time sums per (service, operation, callee, purpose) and bucket.

    A null callee is self time; the purpose of a call is the operation that makes it.
    """
    timed = spans.filter(pl.col("role") != "async").select(
        "service",
        "name",
        pl.when(pl.col("role") == "call").then(pl.col("callee")).alias("callee"),
        pl.when(pl.col("role") == "call").then(pl.col("parent_name")).alias("purpose"),
        "bucket",
        "self_ms",
    )
    cap = timed.group_by(KEYS).agg(pl.col("self_ms").quantile(WINSORISED).alias("cap"))
    capped = timed.join(cap, on=KEYS, how="left", nulls_equal=True).with_columns(
        pl.min_horizontal("self_ms", "cap").alias("ms")
    )
    log_ms = (pl.col("ms") + 0.05).log()
    return (
        capped.group_by([*KEYS, "bucket"])
        .agg(
            pl.len().alias("n"),
            log_ms.sum().alias("total"),
            (log_ms**2).sum().alias("squares"),
            pl.col("ms").sum(),
        )
        .sort([*KEYS, "bucket"])
    )


def tested(sums: pl.DataFrame, incident: int) -> pl.DataFrame:
    """Return the mean shift of every key, the unremarkable ones too (they are the denominator).

    What all of the system shares (a busier hour, a slower host) is nobody's fault: the median shift
    over all keys is taken off each, where it is a slow-down.
    """
    moved = mean_shift(sums, KEYS, incident).sort(KEYS)
    middle = moved.get_column("shift").median() if moved.height >= MIN_SHARED else None
    common = max(0.0, middle) if isinstance(middle, float) else 0.0
    share = (pl.col("shift") - common) / pl.col("shift")
    return moved.with_columns(
        (pl.col("t") * share).alias("t"),
        (pl.col("n1") * (pl.col("after") / math.exp(common) - pl.col("before")).clip(0)).alias(
            "excess"
        ),
    )


def shifts(moved: pl.DataFrame) -> list[Shift]:
    """Return the slow-downs that beat chance, the most time lost first."""
    slow = moved.filter(
        (pl.col("t") > MIN_T)
        & (pl.col("excess") > 0)
        & (pl.col("after") > pl.col("before") * MIN_RATIO)
    ).sort(["excess", *KEYS], descending=[True, *[False] * len(KEYS)])
    total = float(slow.get_column("excess").sum()) or 1.0
    return [
        Shift(
            mechanism=Mechanism.LATENCY,
            kind="edge_gap_shift" if row["callee"] else "self_time_shift",
            service=row["service"],
            operation=row["name"],
            peer=row["callee"],
            unit="ms",
            before=row["before"],
            after=row["after"],
            n0=row["n0"],
            n1=row["n1"],
            t=row["t"],
            weight=row["excess"],
            strength=row["excess"] / total,
        )
        for row in slow.iter_rows(named=True)
    ]
