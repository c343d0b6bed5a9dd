"""What an operation does when it runs: the calls it makes and the lines it writes.

Everything is conditional on the operation having run: behind a failure all counts drop, and only
"given that it ran, it no longer did this" tells the broken component from the starved one.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import polars as pl

from assistant.engine.contrast import mean_shift, share_shift
from assistant.engine.normalise import numbered
from assistant.engine.shift import Mechanism, Shift, saturate
from assistant.engine.windows import OUTSIDE

Usual = TypeVar("Usual", pl.Expr, pl.Series)

KEYS = ["service", "name", "event", "target", "target_service"]
KEY = ["key"]  # one number for all of them
BEYOND, PLACES = 1 << 32, 1 << 10  # more than any row, category or operation; than buckets
MIN_G = 10.0
HALF_G = 30.0
MIN_CHANGE = 0.02
MIN_ADDED = 0.5
MIN_T = 3.0
HALF_ADDED = 2.0
HALF_CERTAIN = 10.0
HALF_REACH = 0.03  # deviating executions per request at which an effect is half as bad as can be
MOST = 0.95  # quantile: no more calls than this are usual
SEVERAL = 2
UNLINKED = "(any)"
# Who answers a call under what name is the callee's business: a new one is no other call.
_NAME = pl.when("answers").then(pl.lit("answer of ") + pl.col("service")).otherwise(pl.col("name"))


def table(spans: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """Return per (operation, event, target) and bucket: n executions, hits, event counts.

    `key` is a number for what stands in `KEYS`.
    """
    ran, names = _executions(spans), _operations(spans)
    parts = [
        p for p in (_calls(spans, ran, names), _lines(spans, logs, ran, names)) if p is not None
    ]
    if not parts:
        return pl.DataFrame(schema=_SCHEMA)
    ahead = [0, *(int(p.get_column("key").max() or 0) + 1 for p in parts[:-1])]  # type: ignore[arg-type]
    return pl.concat(
        p.with_columns(pl.col("key") + first) for p, first in zip(parts, ahead, strict=True)
    )


_SCHEMA = {
    "key": pl.Int64,
    **dict.fromkeys(KEYS, pl.String),
    "bucket": pl.Int32,
    "n": pl.Int64,
    "hits": pl.Int64,
    "many": pl.Int64,
    "full": pl.Int64,
    "typical": pl.Float64,
    "total": pl.Float64,
    "squares": pl.Float64,
    "ms": pl.Float64,
}


def _calls(spans: pl.DataFrame, ran: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame | None:
    if spans.is_empty():
        return None
    outward = (pl.col("role") == "call") & (pl.col("callee") != pl.col("service"))
    name, to = (_code(text) for text in (_NAME, pl.coalesce("callee", "service")))
    what = (2 * name + outward.fill_null(value=False)) * (1 << 32) + to
    ways = spans.select("parent", what.alias("what"))
    told = spans.select("name", "role", "callee", "service", "answers")
    texts = _first_of(ways, "what", told).select(
        "what",
        pl.lit("call").alias("event"),
        _target().alias("target"),
        pl.coalesce("callee", "service").alias("target_service"),
    )
    dense = texts.select("what").with_row_index("number")
    texts = texts.with_columns(dense.get_column("number").alias("what"))
    ways = ways.drop_nulls("parent").join(dense, on="what", how="left", maintain_order="left")
    made = _placed(ways.get_column("parent"), ways.get_column("number"), spans)
    del ways
    return _complete(made, ran, names, texts)


def _code(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Categorical).to_physical().cast(pl.Int64)


def _first_of(codes: pl.DataFrame, name: str, told: pl.DataFrame) -> pl.DataFrame:
    """Return what the first row with each code tells, one row a code."""
    first = codes.select(name).with_row_index("row").group_by(name).agg(pl.col("row").min())
    return told[first.get_column("row").to_numpy()].with_columns(first.get_column(name))


def _placed(parent: pl.Series, what: pl.Series, spans: pl.DataFrame) -> pl.DataFrame:
    """Return `op`, `what`, `bucket`, `count` for each execution `parent` and what it did."""
    # Sorted, the many gathers below find their rows beside each other.
    both = parent.to_numpy().astype(np.int64) * BEYOND + what.to_numpy()
    ways, counts = np.unique(both, return_counts=True)
    row = pl.Series(ways // BEYOND, dtype=pl.UInt32)
    return pl.DataFrame(
        {
            "op": spans.get_column("op").gather(row).cast(pl.Int64),
            "what": pl.Series(ways % BEYOND, dtype=pl.UInt32),
            "bucket": spans.get_column("bucket").gather(row),
            "count": pl.Series(counts, dtype=pl.UInt32),
        }
    )


def _executions(spans: pl.DataFrame) -> pl.DataFrame:
    """Return `op`, `bucket`, `n`: how often each operation ran."""
    cell = pl.col("op").cast(pl.Int64) * PLACES + pl.col("bucket") - OUTSIDE
    ran = spans.select(cell.alias("cell")).group_by("cell").len("n")
    return ran.select(
        (pl.col("cell") // PLACES).alias("op"),
        (pl.col("cell") % PLACES + OUTSIDE).cast(pl.Int32).alias("bucket"),
        "n",
    )


def _operations(spans: pl.DataFrame) -> pl.DataFrame:
    """Return `op`, `service`, `name`, one row an operation."""
    return _first_of(spans, "op", spans.select("service", "name")).with_columns(
        pl.col("op").cast(pl.Int64)
    )


def _target() -> pl.Expr:
    """What a child span is to its parent: an operation, or a call to somebody."""
    outward = (pl.col("role") == "call") & (pl.col("callee") != pl.col("service"))
    return pl.when(outward).then(pl.col("name") + " → " + pl.col("callee")).otherwise(_NAME)


def calls_made(spans: pl.DataFrame, executions: pl.DataFrame, target: str) -> pl.DataFrame:
    """Return `executions` (spans with `ix`) with `calls`: how often each made the call `target`."""
    made = (
        spans.filter(pl.col("parent").is_not_null() & (_target() == target))
        .group_by(pl.col("parent").alias("ix"))
        .len("calls")
    )
    return executions.join(made, on="ix", how="left", maintain_order="left").with_columns(
        pl.col("calls").fill_null(0)
    )


def _lines(
    spans: pl.DataFrame, logs: pl.DataFrame, ran: pl.DataFrame, names: pl.DataFrame
) -> pl.DataFrame | None:
    """Return template counts per operation; lines without a known span count per service."""
    if logs.is_empty():
        return None
    what = _code(pl.col("template")).cast(pl.UInt32).alias("what")
    lines = logs.select("bucket", what)
    texts = _first_of(lines, "what", logs.select(pl.col("template").alias("target")))
    row = logs.get_column("row")
    own = spans.get_column("service").gather(row) == logs.get_column("service")
    known = own.fill_null(value=False)
    # A line belongs to the bucket of its operation's trace, else shares could pass 100 %.
    linked = _placed(row.filter(known), lines.get_column("what").filter(known), spans)
    alone = (-1 - _code(pl.col("service"))).alias("op")
    loose = lines.with_columns(logs.select(alone, "service")).filter(~known)
    del lines, row, own, known
    services = loose.group_by("op").agg(pl.col("service").first())
    loose = loose.select("what", pl.lit(1, pl.UInt32).alias("count"), "op", "bucket")
    words = [names, services.with_columns(pl.lit(UNLINKED).alias("name"))]
    executions = [
        ran.join(linked.select("op").unique(), on="op", how="semi"),
        loose.group_by("op", "bucket").len("n"),
    ]
    return _complete(
        pl.concat([f.select("op", "what", "bucket", "count") for f in (linked, loose)]),
        pl.concat([f.select("op", "bucket", "n") for f in executions]),
        pl.concat([f.select("op", "service", "name") for f in words]),
        texts.with_columns(
            pl.lit("line").alias("event"), pl.lit(None, pl.String).alias("target_service")
        ),
    )


def _complete(
    made: pl.DataFrame, executions: pl.DataFrame, names: pl.DataFrame, texts: pl.DataFrame
) -> pl.DataFrame:
    """Sum events per key and bucket, with explicit zeros where an operation ran without them.

    `op` and `what` are numbers, which `names` and `texts` put into words: text for every event
    would take most of the time.
    """
    # One number is grouped faster than two, and what is numbered from 0 needs no join.
    way = made.select(pl.col("op") * (pl.col("what").max() + 1) + pl.col("what")).to_series()
    key = numbered(way)
    made = made.select(key.alias("key"), "op", "what", "bucket", "count")
    kinds = (
        made.group_by("key")
        .agg(
            pl.col("op", "what").first(),
            pl.col("count").filter(pl.col("bucket") >= 0).quantile(MOST).alias("most"),
            pl.col("count").filter(pl.col("bucket") >= 0).median().alias("typical"),
        )
        .sort("key")
        .with_columns(pl.col("key").cast(pl.Int64))
    )
    most, typical = (kinds.get_column(name).gather(key) for name in ("most", "typical"))
    more = made.select(
        (pl.col("key").cast(pl.Int64) * PLACES + pl.col("bucket") - OUTSIDE).alias("cell"),
        "count",
        (pl.col("count") > _grown(most)).alias("many"),
        (pl.col("count") >= typical).alias("full"),
        pl.col("count").cast(pl.Float64).log1p().alias("log"),
    )
    sums = more.group_by("cell").agg(
        pl.len().alias("hits"),
        pl.col("many").sum(),
        pl.col("full").sum(),
        pl.col("log").sum().alias("total"),
        (pl.col("log") ** 2).sum().alias("squares"),
        pl.col("count").sum().cast(pl.Float64).alias("ms"),
    )
    sums = sums.select(
        (pl.col("cell") // PLACES).alias("key"),
        (pl.col("cell") % PLACES + OUTSIDE).cast(pl.Int32).alias("bucket"),
        pl.exclude("cell"),
    )
    return (
        kinds.drop("most")
        .join(executions, on="op")
        .join(sums, on=["key", "bucket"], how="left")
        .with_columns(pl.col("hits", "many", "full", "total", "squares", "ms").fill_null(0))
        .join(names, on="op")
        .join(texts, on="what")
        .with_columns(pl.coalesce("target_service", "service").alias("target_service"))
        .select([pl.col(name).cast(kind) for name, kind in _SCHEMA.items()])
        .sort("key", "bucket")
    )


def _grown(usual: Usual) -> Usual:
    """Return how many calls are more than usual."""
    return usual * 1.5 + MIN_ADDED


def shifts(sums: pl.DataFrame, incident: int, requests: float | None = None) -> list[Shift]:
    """Return missing, added, multiplied and fewer events, the strongest first.

    `requests` is how many there were in the bucket `incident`: what happens to few of them weighs
    less. Null where they are not known.
    """
    if sums.is_empty():
        return []
    moved = share_shift(sums, KEY, incident, above=MIN_G).filter(
        (pl.col("g") > MIN_G) & ((pl.col("r1") - pl.col("r0")).abs() >= MIN_CHANGE)
    )
    out = [_share(row, _kind(row), requests) for row in _worded(moved, sums)]
    out += _fewer(sums, incident, requests)
    calls = sums.filter(pl.col("event") == "call")
    grown = mean_shift(calls, KEY, incident).filter(pl.col("after") > _grown(pl.col("before")))
    # A loop for some of the users moves the mean little against its own spread, but a share much.
    several = calls.join(grown, on="key", how="semi", maintain_order="left")
    many = share_shift(several.with_columns(pl.col("many").alias("hits")), KEY, incident)
    grown = grown.join(many.select(*KEY, "r0", "r1", "g"), on=KEY, how="left").filter(
        (pl.col("t") > MIN_T) | ((pl.col("g") > MIN_G) & (pl.col("r1") > pl.col("r0")))
    )
    out += [_growth(row, requests) for row in _worded(grown, sums)]
    return sorted(out, key=lambda s: (-s.strength, s.service, s.operation or "", s.kind, s.detail))


def _worded(moved: pl.DataFrame, sums: pl.DataFrame) -> Iterator[dict[str, object]]:
    """Yield the rows with what their keys stand for, in an order that is always the same."""
    if moved.is_empty():
        return
    told = sums.select(*KEY, *KEYS).filter(pl.col("key").is_in(moved.get_column("key").implode()))
    words = told.unique("key")
    yield from moved.join(words, on=KEY).sort(KEYS).iter_rows(named=True)


def _fewer(sums: pl.DataFrame, incident: int, requests: float | None) -> list[Shift]:
    """Return events that are usual several times an execution and now happen fewer times.

    An exception in a loop, or a part of a batch that is left out, shows in nothing else.
    """
    several = sums.filter(pl.col("typical") >= SEVERAL).with_columns(pl.col("full").alias("hits"))
    moved = share_shift(several, KEY, incident, above=MIN_G).filter(
        (pl.col("g") > MIN_G) & (pl.col("r0") - pl.col("r1") >= MIN_CHANGE)
    )
    return [_share(row, f"{row['event']}s_fewer", requests) for row in _worded(moved, sums)]


def _kind(row: dict[str, object]) -> str:
    r0, r1 = float(str(row["r0"])), float(str(row["r1"]))
    if row["event"] == "line":
        return "new_template" if r0 == 0 else "template_shift"
    return "call_added" if r1 > r0 else "call_missing"


def _reach(deviating: float, requests: float | None) -> float:
    return 1.0 if not requests else saturate(deviating / requests, HALF_REACH)


def _share(row: dict[str, object], kind: str, requests: float | None) -> Shift:
    r0, r1, g = (float(str(row[k])) for k in ("r0", "r1", "g"))
    n1 = int(str(row["n1"]))
    deviating = n1 * abs(r1 - r0)
    line = row["event"] == "line"
    return Shift(
        mechanism=Mechanism.CONTROL,
        kind=kind,
        service=str(row["service"]),
        operation=str(row["name"]),
        peer=None
        if line or row["target_service"] == row["service"]
        else str(row["target_service"]),
        detail=str(row["target"]),
        unit="share",
        before=r0,
        after=r1,
        n0=int(str(row["n0"])),
        n1=n1,
        t=g,
        weight=deviating,
        strength=abs(r1 - r0) * saturate(g, HALF_G) * _reach(deviating, requests),
    )


def _growth(row: dict[str, object], requests: float | None) -> Shift:
    before, after = float(str(row["before"])), float(str(row["after"]))
    # A t that is squared and a G are of one kind: both follow χ² with one degree where nothing is.
    certain = max(float(str(row["t"])) ** 2, float(str(row["g"] or 0.0)))
    return Shift(
        mechanism=Mechanism.CONTROL,
        kind="calls_multiplied",
        service=str(row["service"]),
        operation=str(row["name"]),
        peer=None if row["target_service"] == row["service"] else str(row["target_service"]),
        detail=str(row["target"]),
        unit="calls",
        before=before,
        after=after,
        n0=int(str(row["n0"])),
        n1=int(str(row["n1"])),
        t=float(str(row["t"])),
        weight=float(str(row["excess"])),
        strength=saturate(after - before, HALF_ADDED)
        * saturate(certain, HALF_CERTAIN)
        * _reach(float(str(row["n1"])), requests),
    )
