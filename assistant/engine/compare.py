"""Clean telemetry, and what the tests say of it between any two windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from assistant.engine import errors, explain, fuse, local
from assistant.engine.explain import Suspect
from assistant.engine.ids import SpanIds
from assistant.engine.normalise import NAMELESS, Traces, trace_starts
from assistant.engine.question import Question, Telemetry
from assistant.engine.templates import with_templates
from assistant.engine.topology import Topology, topology
from assistant.engine.windows import INCIDENT, Windows
from connectors.api import Change

LINE_COLUMNS = ("service", "severity", "body", "trace_id", "span_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Clean telemetry, not yet cut into before and during."""

    spans: pl.DataFrame
    logs: pl.DataFrame
    metrics: pl.DataFrame
    edges: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    not_to_blame: tuple[str, ...]
    alerted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the tests say of one pair of windows; `unnamed` is the score of spans of nobody."""

    spans: pl.DataFrame
    logs: pl.DataFrame
    samples: pl.DataFrame
    complaints: Mapping[str, errors.Complaint]
    graph: Topology
    tables: local.Tables
    tested: local.Tested
    ranked: list[tuple[float, Suspect]]
    unnamed: float


def cleaned(telemetry: Telemetry, traces: Traces, question: Question) -> Frames:
    """Return the frames that `compare` takes; `traces` are the spans of the telemetry."""
    return Frames(
        spans=traces.spans,
        logs=_linked(with_templates(stamped(telemetry.logs, LINE_COLUMNS)), traces.ids),
        metrics=stamped(telemetry.metrics),
        edges=telemetry.edges,
        changes=tuple(c for c in telemetry.changes if c.ref not in question.ignored),
        not_to_blame=(*question.ruled_out, NAMELESS),
        alerted=question.service,
    )


def compare(frames: Frames, windows: Windows) -> Compared:
    """Return what the tests say of the windows."""
    spans = _bucketed_spans(frames.spans, windows)
    graph = topology(spans, frames.edges)
    samples = _bucketed(frames.metrics, windows)
    logs = _bucketed(frames.logs, windows)
    tables = local.build(spans, logs, samples, windows)
    tested = local.run(tables)
    passed_on = errors.passed_on(spans, INCIDENT)
    complaints = errors.complaints(logs, graph.components, INCIDENT)
    suspects = fuse.ranked(explain.explain(tested, graph, passed_on, complaints), frames.alerted)
    return Compared(
        spans=spans,
        logs=logs,
        samples=samples,
        complaints=complaints,
        graph=graph,
        tables=tables,
        tested=tested,
        ranked=[r for r in suspects if r[0] > 0 and r[1].service not in frames.not_to_blame],
        unnamed=max((score for score, s in suspects if s.service == NAMELESS), default=0.0),
    )


def explained(seen: Compared) -> float:
    """Return how much the best explanation weighs (0–1)."""
    return seen.ranked[0][0] if seen.ranked else 0.0


def quiet(seen: Compared) -> set[int]:
    """Return the buckets of the baseline in which anything was seen."""
    frames = (seen.spans, seen.logs, seen.samples)
    found = {b for frame in frames for b in frame.get_column("bucket").unique().drop_nulls()}
    return {bucket for bucket in found if bucket >= 0}


def _linked(logs: pl.DataFrame, ids: SpanIds) -> pl.DataFrame:
    """Add the row of the span in which each line was written, null where that is not known."""
    row = ids.rows(logs.get_column("trace_id"), logs.get_column("span_id"))
    return logs.with_columns(row.alias("row"))


def stamped(frame: pl.DataFrame, wanted: Sequence[str] = ()) -> pl.DataFrame:
    """Return the wanted columns (all by default) and `us`; text columns may come as categories."""
    columns = wanted or frame.columns
    text = [n for n in columns if frame.schema[n] in (pl.Categorical, pl.String)]
    rows = frame.select(
        *[n for n in columns if n not in text],
        *[pl.col(n).cast(pl.String) for n in text],
        (pl.col("time").cast(pl.Int64) // 1000).alias("us"),
    )
    # A filter copies every column, and hardly a frame has anything to leave out.
    return rows.drop_nulls(["us", "service"]) if _holes(rows) else rows


def _holes(frame: pl.DataFrame) -> bool:
    return any(frame.get_column(name).null_count() for name in ("us", "service"))


def _bucketed(frame: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    return frame.with_columns(windows.bucket_of(frame.get_column("us")))


def _bucketed_spans(spans: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """A trace belongs to one bucket: the one in which it began."""
    return spans.with_columns(
        windows.bucket_of(trace_starts(spans)).gather(spans.get_column("trace"))
    )
