"""When the fault itself began, told from the executions that it hit.

The onset is when users or signals noticed. To tell a change that caused it from one that came with
it by chance, the moment has to be known to the second, and the executions around it one by one.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from assistant.engine.controlflow import calls_made
from assistant.engine.shift import Shift

MIN_SERIES = 12
USUAL = 0.95  # quantile of what was before: what lies above it is affected
LEAST_AFFECTED = 0.1
RISE_US = 30_000_000  # a resource rises at most so long before what it slows is slow
STRANGE = 0.2  # beyond the most before: of log ms, of a share
DATED = (  # kinds of shifts whose moment single executions tell
    "calls_multiplied",
    "call_added",
    "error_origin",
    "self_time_shift",
    "edge_gap_shift",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """When the mechanism itself started, from its own series (µs), and how exact that is.

    `first_us` is the first execution such as none was before (null where none stands out so).
    """

    us: int
    slack_us: int
    times: pl.Series
    values: pl.Series
    first_us: int | None = None
    alone: str | None = None  # the one instance of several that carries the effect


def began(series: pl.DataFrame, onset_us: int, bin_us: int) -> Began:
    """Return when a series (`us`, `value`) of executions stepped up, near a coarse onset."""
    ordered = series.select("us", "value").sort("us", "value").drop_nulls()
    near = ordered.filter(pl.col("us") >= onset_us - 30 * bin_us)
    if near.height < MIN_SERIES:
        return Began(us=onset_us, slack_us=2 * bin_us, times=ordered["us"], values=ordered["value"])
    values = near.get_column("value").to_numpy().astype(float)
    times = near.get_column("us").to_numpy()
    walk = np.cumsum(values - values.mean())[:-1]
    step = int(np.argmin(walk)) + 1
    gap = int(times[step] - times[step - 1])
    # Where only some executions are affected, one waits for the first of them.
    affected = max(
        LEAST_AFFECTED, float(np.mean(values[step:] > np.quantile(values[:step], USUAL)))
    )
    start = Began(
        us=int(times[step]),
        slack_us=max(bin_us, int(2 * gap / affected), 1_000_000),
        times=ordered["us"],
        values=ordered["value"],
    )
    return replace(start, first_us=_first(start))


def _first(start: Began) -> int | None:
    calm = start.values.filter(start.times < start.us - start.slack_us)
    if calm.len() < MIN_SERIES:
        return None
    beyond = (start.times >= start.us - start.slack_us) & (start.values > strange(calm))
    return int(str(start.times.filter(beyond).min())) if beyond.any() else None


def strange(calm: pl.Series) -> float:
    """Return what no calm execution comes near, in the unit of the series."""
    return float(str(calm.max())) + STRANGE


def sampled(start: Began, shift: Shift, samples: pl.DataFrame) -> Began:
    """Return `start` with what a resource tells of it: it may have risen before anything was slow.

    A sample tells of the time up to it, so what came later cannot be why it rose.
    """
    mine = samples.filter(
        (pl.col("service") == shift.service)
        & pl.col("instance").eq_missing(pl.lit(shift.instance))
        & (pl.col("name") == shift.detail)
        & pl.col("value").is_finite()
    )
    calm = pl.col("value").filter(pl.col("bucket") >= 0).max().over("labels")
    half = (shift.before + shift.after) / 2
    risen = mine.filter(
        (pl.col("us") >= start.us - RISE_US)
        & (pl.col("value") > pl.max_horizontal(calm, half))
        & calm.is_not_null()
    ).get_column("us")
    first = [int(str(us)) for us in (risen.min(), start.first_us) if us is not None]
    return replace(start, first_us=min(first, default=None))


def series_of(shift: Shift, spans: pl.DataFrame) -> pl.DataFrame:
    """Return the executions behind a shift as (`us`, `value`, `version`): what it measures.

    One row each; the value rises with the fault. Empty for shifts that are not in `DATED`.
    """
    mine = spans.filter((pl.col("service") == shift.service) & (pl.col("name") == shift.operation))
    if shift.kind in ("calls_multiplied", "call_added"):
        mine = calls_made(spans, mine, shift.detail)
        value = pl.col("calls").cast(pl.Float64).log1p()
    elif shift.kind == "error_origin":
        value = pl.col("origin").cast(pl.Float64)
    elif shift.kind in ("self_time_shift", "edge_gap_shift"):
        if shift.peer:
            mine = mine.filter(pl.col("callee") == shift.peer)
        value = (pl.col("self_ms") + 0.05).log()
    else:
        return nothing()
    return mine.select("us", value.alias("value"), pl.col("version").cast(pl.String))


def nothing() -> pl.DataFrame:
    """Return a series without executions."""
    return pl.DataFrame(schema={"us": pl.Int64, "value": pl.Float64, "version": pl.String})
