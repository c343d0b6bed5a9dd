"""What a person can open to see a shift with their own eyes: traces, lines, samples."""

from dataclasses import dataclass

import polars as pl

from assistant.engine.controlflow import UNLINKED, calls_made
from assistant.engine.errors import BAD
from assistant.engine.shift import Shift
from assistant.engine.windows import from_us

MOST = 3
LINE = 120  # characters of a log line that are shown
LASTING = ("self_time_shift", "edge_gap_shift", "symptom_latency", "symptom_tail")
MEASURED = ("resource_saturation", "metric_latency", "metric_errors", "symptom_metric")
IN_LOGS = ("error_lines", "new_template", "template_shift", "lines_fewer")
FEWER = ("call_missing", "calls_fewer")
CALLS = (*FEWER, "call_added", "calls_multiplied")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen during the incident."""

    spans: pl.DataFrame
    logs: pl.DataFrame
    samples: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Examples:
    """The first moment (µs) at which a shift was seen, and up to three ids, lines or samples."""

    first_us: int | None = None
    shown: tuple[str, ...] = ()


def examples(shift: Shift, seen: Seen) -> Examples:
    """Return what shows a shift during the incident; nothing where no single thing does."""
    if shift.kind in MEASURED:
        return _measured(shift, seen.samples)
    if shift.kind in IN_LOGS:
        return _lines(shift, seen)
    ran = _executions(shift, seen.spans)
    if shift.kind in CALLS:
        made = calls_made(seen.spans, ran, shift.detail)
        return _traces(made.sort(["calls", "us", "trace_id"], descending=_fewest(shift)))
    if shift.kind in ("error_origin", "symptom_errors"):
        bad = ran.filter("origin" if shift.kind == "error_origin" else "failed")
        return _traces(bad.sort("us", "trace_id"))
    if shift.kind in LASTING:
        value = "dur_us" if shift.kind.startswith("symptom") else "self_ms"
        return _traces(ran.sort([value, "trace_id"], descending=[True, False]))
    return _traces(ran.sort("us", "trace_id"))


def _fewest(shift: Shift) -> list[bool]:
    return [shift.kind not in FEWER, False, False]


def _executions(shift: Shift, spans: pl.DataFrame) -> pl.DataFrame:
    operation = shift.operation or ""
    # A kind of request is told by its name and, behind it, by where it is handed on to.
    named = (pl.col("name") == operation) | (
        pl.lit(shift.kind.startswith("symptom"))
        & pl.lit(operation).str.starts_with(pl.col("name") + " ")
        & pl.col("parent_span_id").is_null()
    )
    return spans.filter((pl.col("service") == shift.service) & named)


def _traces(ordered: pl.DataFrame) -> Examples:
    if ordered.is_empty():
        return Examples()
    first = ordered.head(MOST).get_column("us").min()
    ids = ordered.get_column("trace_id").unique(maintain_order=True).head(MOST).to_list()
    return Examples(int(first) if isinstance(first, int) else None, tuple(str(i) for i in ids))


def _lines(shift: Shift, seen: Seen) -> Examples:
    mine = seen.logs.filter(pl.col("service") == shift.service).sort("us", "body")
    if shift.kind == "error_lines":
        wanted = mine.filter(pl.col("severity").is_in(BAD))
    else:
        wanted = mine.filter(pl.col("template") == shift.detail)
    if shift.after >= shift.before:
        return written(wanted)
    ran = seen.spans.filter(pl.col("service") == shift.service)
    if shift.operation not in (None, UNLINKED):
        ran = ran.filter(pl.col("name") == shift.operation)
    counts = wanted.group_by("trace_id").len("lines")
    silent = ran.join(counts, on="trace_id", how="left").with_columns(pl.col("lines").fill_null(0))
    return _traces(silent.sort("lines", "us", "trace_id")) if ran.height else written(mine)


def written(lines: pl.DataFrame) -> Examples:
    """Return lines (the first one first) as examples: their traces, or themselves without any."""
    if lines.is_empty():
        return Examples()
    first = lines.get_column("us")[0]
    ids = lines.drop_nulls("trace_id").get_column("trace_id").unique(maintain_order=True)
    shown = ids.head(MOST).to_list() or [
        str(body)[:LINE] for body in lines.get_column("body").fill_null("").head(MOST)
    ]
    return Examples(int(first), tuple(shown))


def _measured(shift: Shift, samples: pl.DataFrame) -> Examples:
    name = shift.operation if shift.kind == "symptom_metric" else shift.detail
    mine = samples.filter(
        (pl.col("service") == shift.service)
        & (pl.col("name") == name)
        & pl.col("value").is_finite()
    )
    if shift.instance is not None:
        mine = mine.filter(pl.col("instance") == shift.instance)
    if mine.is_empty():
        return Examples()
    rises = shift.after >= shift.before
    ordered = mine.sort(["value", "us"], descending=[rises, False]).head(MOST).sort("us")
    shown = tuple(
        f"{from_us(us):%H:%M:%S} {value:.6g}"
        for us, value in ordered.select("us", "value").iter_rows()
    )
    return Examples(int(ordered.get_column("us")[0]), shown)
