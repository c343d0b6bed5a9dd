"""The two tests that everything local is built on: has a mean moved, has a share moved.

Both work on tables that were summed per key and bucket, so that the same tables answer for the
incident and, with a baseline bucket in its place, for what chance alone would have shown.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
MIN_BEFORE, MIN_AFTER = 5, 3
MIN_BUCKET = 3  # observations without which a bucket has no mean of its own
MIN_SPREAD = 0.05  # of log ms: what differs between two quiet minutes of any real system
MAX_OVERDISPERSION = 4.0
KEPT_BUCKETS = 0.85
KEPT_MEAN = 0.52  # of the lowest 85 % of χ² with one degree of freedom
_COUNTS = ("n0", "q0", "n1", "q1")


def _split(table: pl.DataFrame, incident: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what was before, and what is during (buckets outside the windows are neither)."""
    bucket = pl.col("bucket")
    return table.filter((bucket >= 0) & (bucket != incident)), table.filter(bucket == incident)


def mean_shift(table: pl.DataFrame, keys: list[str], incident: int) -> pl.DataFrame:
    """Return, per key, how the mean of log ms moved (Welch's t with between-bucket variance).

    `table` has the keys, `bucket`, `n`, `total` (Σ log), `squares` (Σ log²) and `ms` (Σ ms).
    The answer has n0, n1, before and after (mean ms), shift (of log ms), t and excess (ms lost).
    """
    before, during = _split(table, incident)
    base = before.group_by(keys).agg(
        pl.col("n").sum().alias("n0"),
        pl.col("total").sum(),
        pl.col("squares").sum(),
        pl.col("ms").sum(),
        (pl.col("total") / pl.col("n"))
        .filter(pl.col("n") >= MIN_BUCKET)
        .std()
        .fill_null(0.0)
        .alias("between"),
    )
    after = during.select(*keys, pl.col("n").alias("n1"), "total", "squares", "ms")
    both = base.join(after, on=keys, how="inner", suffix="_1", nulls_equal=True).filter(
        (pl.col("n0") >= MIN_BEFORE) & (pl.col("n1") >= MIN_AFTER)
    )

    def variance(total: str, squares: str, n: str) -> pl.Expr:
        return (pl.col(squares) / pl.col(n) - (pl.col(total) / pl.col(n)) ** 2).clip(1e-6)

    spread = pl.max_horizontal("between", pl.lit(MIN_SPREAD)) ** 2
    error = (
        variance("total", "squares", "n0") / pl.col("n0")
        + variance("total_1", "squares_1", "n1") / pl.col("n1")
        + spread
    ).sqrt()
    return (
        both.with_columns(
            (pl.col("total_1") / pl.col("n1") - pl.col("total") / pl.col("n0")).alias("shift"),
            (pl.col("ms") / pl.col("n0")).alias("before"),
            (pl.col("ms_1") / pl.col("n1")).alias("after"),
            error.alias("error"),
        )
        .with_columns(
            (pl.col("shift") / pl.col("error")).alias("t"),
            (pl.col("n1") * (pl.col("after") - pl.col("before")).clip(0)).alias("excess"),
            (pl.col("n1") * pl.col("before")).alias("expected"),
        )
        .select(*keys, "n0", "n1", "before", "after", "shift", "t", "excess", "expected")
    )


def share_shift(
    table: pl.DataFrame, keys: list[str], incident: int, above: float | None = None
) -> pl.DataFrame:
    """Return, per key, how a share of executions moved (G-test, divided by overdispersion).

    `table` has the keys, `bucket`, `n` (executions) and `hits`. The answer has n0, n1, r0, r1
    (shares) and g. Overdispersion is Pearson's χ² per bucket of the baseline, within 1–4.
    Keys whose g cannot be above `above` are left out.
    """
    before, during = _split(table, incident)
    base = before.group_by(keys).agg(
        pl.col("n").sum().alias("n0"),
        pl.col("hits").sum().alias("q0"),
    )
    after = during.select(*keys, pl.col("n").alias("n1"), pl.col("hits").alias("q1"))
    both = base.join(after, on=keys, how="inner", nulls_equal=True).filter(
        (pl.col("n0") >= MIN_BEFORE) & (pl.col("n1") >= MIN_AFTER)
    )
    n0, q0, n1, q1 = (both.get_column(name).to_numpy().astype(float) for name in _COUNTS)
    both = both.with_columns(
        pl.Series("r0", q0 / n0), pl.Series("r1", q1 / n1), pl.Series("g", _g(n0, q0, n1, q1))
    ).select(*keys, "n0", "n1", "r0", "r1", "g")
    if above is not None:
        both = both.filter(pl.col("g") > above)
    if both.is_empty():
        return both
    # Overdispersion only ever lowers g, and costs more than all the rest.
    left = before.join(both, on=keys, how="semi", nulls_equal=True, maintain_order="left")
    spread = left.group_by(keys).agg(_overdispersion().alias("phi"))
    return (
        both.join(spread, on=keys, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(pl.col("g") / pl.col("phi"))
        .drop("phi")
    )


def _g(n0: Floats, q0: Floats, n1: Floats, q1: Floats) -> Floats:
    """Return G = 2 Σ O ln(O ÷ E) of each two by two table."""
    share = (q0 + q1) / (n0 + n1)
    cells = (
        _g_cell(q0, n0 * share)
        + _g_cell(n0 - q0, n0 * (1 - share))
        + _g_cell(q1, n1 * share)
        + _g_cell(n1 - q1, n1 * (1 - share))
    )
    return 2 * cells


def _g_cell(observed: Floats, expected: Floats) -> Floats:
    ratio = observed / np.maximum(expected, 1e-9)
    return np.where(observed > 0, observed * np.log(np.maximum(ratio, 1e-12)), 0.0)


def _overdispersion() -> pl.Expr:
    """Pearson's χ² per bucket, without the few buckets that stray most, relative to chance.

    A baseline holds the residue of earlier incidents; with it, nothing would ever differ from it.
    """
    share = (pl.col("hits").sum() / pl.col("n").sum()).clip(1e-6, 1 - 1e-6)
    pearson = (pl.col("hits") - pl.col("n") * share) ** 2 / (pl.col("n") * share * (1 - share))
    kept = (pl.len() * KEPT_BUCKETS).ceil().cast(pl.Int64)
    return (pearson.sort().head(kept).sum() / kept / KEPT_MEAN).clip(1.0, MAX_OVERDISPERSION)
