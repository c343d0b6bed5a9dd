"""What has arrived: services send their spans in batches, so the newest seconds are ragged.

Where calls were answered and the spans of who answered are missing, they are under way. Compared
with whole traces, such halves look like a system that stopped working; so they are left aside. A
service that does not answer any more is another matter: its callers wait, or fail.
"""

from dataclasses import dataclass, replace

import polars as pl

from assistant.engine.normalise import numbered, trace_starts
from assistant.engine.question import Question, Telemetry
from assistant.engine.windows import from_us

TAIL_US, BIN_US = 10_000_000, 1_000_000  # exporters wait five seconds by default
COMPARED_US = 5 * 60 * 1_000_000
MIN_CALLS, USUALLY_MISSING, MISSING = 20, 0.05, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What is complete, and where it ends; `gap` says what was left aside."""

    telemetry: Telemetry
    spans: pl.DataFrame
    question: Question
    gap: str


def arrived(telemetry: Telemetry, question: Question, spans: pl.DataFrame) -> Arrived | None:
    """Return what is left without the ragged end, null where there is none.

    `spans` are the normalised ones of the telemetry, whose own are left as they are.
    """
    if question.onset is not None or spans.is_empty():
        return None
    late = _late(spans)
    if late.is_empty():
        return None
    since_us = int(str(late.get_column("since").min()))
    services = ", ".join(sorted(late.get_column("callee").to_list()))
    since = from_us(since_us)
    kept = replace(telemetry, logs=telemetry.logs.filter(pl.col("time") < since))
    gap = f"spans of {services} since {since:%H:%M:%S} UTC have not arrived: what began later waits"
    return Arrived(
        telemetry=kept,
        spans=_before(spans, since_us),
        question=replace(question, horizon=since, at=min(question.at, since)),
        gap=gap,
    )


def _before(spans: pl.DataFrame, since_us: int) -> pl.DataFrame:
    """Return the spans of traces that began before; rows and parents are numbered anew."""
    keep = (trace_starts(spans) < since_us).gather(spans.get_column("trace"))
    place = keep.cum_sum().cast(pl.Int64) - 1
    parent = spans.get_column("parent")
    renamed = place.gather(parent).cast(parent.dtype)
    kept = spans.with_columns(renamed.alias("parent")).filter(keep)
    kept = kept.with_columns(numbered(kept.get_column("trace")))
    return kept.drop("ix").with_row_index("ix").select(spans.columns)


def _late(spans: pl.DataFrame) -> pl.DataFrame:
    """Return each `callee` whose answers lack spans at the end, and `since` when (µs)."""
    end = int(str(spans.get_column("us").max()))
    calls = spans.lazy().filter(
        (pl.col("role") == "call")
        & ~pl.col("failed").fill_null(value=False)
        & (pl.col("us") >= end - COMPARED_US)
    )
    parents = spans.get_column("parent").drop_nulls().unique().implode()
    found = calls.select(
        pl.col("callee").cast(pl.String),
        ((end - pl.col("us")) // BIN_US).alias("ago"),
        "us",
        (~pl.col("ix").is_in(parents)).alias("missing"),
    ).collect()
    tail = pl.col("ago") < TAIL_US // BIN_US
    usual = (
        found.filter(~tail)
        .group_by("callee")
        .agg(pl.len().alias("n"), pl.col("missing").mean().alias("usually"))
        .filter((pl.col("n") >= MIN_CALLS) & (pl.col("usually") < USUALLY_MISSING))
    )
    bins = (
        found.filter(tail)
        .join(usual, on="callee")
        .group_by("callee", "ago")
        .agg(
            pl.col("missing").mean().alias("share"),
            pl.col("us").filter(pl.col("missing")).min().alias("first"),
        )
        .sort("callee", "ago")
    )
    # From the end backwards, for as long as answers lack their spans.
    broken = (pl.col("share") > MISSING).cast(pl.Int8).cum_min().over("callee") == 1
    return bins.filter(broken).group_by("callee").agg(pl.col("first").min().alias("since"))
