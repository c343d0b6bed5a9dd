"""Spans as the other stages want them: clean, joined to their parents, with self time and role.

Real spans are dirty: duplicated, orphaned, skewed, without kind or status. What is repaired or
dropped here is counted, and the counts become gaps that a person can read.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assistant.engine.ids import SpanIds
from assistant.engine.selftime import covered_us

MAX_DURATION_US = 3_600_000_000  # an hour: longer spans are streams or broken clocks
ORPHANS_WORTH_A_WORD = 0.05
MOSTLY = 0.5
TOLERANCE_US = 1_000  # clocks of one host are read in whole milliseconds
NAMED = 3
NAMELESS = "unknown"  # the service of spans that name none: nobody can be blamed for them
SPARSE = 16  # times as many codes as values, beyond which a table of all codes is too large
MAX_OPERATIONS = 5_000  # names; every test is made for each of them
VARYING = r"[^/\s?&=:]*[0-9][^/\s?&=:]*"
OTHER = "(other operations)"
ROLES = pl.Enum(["entry", "call", "inner", "async"])


@dataclass(frozen=True, slots=True)
class Traces:
    """One row a span, with the columns that `normalise` lists; `gaps` are sentences."""

    spans: pl.DataFrame
    ids: SpanIds
    gaps: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return self.spans.is_empty()


def normalise(raw: pl.DataFrame) -> Traces:
    """Return spans with `us` (start), `dur_us`, `self_ms`, `role`, `callee`, `failed`, parents.

    `ix` is a span's row, `parent` that of its parent, `trace` the number (0…) of its trace. role:
    `entry` (a service starts to work on a request), `call` (it waits for another component, named
    by `callee`), `inner` (the rest), `async` (nobody waits for it). `failed` is null where the
    status is unknown; `origin` is true where a span failed and no child of it did; `answers` where
    it is the other side of its parent, a call. `op` is a number for service and name: the same for
    the same, and nothing beyond that.
    """
    spans, ids, gaps = _clean(raw)
    spans = _with_parents(spans, ids)
    gaps += _clocks(spans)
    orphans = int((spans["parent_span_id"].is_not_null() & spans["parent"].is_null()).sum())
    spans = _with_children(spans)
    spans = _with_roles(spans)
    spans = _with_self_time(spans)
    if spans.height and orphans / spans.height > ORPHANS_WORTH_A_WORD:
        gaps.append(f"{orphans} of {spans.height} spans have a parent that was not received")
    return Traces(spans, ids, tuple(gaps))


def _clean(raw: pl.DataFrame) -> tuple[pl.DataFrame, SpanIds, list[str]]:
    gaps: list[str] = []
    spans = raw.select(
        "trace_id",
        "span_id",
        "parent_span_id",
        _shared("service").fill_null(NAMELESS),
        pl.col("instance").cast(pl.String),
        _shared("name").fill_null("unknown"),
        pl.col("kind").cast(pl.String),
        pl.col("status").cast(pl.String),
        pl.col("version").cast(pl.String),
        _shared("peer"),
        (pl.col("start").cast(pl.Int64) // 1000).alias("us"),
        ((pl.col("end") - pl.col("start")).dt.total_microseconds()).alias("dur_us"),
    )
    nameless = raw.get_column("service").null_count()
    if nameless:
        told = "1 span names" if nameless == 1 else f"{nameless} spans name"
        gaps.append(f"{told} no service (service.name): who is at fault there cannot be told")
    known = pl.col("trace_id").is_not_null() & pl.col("us").is_not_null()
    usable = spans.select((known & (pl.col("dur_us") >= 0)).fill_null(value=False)).to_series()
    received = int(usable.sum())
    if received < spans.height:
        gaps.append(f"{spans.height - received} spans without id or with an end before the start")
        # A filter copies every column, and hardly a frame has anything to leave out.
        spans = spans.filter(usable)
    ids = SpanIds.of(spans)
    if not ids.apart:
        spans = _once(spans)
        ids = SpanIds.of(spans)
    if received - spans.height > received * 0.01:
        gaps.append(f"{received - spans.height} spans were received twice")
    beyond = int((spans.get_column("dur_us") > MAX_DURATION_US).sum())
    if beyond:
        lasts = "1 span lasts" if beyond == 1 else f"{beyond} spans last"
        gaps.append(f"{lasts} more than an hour, and counted as an hour")
    spans = _told_apart(spans, gaps).with_columns(
        pl.col("dur_us").clip(0, MAX_DURATION_US),
        numbered(spans.get_column("trace_id")).alias("trace"),
    )
    return spans.with_row_index("ix"), ids, gaps


def numbered(values: pl.Series) -> pl.Series:
    """Return a number for each value, the same for the same, from 0 without gaps."""
    told = values.cast(pl.Categorical) if values.dtype == pl.String else values
    codes = told.to_physical().to_numpy()
    if not codes.size:
        return pl.Series(values.name, [], dtype=pl.UInt32)
    codes = codes - codes.min()
    if codes.max() > SPARSE * codes.size:
        return pl.Series(values.name, np.unique(codes, return_inverse=True)[1].astype(np.uint32))
    used = np.zeros(int(codes.max()) + 1, dtype=np.bool_)
    used[codes] = True
    return pl.Series(values.name, (np.cumsum(used, dtype=np.uint32) - 1)[codes])


def trace_starts(spans: pl.DataFrame) -> pl.Series:
    """Return when each trace began (`us`), by its number (`trace`)."""
    trace = spans.get_column("trace").to_numpy()
    first = np.full(int(trace.max()) + 1 if trace.size else 0, np.iinfo(np.int64).max)
    np.minimum.at(first, trace, spans.get_column("us").to_numpy())
    return pl.Series("us", first)


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


def _with_parents(spans: pl.DataFrame, ids: SpanIds) -> pl.DataFrame:
    pair = (spans.get_column(name) for name in ("trace_id", "parent_span_id"))
    parent = ids.rows(*pair).alias("parent")
    of_parent = [
        spans.get_column(name).gather(parent).alias(f"parent_{name}") for name in ("us", "dur_us")
    ]
    service, kind = spans.get_column("service"), spans.get_column("kind")
    remote = (service != service.gather(parent)) | (
        (kind == "server") & (kind == "client").gather(parent)
    )
    # Who answers a call is waited for: if that seems to begin after the call, clocks differ.
    answers = (kind == "server") & (kind == "client").gather(parent)
    late = pl.col("us") >= pl.col("parent_us") + pl.col("parent_dur_us") + TOLERANCE_US
    late &= ~pl.col("answers")
    return (
        spans.with_columns(parent, *of_parent, answers.fill_null(value=False).alias("answers"))
        .with_columns(
            (parent.is_not_null() & remote.fill_null(value=False)).alias("remote"),
            ((pl.col("kind") == "consumer") | late).fill_null(value=False).alias("async"),
            (pl.col("status") == "error").alias("failed"),
        )
        .drop("status")
    )


def _clocks(spans: pl.DataFrame) -> list[str]:
    """Tell between whom answers begin outside the calls that they answer, as a rule."""
    after = pl.col("us") - pl.col("parent_us")
    outside = (after < -TOLERANCE_US) | (after >= pl.col("parent_dur_us") + TOLERANCE_US)
    off = (
        spans.lazy()
        .filter("answers")
        .select("parent", "service", "instance", outside.alias("outside"))
        .collect()
    )
    if not off.get_column("outside").any():
        return []
    caller = spans.get_column("service").gather(off.get_column("parent")).alias("caller")
    ends = ["caller", "service"]
    strayed = (
        off.with_columns(caller)
        .group_by(*ends, "instance")
        .agg(pl.col("outside").sum(), pl.len().alias("n"))
        .filter(pl.col("outside") > pl.col("n") * MOSTLY)
        .group_by(ends)
        .agg(pl.col("outside").sum())
        .sort(["outside", *ends], descending=[True, False, False])
    )
    if strayed.is_empty():
        return []
    named = [f"{a} and {b}" for a, b in strayed.select(ends).head(NAMED).iter_rows()]
    between = ", ".join(named) + (", and others" if strayed.height > NAMED else "")
    moved = strayed.get_column("outside").sum()
    return [f"clocks differ between {between}: {moved} spans were moved into the calls they answer"]


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
    service, name = (numbered(spans.get_column(key)) for key in ("service", "name"))
    names = int(name.max() or 0) + 1  # type: ignore[arg-type]
    op = numbered(service.cast(pl.Int64) * names + name)
    spans = spans.with_columns(op.alias("op"))
    callees = (
        spans.select("op", "remote_child")
        .filter(pl.col("remote_child").is_not_null())
        .group_by("op", "remote_child")
        .len()
        .group_by("op")
        .agg(pl.col("remote_child").first(), pl.len().alias("callees"), pl.col("len").sum())
    )
    runs = pl.DataFrame({"runs": np.bincount(op.to_numpy())}).with_row_index("op")
    usual = runs.join(callees, on="op", how="left", maintain_order="left").select(
        (pl.col("len") > pl.col("runs") * MOSTLY).fill_null(value=False).alias("leaves"),
        pl.when(pl.col("callees") == 1).then("remote_child").alias("only_callee"),
    )
    spans = spans.with_columns(usual.get_column(name).gather(op) for name in usual.columns)
    # A framework span that only forwards (a filter, a handler) leaves the service too, but it is
    # not where the service waits: only the innermost span before the border is the call.
    # Who tells no kinds may tell whom a span speaks to, and that makes it a call as well.
    outward = pl.col("leaves") | (pl.col("peer") != pl.col("service")).fill_null(value=False)
    leaves = (pl.col("kind") == "client") | (pl.col("kind").is_null() & outward)
    callee = pl.coalesce(
        "remote_child",
        "peer",
        pl.when(leaves).then("only_callee"),
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
    ).drop(*usual.columns, "remote_child", "peer", "kind")


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
