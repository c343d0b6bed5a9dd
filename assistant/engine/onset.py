"""When it began: an offline CUSUM over a few signals of users' and services' experience.

The mean-centred cumulative sum has its extreme where a step happened; of the methods that were
compared (BOCPD, binary segmentation, one-sided CUSUM, rank tests) it was the most exact and the
cheapest. Signals are scored by max|S| / (σ·√n), with σ from first differences so that the step
does not hide in it. Signals that stepped together are heard together: the group that weighs most
tells the moment, rather early in the group, for effects follow their cause.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from assistant.engine.symptom import tells_of_users

Floats = npt.NDArray[np.float64]

MOST_BINS = 960
TRACES_PER_BIN = 8
CELL_US = 10_000_000
MIN_BIN_US, MAX_BIN_US = 1_000_000, 30_000_000
MIN_SCORE = 1.1  # below this a random walk reaches as far (Kolmogorov's .18 quantile)
MIN_POWER = 4.0
MIN_HEARD = 1.5  # weaker steps are not even heard beside others
TOGETHER = 4  # bins that steps of one event lie apart at most
GROUPS = 3
EARLY = 0.4  # quantile of the group's weight
REGIMES, MIN_BINS, LONG_ENOUGH = 4, 6, 20
METRICS_BELOW = 60  # requests: with more of them, traces tell the moment better


@dataclass(frozen=True, slots=True)
class Onset:
    """`us` is the most credible start (null: no signal moved), `bin_us` its resolution.

    `earliest_us` is where the first signal of the group stepped; `stepped` tells whether the group
    stands out from what signals do on their own. `others` are the moments of further groups that
    do, the strongest first.
    """

    us: int | None
    bin_us: int
    earliest_us: int | None
    stepped: bool
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """Values on a grid of bins; NaN where nothing was observed.

    Slower and more failing is bad, faster is not: only `either_way` signals may step down.
    """

    values: Floats
    weight: float
    either_way: bool = False


def detect(
    spans: pl.DataFrame, logs: pl.DataFrame, metrics: pl.DataFrame, first_us: int, last_us: int
) -> Onset:
    """Return the most credible start of a change between two moments (µs)."""
    inside = (pl.col("us") >= first_us) & (pl.col("us") < last_us)
    # Lazily, so that no column is copied that is not looked at.
    seen, lines = spans.lazy().filter(inside), logs.lazy().filter(inside)
    roots = (
        seen.filter(pl.col("parent_span_id").is_null())
        .select("us", "dur_us", "trace", "service", "name", "failed")
        .collect()
    )
    bin_us = _bin_width(roots, first_us, last_us)
    count = max(1, (last_us - first_us) // bin_us)
    signals = [*_span_signals(seen, roots, first_us, bin_us, count)]
    signals += _log_signals(lines.select("us", "severity").collect(), first_us, bin_us, count)
    if roots.height < METRICS_BELOW:
        samples = metrics.filter(inside)
        signals += _metric_signals(samples, first_us, bin_us, count)
    heard = [(place, power) for power, place in map(_step, signals) if power >= MIN_HEARD]
    if not heard:
        return Onset(None, bin_us, None, stepped=False)
    group, *others = _groups(heard)
    return Onset(
        first_us + _early(group) * bin_us,
        bin_us,
        first_us + min(place for place, _ in group) * bin_us,
        stepped=_power(group) >= MIN_POWER,
        others=tuple(first_us + _early(g) * bin_us for g in others if _power(g) >= MIN_POWER),
    )


def _groups(steps: list[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """Return steps that belong together, a group each, those that weigh most first."""
    out: list[list[tuple[int, float]]] = []
    while steps and len(out) < GROUPS:
        out.append(_together(steps))
        steps = [s for s in steps if all(abs(s[0] - place) > TOGETHER for place, _ in out[-1])]
    return out


def _together(steps: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the steps (bin, power) near one another that weigh most; of equals the earliest."""
    groups = [[s for s in steps if abs(s[0] - place) <= TOGETHER] for place, _ in sorted(steps)]
    return max(groups, key=_power)


def _power(group: list[tuple[int, float]]) -> float:
    return round(math.hypot(*(power for _, power in group)), 6)


def _bin_width(roots: pl.DataFrame, first_us: int, last_us: int) -> int:
    """Return a width (µs) that holds some traces, counted where there are traces at all."""
    occupied = (roots.get_column("us") // CELL_US).n_unique() * CELL_US if roots.height else 1
    by_traces = occupied * TRACES_PER_BIN // max(1, roots.height)
    return int(np.clip(max(by_traces, (last_us - first_us) // MOST_BINS), MIN_BIN_US, MAX_BIN_US))


def _on_grid(frame: pl.DataFrame, value: pl.Expr, first_us: int, bin_us: int, count: int) -> Floats:
    grid = np.full(count, np.nan)
    binned = (
        frame.select(((pl.col("us") - first_us) // bin_us).alias("bin"), value.alias("value"))
        .group_by("bin")
        .agg(pl.col("value").mean())
        .filter((pl.col("bin") >= 0) & (pl.col("bin") < count) & pl.col("value").is_not_null())
    )
    grid[binned.get_column("bin").to_numpy()] = binned.get_column("value").to_numpy()
    return grid


def _standardised(frame: pl.DataFrame, value: pl.Expr, keys: list[str]) -> pl.DataFrame:
    """Return frame with `z`: the value less its key's median, in units of the key's spread."""
    spread = frame.group_by(keys).agg(
        value.median().alias("middle"),
        (value.quantile(0.75) - value.quantile(0.25)).alias("iqr"),
    )
    return frame.join(spread, on=keys, how="left").with_columns(
        ((value - pl.col("middle")) / (pl.col("iqr") + 0.2)).clip(-4, 4).alias("z")
    )


def _span_signals(
    spans: pl.LazyFrame, roots: pl.DataFrame, first_us: int, bin_us: int, count: int
) -> list[Signal]:
    log_dur = (pl.col("dur_us") / 1000 + 0.05).log()
    log_self = (pl.col("self_ms") + 0.05).log()
    whole = _standardised(roots, log_dur, ["service", "name"])
    # What calls nobody has no callee to be compared with the same of, and no part in this.
    local = (
        spans.filter((pl.col("role") != "async") & pl.col("callee").is_not_null())
        .select("us", "service", "op", "role", "callee", log_self.alias("log"))
        .with_columns(pl.col("callee").cast(pl.Categorical).to_physical())
        .collect()
    )
    local = _standardised(local, pl.col("log"), ["op", "role", "callee"])
    failed = spans.select("us", "failed").collect()
    if failed.is_empty():
        return []
    signals = [
        Signal(_on_grid(whole, pl.col("z"), first_us, bin_us, count), 1.5),
        Signal(_on_grid(roots, pl.col("failed").cast(pl.Float64), first_us, bin_us, count), 1.5),
        Signal(_on_grid(failed, pl.col("failed").cast(pl.Float64), first_us, bin_us, count), 1.2),
    ]
    per_trace = (
        spans.select("trace", "us", "trace_id")
        .group_by("trace")
        .agg(
            pl.col("us").min(),
            pl.col("trace_id").first(),
            pl.len().cast(pl.Float64).log().alias("size"),
        )
        .collect()
    )
    # Kinds of requests differ in size far more than a request from others of its kind.
    kinds = roots.select("trace", "service", "name").unique("trace", maintain_order=True)
    kind = ["service", "name"]
    kept = per_trace.join(kinds, on="trace", how="left").with_columns(pl.col(kind).fill_null(""))
    work = _standardised(kept.sort("us", "trace_id"), pl.col("size"), kind)
    signals.append(
        Signal(_on_grid(work, pl.col("z"), first_us, bin_us, count), 1.0, either_way=True)
    )
    for _, part in sorted(local.group_by("service"), key=lambda item: str(item[0])):
        signals.append(Signal(_on_grid(part, pl.col("z"), first_us, bin_us, count), 1.0))
    return signals


def _log_signals(logs: pl.DataFrame, first_us: int, bin_us: int, count: int) -> list[Signal]:
    if logs.is_empty():
        return []
    bad = pl.col("severity").is_in(["ERROR", "FATAL", "CRITICAL"]).cast(pl.Float64)
    return [Signal(_on_grid(logs, bad, first_us, bin_us, count), 1.2)]


def _metric_signals(metrics: pl.DataFrame, first_us: int, bin_us: int, count: int) -> list[Signal]:
    """Return one signal per service from what metrics tell of its users and its resources."""
    told = metrics.filter(tells_of_users() & pl.col("value").is_finite())
    if told.is_empty():
        return []
    scaled = _standardised(
        told, (pl.col("value").abs() + 1e-6).log(), ["service", "instance", "name"]
    )
    return [
        Signal(_on_grid(part, pl.col("z"), first_us, bin_us, count), 0.8)
        for _, part in sorted(scaled.group_by("service"), key=lambda item: str(item[0]))
    ]


def _step(signal: Signal) -> tuple[float, int]:
    """Return (score, first bin after the step) of the step that the incident began with.

    Regimes follow one another: behind the strongest step of the whole (a busier hour, say) the rest
    is searched again, and the step with the largest move counts, however short it has lasted.
    """
    seen = np.flatnonzero(~np.isnan(signal.values))
    values = signal.values[seen]
    best, place, begin = 0.0, 0, 0
    for _ in range(REGIMES):
        if values.size - begin < MIN_BINS:
            break
        step, score = _strongest(values[begin:])
        if score < MIN_SCORE:
            break
        before, after = values[begin : begin + step], values[begin + step :]
        move = abs(float(after.mean() - before.mean()))
        if not signal.either_way and after.mean() < before.mean():
            move = 0.0
        power = move * np.sqrt(min(before.size, after.size, LONG_ENOUGH)) / _noise(values)
        power *= _lasting(values[begin:], step)
        if power > best:
            best, place = power, begin + step
        begin += step
    return (round(signal.weight * best, 6), int(seen[place]) if seen.size else 0)


def _strongest(values: Floats) -> tuple[int, float]:
    """Return the first index after the strongest step, and its score max|S| / (σ·√n)."""
    walk = np.cumsum(values - values.mean())[:-1]
    peak = int(np.argmax(np.abs(walk)))
    return peak + 1, float(np.abs(walk[peak])) / (_noise(values) * np.sqrt(values.size))


def _noise(values: Floats) -> float:
    """Return σ from first differences: a step does not hide in it."""
    floor = 1e-3 * (1.0 + float(np.max(np.abs(values))))
    return max(float(np.std(np.diff(values))) / math.sqrt(2.0), floor)


def _lasting(values: Floats, step: int) -> float:
    """Return how much of a step is still there at the end (an incident that is asked about is).

    A step so recent that its lasting cannot be judged is taken to last.
    """
    if values.size - step < LONG_ENOUGH:
        return 1.0
    before, after = float(values[:step].mean()), float(values[step:].mean())
    late = float(values[-max(2, (values.size - step) // 3) :].mean())
    return float(np.clip((late - before) / (after - before), 0.0, 1.0)) if after != before else 0.0


def _early(group: list[tuple[int, float]]) -> int:
    total = sum(power for _, power in group)
    reached = 0.0
    for place, power in sorted(group):
        reached += power
        if reached >= total * EARLY:
            return place
    return group[-1][0]
