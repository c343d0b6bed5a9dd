"""Whether traces are a sample, and whether it is the same one before and during.

Rates are taken as sampled. While a sampler keeps what it kept that does little harm; one that keeps
other requests than before moves them by itself.
"""

import polars as pl

from assistant.engine.windows import INCIDENT, MIN_TRACES, Windows

OTHERWISE = 1.5  # times the weight that a kind of request had


def sampled(raw: pl.DataFrame) -> bool:
    """Tell whether spans stand for others than themselves."""
    return bool((raw.get_column("sampling_weight") != 1.0).any())


def resampled(raw: pl.DataFrame, windows: Windows) -> bool:
    """Tell whether requests of a kind weigh otherwise than before.

    Failed ones are left out: whoever keeps all of them changes the weights as soon as more fail.
    """
    if not sampled(raw):
        return False
    weight = pl.col("sampling_weight")
    roots = (
        raw.lazy()
        .filter(
            pl.col("parent_span_id").is_null()
            & weight.is_not_null()
            & pl.col("status").ne_missing("error")
        )
        .select("service", "name", weight, (pl.col("start").cast(pl.Int64) // 1000).alias("us"))
        .collect()
        .drop_nulls("us")
    )
    places = roots.with_columns(windows.bucket_of(roots.get_column("us")))
    before, during = (
        weight.filter(place) for place in (pl.col("bucket") >= 0, pl.col("bucket") == INCIDENT)
    )
    kinds = places.group_by("service", "name").agg(
        before.median().alias("before"),
        during.median().alias("during"),
        pl.min_horizontal(before.len(), during.len()).alias("seen"),
    )
    most, least = (f("before", "during") for f in (pl.max_horizontal, pl.min_horizontal))
    return not kinds.filter((pl.col("seen") >= MIN_TRACES) & (most > OTHERWISE * least)).is_empty()
