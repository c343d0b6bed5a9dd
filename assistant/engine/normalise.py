"""Spans as the other stages want them: clean, joined to their parents, with self time and role.

Real spans are dirty: duplicated, orphaned, skewed, without kind or status. What is repaired or
dropped here is counted, and the counts become gaps that a person can read.
"""

from dataclasses import dataclass

import polars as pl

from assistant.engine.selftime import covered_us

MAX_DURATION_US = 3_600_000_000  # an hour: longer spans are streams or broken clocks
ORPHANS_WORTH_A_WORD = 0.05
MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Traces:
    """One row a span, with the columns that `normalise` lists; `gaps` are sentences."""

    spans: pl.DataFrame
    gaps: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return self.spans.is_empty()


def normalise(raw: pl.DataFrame) -> Traces:
    """Return spans with `us` (start), `dur_us`, `self_ms`, `role`, `callee`, `failed`, parents.

    role: `entry` (a service starts to work on a request), `call` (it waits for another component,
    named by `callee`), `inner` (the rest), `async` (nobody waits for it). `failed` is null where
    the status is unknown; `origin` is true where a span failed and no child of it did.
    """
    spans, gaps = _clean(raw)
    spans = _with_parents(spans)
    spans = _with_children(spans)
    spans = _with_roles(spans)
    spans = _with_self_time(spans)
    orphans = int(spans.get_column("orphan").sum())
    if spans.height and orphans / spans.height > ORPHANS_WORTH_A_WORD:
        gaps.append(f"{orphans} of {spans.height} spans have a parent that was not received")
    return Traces(spans, tuple(gaps))


def _clean(raw: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    gaps: list[str] = []
    spans = raw.select(
        "trace_id",
        "span_id",
        "parent_span_id",
        pl.col("service").cast(pl.String).fill_null("unknown"),
        pl.col("instance").cast(pl.String),
        pl.col("name").cast(pl.String).fill_null("unknown"),
        pl.col("kind").cast(pl.String),
        pl.col("status").cast(pl.String),
        pl.col("version").cast(pl.String),
        pl.col("peer").cast(pl.String),
        (pl.col("start").cast(pl.Int64) // 1000).alias("us"),
        ((pl.col("end") - pl.col("start")).dt.total_microseconds()).alias("dur_us"),
    )
    usable = spans.filter(
        pl.col("trace_id").is_not_null() & pl.col("us").is_not_null() & (pl.col("dur_us") >= 0)
    )
    if usable.height < spans.height:
        gaps.append(
            f"{spans.height - usable.height} spans without id or with an end before the start"
        )
    unique = usable.unique(["trace_id", "span_id"], keep="first", maintain_order=True)
    if usable.height - unique.height > usable.height * 0.01:
        gaps.append(f"{usable.height - unique.height} spans were received twice")
    return unique.with_columns(pl.col("dur_us").clip(0, MAX_DURATION_US)).with_row_index("ix"), gaps


def _with_parents(spans: pl.DataFrame) -> pl.DataFrame:
    parents = spans.select(
        "trace_id",
        pl.col("span_id").alias("parent_span_id"),
        pl.col("ix").alias("parent"),
        pl.col("service").alias("parent_service"),
        pl.col("name").alias("parent_name"),
        pl.col("kind").alias("parent_kind"),
        pl.col("us").alias("parent_us"),
        pl.col("dur_us").alias("parent_dur_us"),
    )
    joined = spans.join(
        parents, on=["trace_id", "parent_span_id"], how="left", maintain_order="left"
    )
    remote = (pl.col("service") != pl.col("parent_service")) | (
        (pl.col("kind") == "server") & (pl.col("parent_kind") == "client")
    )
    return joined.with_columns(
        (pl.col("parent").is_not_null() & remote.fill_null(value=False)).alias("remote"),
        (pl.col("parent_span_id").is_not_null() & pl.col("parent").is_null()).alias("orphan"),
        (
            pl.col("kind").is_in(["consumer"])
            | (pl.col("us") >= pl.col("parent_us") + pl.col("parent_dur_us") + 1000)
        )
        .fill_null(value=False)
        .alias("async"),
        pl.when(pl.col("status").is_null())
        .then(None)
        .otherwise(pl.col("status") == "error")
        .alias("failed"),
    )


def _with_children(spans: pl.DataFrame) -> pl.DataFrame:
    children = (
        spans.filter(pl.col("parent").is_not_null())
        .group_by("parent")
        .agg(
            pl.col("service").filter(pl.col("remote")).first().alias("remote_child"),
            pl.col("instance").filter(pl.col("remote")).first().alias("callee_instance"),
            pl.col("failed").any().fill_null(value=False).alias("child_failed"),
        )
        .rename({"parent": "ix"})
    )
    return spans.join(children, on="ix", how="left", maintain_order="left").with_columns(
        pl.col("child_failed").fill_null(value=False)
    )


def _with_roles(spans: pl.DataFrame) -> pl.DataFrame:
    """Give each span its role; an operation whose spans mostly leave the service is a call."""
    operation = ["service", "name"]
    known = spans.filter(pl.col("remote_child").is_not_null())
    usual = (
        known.group_by([*operation, "remote_child"])
        .len()
        .sort(["len", "remote_child"], descending=[True, False])
        .group_by(operation, maintain_order=True)
        .agg(
            pl.col("remote_child").first().alias("usual_callee"),
            pl.col("remote_child").len().alias("callees"),
            pl.col("len").sum().alias("left"),
        )
    )
    spans = spans.join(usual, on=operation, how="left", maintain_order="left")
    share = (pl.col("left") / pl.len().over(operation)).fill_null(0.0)
    # A framework span that only forwards (a filter, a handler) leaves the service too, but it is
    # not where the service waits: only the innermost span before the border is the call.
    leaves = (pl.col("kind") == "client") | (pl.col("kind").is_null() & (share > MOSTLY))
    callee = pl.coalesce(
        "remote_child",
        "peer",
        pl.when((pl.col("callees") == 1) & leaves).then(pl.col("usual_callee")),
    )
    entry = pl.col("parent").is_null() | pl.col("remote")
    waits_on_nobody = pl.col("async") | (pl.col("kind") == "producer").fill_null(value=False)
    return spans.with_columns(
        pl.when(waits_on_nobody)
        .then(pl.lit("async"))
        .when(
            leaves
            & callee.is_not_null()
            & ~((pl.col("kind") != "client").fill_null(value=True) & entry)
        )
        .then(pl.lit("call"))
        .when(entry)
        .then(pl.lit("entry"))
        .otherwise(pl.lit("inner"))
        .alias("role"),
        callee.alias("callee"),
        (pl.col("failed") & ~pl.col("child_failed")).alias("origin"),
    ).drop("usual_callee", "callees", "left", "remote_child")


def _with_self_time(spans: pl.DataFrame) -> pl.DataFrame:
    """Subtract the union of the children, each moved inside its parent (clocks differ by host)."""
    children = spans.filter(pl.col("parent").is_not_null() & ~pl.col("async"))
    length = pl.min_horizontal("dur_us", "parent_dur_us")
    start = (pl.col("us") - pl.col("parent_us")).clip(0, pl.col("parent_dur_us") - length)
    placed = children.select(
        pl.col("parent").cast(pl.Int64), start.alias("first"), (start + length).alias("last")
    )
    covered = covered_us(
        placed.get_column("parent").to_numpy(),
        placed.get_column("first").to_numpy(),
        placed.get_column("last").to_numpy(),
        spans.height,
    )
    return spans.with_columns(
        ((pl.col("dur_us") - pl.Series("covered", covered)).clip(0) / 1000.0).alias("self_ms")
    )
