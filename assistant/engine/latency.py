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

    A null callee is self time; the purpose of a call is the operation that makes it. `key` is a
    number for all four, in their order.
    """
    call = pl.col("role") == "call"
    names, parent = spans.get_column("name"), spans.get_column("parent")
    timed = spans.select(
        "op",
        pl.when(call).then("callee").cast(pl.Categorical).to_physical().alias("to"),
        pl.when(call).then(names.gather(parent)).cast(pl.Categorical).to_physical().alias("for"),
        "bucket",
        "self_ms",
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        "role",
    ).filter(pl.col("role") != "async")
    # Numbers are grouped several times faster than text, which is put in its place at the end.
    codes = ["op", "to", "for"]
    kinds = timed.group_by(codes).agg(
        pl.col("row").first(), pl.col("self_ms").quantile(WINSORISED).alias("cap")
    )
    row = kinds.get_column("row")
    words = spans.select("service", "name", "callee", "role")[row.to_numpy()].select(
        "service",
        "name",
        pl.when(call).then("callee").alias("callee"),
        pl.when(call).then(names.gather(parent.gather(row))).alias("purpose"),
    )
    kinds = pl.concat([kinds.drop("row"), words], how="horizontal").sort(KEYS)
    kinds = kinds.with_row_index("key")
    capped = timed.join(
        kinds.select(*codes, "key", "cap"), on=codes, how="left", nulls_equal=True,
        maintain_order="left",
    ).select("key", "bucket", pl.min_horizontal("self_ms", "cap").alias("ms"))  # fmt: skip
    log_ms = (pl.col("ms") + 0.05).log()
    return (
        capped.with_columns(log_ms.alias("log"))
        .group_by("key", "bucket")
        .agg(
            pl.len().alias("n"),
            pl.col("log").sum().alias("total"),
            (pl.col("log") ** 2).sum().alias("squares"),
            pl.col("ms").sum(),
        )
        .join(kinds.select("key", *KEYS), on="key")
        .sort("key", "bucket")
    )


def tested(sums: pl.DataFrame, incident: int) -> pl.DataFrame:
    """Return the mean shift of every key, the unremarkable ones too (they are the denominator).

    What all of the system shares (a busier hour, a slower host) is nobody's fault: the median shift
    over all keys is taken off each, where it is a slow-down.
    """
    moved = mean_shift(sums, ["key"], incident).sort("key")
    middle = moved.get_column("shift").median() if moved.height >= MIN_SHARED else None
    common = max(0.0, middle) if isinstance(middle, float) else 0.0
    share = (pl.col("shift") - common) / pl.col("shift")
    words = sums.select("key", *KEYS).unique("key")
    return moved.join(words, on="key", maintain_order="left").with_columns(
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
