"""Spans as the other stages want them: clean, joined to their parents, with self time and role.

Real spans are dirty: duplicated, orphaned, skewed, without kind or status. What is repaired or
dropped here is counted, and the counts become gaps that a person can read.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assistant.engine.selftime import covered_us

MAX_DURATION_US = 3_600_000_000  # an hour: longer spans are streams or broken clocks
ORPHANS_WORTH_A_WORD = 0.05
MOSTLY = 0.5
MAX_OPERATIONS = 5_000  # names; every test is made for each of them
VARYING = r"[^/\s?&=:]*[0-9][^/\s?&=:]*"
OTHER = "(other operations)"
ROLES = pl.Enum(["entry", "call", "inner", "async"])


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

    `ix` is a span's row, `parent` that of its parent, `trace` a number for its trace. role: `entry`
    (a service starts to work on a request), `call` (it waits for another component, named by
    `callee`), `inner` (the rest), `async` (nobody waits for it). `failed` is null where
    the status is unknown; `origin` is true where a span failed and no child of it did. `op` is a
    number for service and name: the same for the same, and nothing beyond that.
    """
    spans, gaps = _clean(raw)
    spans = _with_parents(spans)
    orphans = int((spans["parent_span_id"].is_not_null() & spans["parent"].is_null()).sum())
    spans = _with_children(spans)
    spans = _with_roles(spans)
    spans = _with_self_time(spans)
    if spans.height and orphans / spans.height > ORPHANS_WORTH_A_WORD:
        gaps.append(f"{orphans} of {spans.height} spans have a parent that was not received")
    return Traces(spans, tuple(gaps))


def _clean(raw: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    gaps: list[str] = []
    spans = raw.select(
        "trace_id",
        "span_id",
        "parent_span_id",
        _shared("service").fill_null("unknown"),
        pl.col("instance").cast(pl.String),
        _shared("name").fill_null("unknown"),
        pl.col("kind").cast(pl.String),
        pl.col("status").cast(pl.String),
        pl.col("version").cast(pl.String),
        _shared("peer"),
        (pl.col("start").cast(pl.Int64) // 1000).alias("us"),
        ((pl.col("end") - pl.col("start")).dt.total_microseconds()).alias("dur_us"),
    )
    known = pl.col("trace_id").is_not_null() & pl.col("us").is_not_null()
    usable = spans.select((known & (pl.col("dur_us") >= 0)).fill_null(value=False)).to_series()
    received = int(usable.sum())
    if received < spans.height:
        gaps.append(f"{spans.height - received} spans without id or with an end before the start")
        # A filter copies every column, and hardly a frame has anything to leave out.
        spans = spans.filter(usable)
    if not _apart(spans):
        spans = _once(spans)
    if received - spans.height > received * 0.01:
        gaps.append(f"{received - spans.height} spans were received twice")
    return _told_apart(spans, gaps).with_columns(
        pl.col("dur_us").clip(0, MAX_DURATION_US),
        pl.col("trace_id").cast(pl.Categorical).to_physical().alias("trace"),
    ).with_row_index("ix"), gaps


def _once(spans: pl.DataFrame) -> pl.DataFrame:
    """Keep one of each span; where copies differ, the same one whatever came first."""
    ids = ["trace_id", "span_id"]
    doubled = spans.select(pl.struct(ids).is_duplicated()).to_series()
    copies = spans.with_row_index("place").filter(doubled)
    kept = copies.sort(
        "us", "dur_us", "status", "kind", "parent_span_id", "place", nulls_last=True
    ).unique(ids, keep="first", maintain_order=True)
    mask = (~doubled).to_numpy(writable=True)
    mask[kept.get_column("place").to_numpy()] = True
    return spans.filter(pl.Series(mask))


def _told_apart(spans: pl.DataFrame, gaps: list[str]) -> pl.DataFrame:
    """Take what varies out of the names where they are too many to be names of operations."""
    seen = spans.get_column("name").n_unique()
    if seen <= MAX_OPERATIONS:
        return spans
    gaps.append(f"{seen} names of operations were seen: what varies in them was left out")
    masked = spans.with_columns(pl.col("name").str.replace_all(VARYING, "<*>"))
    counts = masked.group_by("name").len().sort(["len", "name"], descending=[True, False])
    common = counts.get_column("name").head(MAX_OPERATIONS)
    kept = pl.col("name").is_in(common.implode())
    return masked.with_columns(pl.when(kept).then("name").otherwise(pl.lit(OTHER)).alias("name"))


def _shared(name: str) -> pl.Expr:
    """Return a column of text of which equal values lie in one place: all that groups is faster."""
    return pl.col(name).cast(pl.Categorical).cast(pl.String)


def _apart(spans: pl.DataFrame) -> bool:
    """Tell whether no two spans share an id, as the ids of most tracers never do."""
    hashes = np.sort(spans.get_column("span_id").hash().to_numpy())
    return bool((hashes[1:] != hashes[:-1]).all())


def rows_of(spans: pl.DataFrame, trace_id: pl.Series, span_id: pl.Series) -> pl.Series:
    """Return for each pair of ids the row (`ix`) of the span that has them, null if none has.

    Where no two spans share an id, numbers are looked up instead of text: several times faster.
    """
    wanted = pl.DataFrame({"trace_id": trace_id, "span_id": span_id})
    hashes = spans.get_column("span_id").hash().to_numpy()
    order = np.argsort(hashes)
    known = hashes[order]
    if not known.size or (known[1:] == known[:-1]).any():
        ids = ["trace_id", "span_id"]
        rows = spans.select(*ids, "ix")
        return wanted.join(rows, on=ids, how="left", maintain_order="left").get_column("ix")
    asked = wanted.get_column("span_id").hash().to_numpy()
    # Looked up in order, each look-up lands beside the one before it.
    turn = np.argsort(asked)
    place = np.empty(asked.size, dtype=np.uint32)
    near = np.minimum(np.searchsorted(known, asked[turn]), known.size - 1)
    place[turn] = order[near]
    row = pl.Series("ix", place)
    right = (spans.get_column("span_id").gather(row) == wanted.get_column("span_id")) & (
        spans.get_column("trace_id").gather(row) == wanted.get_column("trace_id")
    )
    return wanted.select(pl.when(right).then(row).alias("ix")).to_series()


def _with_parents(spans: pl.DataFrame) -> pl.DataFrame:
    ids = [spans.get_column(name) for name in ("trace_id", "parent_span_id")]
    parent = rows_of(spans, *ids).alias("parent")
    of_parent = [
        spans.get_column(name).gather(parent).alias(f"parent_{name}") for name in ("us", "dur_us")
    ]
    service, kind = spans.get_column("service"), spans.get_column("kind")
    remote = (service != service.gather(parent)) | (
        (kind == "server") & (kind == "client").gather(parent)
    )
    late = pl.col("us") >= pl.col("parent_us") + pl.col("parent_dur_us") + 1000
    return (
        spans.with_columns(parent, *of_parent)
        .with_columns(
            (parent.is_not_null() & remote.fill_null(value=False)).alias("remote"),
            ((pl.col("kind") == "consumer") | late).fill_null(value=False).alias("async"),
            (pl.col("status") == "error").alias("failed"),
        )
        .drop("status")
    )


def _with_children(spans: pl.DataFrame) -> pl.DataFrame:
    """Add what a span's children tell: who was called, on which instance, and did one fail."""
    remote = spans.select("ix", "parent", "us", "span_id").filter(spans.get_column("remote"))
    several = remote.filter(pl.col("parent").is_duplicated()).sort("us", "span_id", descending=True)
    first = np.full(spans.height, -1, dtype=np.int64)
    # Of several values for one place the last one stays: backwards, that is the earliest child.
    for children in (remote, several):
        first[children.get_column("parent").to_numpy()] = children.get_column("ix").to_numpy()
    place = pl.Series(first)
    child = place.set(place < 0, None)
    broken = spans.select("parent", "failed").filter("failed").get_column("parent").drop_nulls()
    failed = np.zeros(spans.height, dtype=np.bool_)
    failed[broken.to_numpy()] = True
    return spans.with_columns(
        spans.get_column("service").gather(child).alias("remote_child"),
        spans.get_column("instance").gather(child).alias("callee_instance"),
        pl.Series("child_failed", failed),
    )


def _with_roles(spans: pl.DataFrame) -> pl.DataFrame:
    """Give each span its role; an operation whose spans mostly leave the service is a call."""
    code = (pl.col(name).cast(pl.Categorical).to_physical() for name in ("service", "name"))
    service, name = (c.cast(pl.Int64) for c in code)
    spans = spans.with_columns((service * (1 << 32) + name).alias("operation"))
    usual = (
        spans.select("operation", "remote_child")
        .filter(pl.col("remote_child").is_not_null())
        .group_by("operation", "remote_child")
        .len()
        .sort(["len", "remote_child"], descending=[True, False])
        .group_by("operation", maintain_order=True)
        .agg(
            pl.col("remote_child").first().alias("usual_callee"),
            pl.col("remote_child").len().alias("callees"),
            pl.col("len").sum().alias("left"),
        )
    )
    known = spans.group_by("operation").len("runs").with_row_index("op")
    told = spans.select("operation").join(
        known.join(usual, on="operation", how="left"),
        on="operation",
        how="left",
        maintain_order="left",
    )
    spans = spans.with_columns(told.drop("operation"))
    share = (pl.col("left") / pl.col("runs")).fill_null(0.0)
    # A framework span that only forwards (a filter, a handler) leaves the service too, but it is
    # not where the service waits: only the innermost span before the border is the call.
    # Who tells no kinds may tell whom a span speaks to, and that makes it a call as well.
    outward = (share > MOSTLY) | (pl.col("peer") != pl.col("service")).fill_null(value=False)
    leaves = (pl.col("kind") == "client") | (pl.col("kind").is_null() & outward)
    callee = pl.coalesce(
        "remote_child",
        "peer",
        pl.when((pl.col("callees") == 1) & leaves).then(pl.col("usual_callee")),
    )
    entry = pl.col("parent").is_null() | pl.col("remote")
    waits_on_nobody = pl.col("async") | (pl.col("kind") == "producer").fill_null(value=False)
    return spans.with_columns(
        pl.when(waits_on_nobody)
        .then(pl.lit("async", ROLES))
        .when(
            leaves
            & callee.is_not_null()
            & ~((pl.col("kind") != "client").fill_null(value=True) & entry)
        )
        .then(pl.lit("call", ROLES))
        .when(entry)
        .then(pl.lit("entry", ROLES))
        .otherwise(pl.lit("inner", ROLES))
        .alias("role"),
        callee.alias("callee"),
        (pl.col("failed") & ~pl.col("child_failed")).alias("origin"),
    ).drop("operation", *usual.columns[1:], "runs", "remote_child", "peer", "kind")


def _with_self_time(spans: pl.DataFrame) -> pl.DataFrame:
    """Subtract the union of the children, each moved inside its parent (clocks differ by host)."""
    length = pl.min_horizontal("dur_us", "parent_dur_us")
    start = (pl.col("us") - pl.col("parent_us")).clip(0, pl.col("parent_dur_us") - length)
    placed = (
        spans.select("parent", "async", "us", "dur_us", "parent_us", "parent_dur_us")
        .filter(pl.col("parent").is_not_null() & ~pl.col("async"))
        .select(
            pl.col("parent").cast(pl.Int64), start.alias("first"), (start + length).alias("last")
        )
    )
    covered = covered_us(
        placed.get_column("parent").to_numpy(),
        placed.get_column("first").to_numpy(),
        placed.get_column("last").to_numpy(),
        spans.height,
    )
    return spans.with_columns(
        ((pl.col("dur_us") - pl.Series("covered", covered)).clip(0) / 1000.0).alias("self_ms")
    ).drop("async", "parent_us", "parent_dur_us")
