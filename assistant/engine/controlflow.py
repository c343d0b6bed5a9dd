"""What an operation does when it runs: the calls it makes and the lines it writes.

Everything is conditional on the operation having run: behind a failure all counts drop, and only
"given that it ran, it no longer did this" tells the broken component from the starved one.
"""

import polars as pl

from assistant.engine.contrast import mean_shift, share_shift
from assistant.engine.shift import Mechanism, Shift, saturate

KEYS = ["service", "name", "event", "target", "target_service"]
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


def table(spans: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """Return per (operation, event, target) and bucket: n executions, hits, event counts."""
    parts = [_calls(spans), _lines(spans, logs)]
    return (
        pl.concat([p for p in parts if p is not None])
        if any(p is not None for p in parts)
        else pl.DataFrame(schema=_SCHEMA)
    )


_SCHEMA = {
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


def _calls(spans: pl.DataFrame) -> pl.DataFrame | None:
    if spans.is_empty():
        return None
    executions = spans.group_by("service", "name", "bucket").len("n")
    made = (
        spans.filter(pl.col("parent").is_not_null())
        .select(
            pl.col("parent").alias("ix"),
            pl.lit("call").alias("event"),
            _target().alias("target"),
            pl.coalesce("callee", "service").alias("target_service"),
        )
        .group_by("ix", "event", "target", "target_service")
        .len("count")
        .join(spans.select("ix", "service", "name", "bucket"), on="ix")
    )
    return _complete(made, executions)


def _target() -> pl.Expr:
    """What a child span is to its parent: an operation, or a call to somebody."""
    outward = (pl.col("role") == "call") & (pl.col("callee") != pl.col("service"))
    return (
        pl.when(outward).then(pl.col("name") + " → " + pl.col("callee")).otherwise(pl.col("name"))
    )


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


def _lines(spans: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame | None:
    """Return template counts per operation; lines without a known span count per service."""
    if logs.is_empty():
        return None
    lines = logs.select(
        "service", "trace_id", "span_id", "bucket", pl.col("template").alias("target")
    ).with_row_index("line")
    # A line belongs to the bucket of its operation's trace, else shares could pass 100 %.
    owner = spans.select("trace_id", "span_id", "service", "name", "ix", "bucket")
    linked = lines.drop("bucket").join(
        owner, on=["trace_id", "span_id", "service"], how="inner", nulls_equal=False
    )
    loose = lines.join(linked.select("line"), on="line", how="anti").with_columns(
        pl.lit(UNLINKED).alias("name"), pl.col("line").alias("ix")
    )
    writers = linked.select("service", "name").unique()
    executions = (
        spans.group_by("service", "name", "bucket")
        .len("n")
        .join(writers, on=["service", "name"], how="semi")
    )
    per_service = loose.group_by("service", "name", "bucket").len("n")
    events = pl.concat(
        [f.select("ix", "service", "name", "bucket", "target") for f in (linked, loose)]
    )
    made = (
        events.group_by("ix", "service", "name", "bucket", "target")
        .len("count")
        .with_columns(pl.lit("line").alias("event"), pl.col("service").alias("target_service"))
    )
    return _complete(made, pl.concat([executions, per_service]))


def _complete(made: pl.DataFrame, executions: pl.DataFrame) -> pl.DataFrame:
    """Sum events per key and bucket, with explicit zeros where an operation ran without them."""
    log_count = pl.col("count").cast(pl.Float64).log1p()
    usual = (
        made.filter(pl.col("bucket") >= 0)
        .group_by(KEYS)
        .agg(
            pl.col("count").quantile(MOST).alias("most"),
            pl.col("count").median().alias("typical"),
        )
    )
    more = made.join(usual, on=KEYS, how="left").with_columns(
        _grown("count", pl.col("most")).alias("many"),
        (pl.col("count") >= pl.col("typical")).alias("full"),
    )
    sums = more.group_by([*KEYS, "bucket"]).agg(
        pl.len().alias("hits"),
        pl.col("many").sum(),
        pl.col("full").sum(),
        log_count.sum().alias("total"),
        (log_count**2).sum().alias("squares"),
        pl.col("count").sum().cast(pl.Float64).alias("ms"),
    )
    return (
        sums.select(KEYS)
        .unique()
        .join(executions, on=["service", "name"])
        .join(sums, on=[*KEYS, "bucket"], how="left")
        .join(usual.select(*KEYS, "typical"), on=KEYS, how="left")
        .with_columns(pl.col("hits", "many", "full", "total", "squares", "ms").fill_null(0))
        .select([pl.col(name).cast(kind) for name, kind in _SCHEMA.items()])
    )


def _grown(count: str, usual: pl.Expr) -> pl.Expr:
    return pl.col(count) > usual * 1.5 + MIN_ADDED


def shifts(sums: pl.DataFrame, incident: int, requests: float | None = None) -> list[Shift]:
    """Return missing, added, multiplied and fewer events, the strongest first.

    `requests` is how many there were in the bucket `incident`: what happens to few of them weighs
    less. Null where they are not known.
    """
    if sums.is_empty():
        return []
    moved = share_shift(sums, KEYS, incident).filter(
        (pl.col("g") > MIN_G) & ((pl.col("r1") - pl.col("r0")).abs() >= MIN_CHANGE)
    )
    out = [_share(row, _kind(row), requests) for row in moved.iter_rows(named=True)]
    out += _fewer(sums, incident, requests)
    calls = sums.filter(pl.col("event") == "call")
    # A loop for some of the users moves the mean little against its own spread, but a share much.
    many = share_shift(calls.with_columns(pl.col("many").alias("hits")), KEYS, incident)
    grown = (
        mean_shift(calls, KEYS, incident)
        .join(many.select(*KEYS, "r0", "r1", "g"), on=KEYS, how="left")
        .filter(_grown("after", pl.col("before")))
        .filter((pl.col("t") > MIN_T) | ((pl.col("g") > MIN_G) & (pl.col("r1") > pl.col("r0"))))
    )
    out += [_growth(row, requests) for row in grown.iter_rows(named=True)]
    return sorted(out, key=lambda s: (-s.strength, s.service, s.operation or "", s.kind, s.detail))


def _fewer(sums: pl.DataFrame, incident: int, requests: float | None) -> list[Shift]:
    """Return events that are usual several times an execution and now happen fewer times.

    An exception in a loop, or a part of a batch that is left out, shows in nothing else.
    """
    several = sums.filter(pl.col("typical") >= SEVERAL)
    moved = share_shift(several.with_columns(pl.col("full").alias("hits")), KEYS, incident).filter(
        (pl.col("g") > MIN_G) & (pl.col("r0") - pl.col("r1") >= MIN_CHANGE)
    )
    return [_share(row, f"{row['event']}s_fewer", requests) for row in moved.iter_rows(named=True)]


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
