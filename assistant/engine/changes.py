"""Which change explains the first hypothesis, and why the others do not.

A change is a likelihood ratio on a hypothesis, never a hypothesis on its own. Closeness in time is
weak: what tells is whether the changed thing already ran unharmed between the change and the fault,
and whether instances without the change are harmed as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from assistant.engine.controlflow import calls_made
from assistant.engine.shift import Shift
from assistant.engine.windows import to_us
from connectors.api import Change

LOOK_BACK_US = 6 * 3600 * 1_000_000
FADE_US = 15 * 60 * 1_000_000
NAMED_FROM = 2.0
MOST, LEAST = 8.0, 1 / 16
NOT_CHANGES = ("kubernetes_event",)
UNHARMED_RUNS = 8
UNHARMED_LEVEL = 0.3
WORTH_A_LOOK = 0.5  # timing below which nothing else can make a change guilty
FAILS = 0.02  # share of executions from which a version counts as failing
MIN_SERIES = 12
USUAL = 0.95  # quantile of what was before: what lies above it is affected
LEAST_AFFECTED = 0.1
DATED = (  # kinds of shifts whose moment single executions tell
    "calls_multiplied",
    "call_added",
    "error_origin",
    "self_time_shift",
    "edge_gap_shift",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """When the mechanism itself started, from its own series (µs), and how exact that is."""

    us: int
    slack_us: int
    times: pl.Series
    values: pl.Series
    alone: str | None = None  # the one instance of several that carries the effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A change with its likelihood ratio and the sentence that explains it."""

    change: Change
    ratio: float
    why: str

    @property
    def blamed(self) -> bool:
        return self.ratio >= NAMED_FROM


def began(series: pl.DataFrame, onset_us: int, bin_us: int) -> Began:
    """Return when a series (`us`, `value`) of executions stepped up, near a coarse onset."""
    ordered = series.sort("us").drop_nulls()
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
    return Began(
        us=int(times[step]),
        slack_us=max(bin_us, int(2 * gap / affected), 1_000_000),
        times=ordered["us"],
        values=ordered["value"],
    )


def judge(
    changes: Sequence[Change],
    *,
    service: str,
    near: frozenset[str],
    start: Began,
    spans: pl.DataFrame,
    horizon: datetime,
) -> list[Judged]:
    """Return the changes that could matter, the likeliest first.

    `near` are the components beside the service (callers, callees, the peer of a slow way).
    """
    end = to_us(horizon)
    candidates = [
        c
        for c in changes
        if c.kind not in NOT_CHANGES and start.us - LOOK_BACK_US <= to_us(c.at) <= end
    ]
    judged = [_judge(c, service, near, start, spans) for c in candidates]
    return sorted(
        judged, key=lambda j: (-j.ratio, abs(to_us(j.change.at) - start.us), j.change.ref)
    )


def _judge(
    change: Change, service: str, near: frozenset[str], start: Began, spans: pl.DataFrame
) -> Judged:
    place, where = _place(change, service, near)
    effective = _effective(change, spans)
    timing, when = _timing(change, effective, start)
    ratio, reasons = place * timing, [when]
    if timing > WORTH_A_LOOK:
        unharmed, said = _unharmed(change, service, effective, start)
        canary, contrast = _contrast(change, service, effective, start, spans)
        ratio *= unharmed * canary
        reasons += [said, contrast]
    if place < 1.0:
        reasons.insert(0, where)
    ratio = min(MOST, max(LEAST, ratio))
    return Judged(change=change, ratio=round(ratio, 3), why="; ".join(r for r in reasons if r))


def _place(change: Change, service: str, near: frozenset[str]) -> tuple[float, str]:
    if change.target == service:
        return 1.0, f"on {service} itself"
    if change.target in near:
        return 0.35, f"on {change.target}, next to {service}"
    if change.target is None and any(service in f for f in change.files):
        return 0.5, f"touches files of {service}"
    return 0.05, f"on {change.target or 'no named service'}, not on {service}"


def _effective(change: Change, spans: pl.DataFrame) -> int:
    """Return when a change could first be felt (µs): the first work of a version it brought."""
    at = to_us(change.at)
    until = to_us(change.until) if change.until is not None else at
    if change.kind != "deploy" or change.target is None:
        return at
    mine = spans.filter((pl.col("service") == change.target) & pl.col("version").is_not_null())
    firsts = mine.group_by("version").agg(pl.col("us").min().alias("first"))
    brought = firsts.filter(
        (pl.col("first") >= at - 1_000_000) & (pl.col("first") <= until + 30_000_000)
    )
    return int(brought.get_column("first").min() or at) if brought.height else at  # type: ignore[arg-type]


def _timing(change: Change, effective: int, start: Began) -> tuple[float, str]:
    until = max(effective, to_us(change.until) if change.until is not None else effective)
    lag = (start.us - effective) / 1e6
    if start.us < effective - start.slack_us:
        return 0.1, f"it came {-lag:.0f} s after the fault had begun"
    if start.us <= until + start.slack_us:
        return 6.0, f"the fault began {max(lag, 0):.0f} s after it took effect"
    fade = 4.0 * math.exp(-(start.us - until) / FADE_US)
    return fade, f"it was in effect {lag:.0f} s before the fault began"


def _unharmed(change: Change, service: str, effective: int, start: Began) -> tuple[float, str]:
    """Tell a change that ran well for a while from one that began with the fault."""
    if change.target != service:
        return 1.0, ""
    between = start.values.filter(
        (start.times >= effective) & (start.times < start.us - start.slack_us // 2)
    )
    before = start.values.filter(start.times < effective)
    after = start.values.filter(start.times >= start.us)
    if between.len() < UNHARMED_RUNS or before.is_empty() or after.is_empty():
        return 1.0, ""
    low, high = _mean(before), _mean(after)
    level = (_mean(between) - low) / (high - low) if high > low else 1.0
    if level < UNHARMED_LEVEL:
        return 0.2, f"{between.len()} executions after it were as before"
    return 1.0, ""


def _contrast(
    change: Change, service: str, effective: int, start: Began, spans: pl.DataFrame
) -> tuple[float, str]:
    """Compare, in the same window, the versions or instances with and without the change."""
    if change.target != service:
        return 1.0, ""
    if start.alone is not None and _everywhere(change, service, start, spans):
        return 0.2, "the other instances have it as well and are as before"
    if change.kind != "deploy":
        return 1.0, ""
    mine = spans.filter(
        (pl.col("service") == service)
        & (pl.col("us") >= start.us)
        & pl.col("version").is_not_null()
    )
    firsts = (
        spans.filter(pl.col("service") == service)
        .group_by("version")
        .agg(pl.col("us").min().alias("first"))
    )
    mine = mine.join(firsts, on="version")
    new = mine.filter(pl.col("first") >= effective - 1_000_000)
    old = mine.filter(pl.col("first") < effective - 1_000_000)
    if min(new.height, old.height) < UNHARMED_RUNS:
        return 1.0, ""
    bad_new, bad_old = _mean(new["origin"].cast(pl.Float64)), _mean(old["origin"].cast(pl.Float64))
    if bad_new > FAILS and bad_old < bad_new / 4:
        return 4.0, "only its new version fails while the old one does not"
    if bad_old > FAILS and bad_old >= bad_new / 2:
        return 0.25, "the old version fails as well"
    return 1.0, ""


def _everywhere(change: Change, service: str, start: Began, spans: pl.DataFrame) -> bool:
    """Tell whether the instances that are not affected have the change too."""
    if change.kind in ("config", "flag"):
        return True
    mine = spans.filter((pl.col("service") == service) & (pl.col("us") >= start.us))
    versions = mine.drop_nulls("version").group_by("instance").agg(pl.col("version").last())
    return versions.height > 1 and versions.get_column("version").n_unique() == 1


def _mean(values: pl.Series) -> float:
    mean = values.cast(pl.Float64).mean()
    return float(mean) if isinstance(mean, float) else 0.0


def series_of(shift: Shift, spans: pl.DataFrame) -> pl.DataFrame:
    """Return the executions behind a shift as (`us`, `value`): what it measures, one row each.

    It rises with the fault. Empty for shifts that are not in `DATED`.
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
        return pl.DataFrame(schema={"us": pl.Int64, "value": pl.Float64})
    return mine.select("us", value.alias("value"))
