"""Makes clean telemetry as dirty as real telemetry: level 1 is a usual day, level 2 a bad one.

The truth is not touched; what is wrong with the data is drawn from a stream of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

_OLD = datetime(1754, 8, 30, 22, 43, 41, tzinfo=UTC)
_HUGE_LINE = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """The three frames of a recording."""

    spans: pl.DataFrame
    logs: pl.DataFrame
    metrics: pl.DataFrame


def soil(frames: Frames, level: int, rng: np.random.Generator) -> Frames:
    """Return the frames with the dirt of `level` (0 leaves them alone)."""
    if level == 0:
        return frames
    services = frames.spans["service"].unique(maintain_order=True).to_list()
    frames = _skew(frames, services, level, rng)
    frames = replace(frames, spans=_round(frames.spans, services, rng))
    if level == 2:
        frames = replace(frames, spans=_sample(frames.spans, rng))
        frames = _silence(frames, services, rng)
    spans = _lose(frames.spans, (0.005, 0.03)[level - 1], rng)
    spans = _reverse(spans, rng, share=(0.0, 0.0005)[level - 1])
    spans = _repeat(spans, rng, share=float(rng.uniform(0.005, 0.024)))
    logs = _misdate(frames.logs, "time", rng, count=level)
    if level == 2:
        logs = _inflate(logs, rng)
    return Frames(
        spans=_delay(_misdate(spans, "start", rng, count=level), rng),
        logs=_delay(logs, rng),
        metrics=_blank(frames.metrics, rng, share=0.002 * level),
    )


def _some(services: Sequence[str], share: float, rng: np.random.Generator) -> list[str]:
    chosen = rng.random(len(services)) < share
    return [name for name, taken in zip(services, chosen, strict=True) if taken]


def _skew(frames: Frames, services: Sequence[str], level: int, rng: np.random.Generator) -> Frames:
    """Set the clocks of some services wrong, in all that they report."""
    most_ms = (5.0, 400.0)[level - 1]
    wrong = _some(services, 0.25, rng)
    offsets = {name: timedelta(milliseconds=float(rng.normal(0, most_ms / 2))) for name in wrong}
    if not offsets:
        return frames
    offset = pl.col("service").replace_strict(
        offsets, default=timedelta(0), return_dtype=pl.Duration("ns")
    )
    return Frames(
        spans=frames.spans.with_columns(pl.col("start", "end") + offset),
        logs=frames.logs.with_columns(pl.col("time") + offset),
        metrics=frames.metrics,
    )


def _round(spans: pl.DataFrame, services: Sequence[str], rng: np.random.Generator) -> pl.DataFrame:
    """Let some services report whole milliseconds only."""
    coarse = pl.col("service").is_in(_some(services, 0.3, rng))
    return spans.with_columns(
        pl.when(coarse).then(pl.col(name).dt.truncate("1ms")).otherwise(pl.col(name)).alias(name)
        for name in ("start", "end")
    )


def _sample(spans: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Keep whole traces by chance, as head sampling does, with the weight that makes up for it."""
    share = float(rng.uniform(0.3, 0.8))
    traces = spans.select(pl.col("trace_id").unique(maintain_order=True))
    kept = traces.filter(pl.Series(rng.random(len(traces)) < share))
    sampled = spans.join(kept, on="trace_id", how="semi", maintain_order="left")
    return sampled.with_columns(sampling_weight=pl.lit(1.0 / share))


def _silence(frames: Frames, services: Sequence[str], rng: np.random.Generator) -> Frames:
    """Take the logs away from one service and the metrics from another."""
    mute, blind = (str(name) for name in rng.choice(np.array(services), 2))
    return replace(
        frames,
        logs=frames.logs.filter(pl.col("service") != mute),
        metrics=frames.metrics.filter(pl.col("service") != blind),
    )


def _lose(spans: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    """Lose single spans, which makes orphans of their children."""
    return spans.filter(pl.Series(rng.random(len(spans)) >= share))


def _reverse(spans: pl.DataFrame, rng: np.random.Generator, *, share: float) -> pl.DataFrame:
    """Let a few spans end before they start."""
    turned = pl.Series(rng.random(len(spans)) < share)
    return spans.with_columns(
        start=pl.when(turned).then("end").otherwise("start"),
        end=pl.when(turned).then("start").otherwise("end"),
    )


def _repeat(spans: pl.DataFrame, rng: np.random.Generator, *, share: float) -> pl.DataFrame:
    """Deliver some spans twice."""
    times = pl.Series(1 + (rng.random(len(spans)) < share)).cast(pl.UInt32)
    rows = pl.int_range(len(spans), dtype=pl.UInt32, eager=True)
    return spans[rows.repeat_by(times).explode()]


def _misdate(
    frame: pl.DataFrame, column: str, rng: np.random.Generator, *, count: int
) -> pl.DataFrame:
    """Give a few rows a date long before there were computers."""
    if frame.is_empty():
        return frame
    rows = set(rng.integers(0, len(frame), count).tolist())
    old = pl.int_range(len(frame), eager=True).is_in(list(rows))
    dated = pl.when(old).then(pl.lit(_OLD, dtype=frame.schema[column])).otherwise(pl.col(column))
    return frame.with_columns(dated.alias(column))


def _inflate(logs: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Make one log line enormous."""
    if logs.is_empty():
        return logs
    huge = pl.int_range(len(logs), eager=True) == int(rng.integers(len(logs)))
    body = pl.when(huge).then(pl.col("body") + pl.lit(" x" * (_HUGE_LINE // 2)))
    return logs.with_columns(body=body.otherwise(pl.col("body")))


def _blank(metrics: pl.DataFrame, rng: np.random.Generator, *, share: float) -> pl.DataFrame:
    """Turn some samples into NaN and drop as many others."""
    draw = rng.random(len(metrics))
    value = pl.when(pl.Series(draw < share)).then(float("nan")).otherwise(pl.col("value"))
    return metrics.with_columns(value=value).filter(pl.Series(draw < 1.0 - share))


def _delay(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Let one row in a hundred arrive last, so that rows are no longer in order of time."""
    late = pl.Series(rng.random(len(frame)) < 0.01)
    return pl.concat([frame.filter(~late), frame.filter(late)])
