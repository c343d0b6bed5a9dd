"""All local tests on one set of windows, ready to be explained.

The tables are summed once; `run` answers for the incident or, given a baseline bucket in its place,
for what the same tests say when nothing happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assistant.engine import controlflow, errors, latency, measured, resources
from assistant.engine.normalise import trace_starts
from assistant.engine.resources import EVERYONE
from assistant.engine.shift import Mechanism, Shift
from assistant.engine.windows import INCIDENT, Windows

MIN_TRACES = 30
CELL_US, BUSY_CELL_US, BUSY = 10_000_000, 1_000_000, 3.0  # requests per second


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Sums per key and bucket; `weights` is how much happened in each bucket.

    `requests` are traces per bucket (empty without traces), `work` is executions and calls per
    service, `paces` are requests per second.
    """

    latency: pl.DataFrame
    flow: pl.DataFrame
    errors: pl.DataFrame
    lines: pl.DataFrame
    resources: pl.DataFrame
    measured: pl.DataFrame
    work: pl.DataFrame
    weights: dict[int, float]
    requests: dict[int, float]
    paces: dict[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What the tests said. `expected_ms` is the time the incident would have taken as before.

    `load` is the work of a service during ÷ before it.
    """

    latency: tuple[Shift, ...]
    control: tuple[Shift, ...]
    errors: tuple[Shift, ...]
    lines: tuple[Shift, ...]
    resources: tuple[Shift, ...]
    expected_ms: float
    load: Mapping[str, float]

    @property
    def all(self) -> tuple[Shift, ...]:
        return (*self.latency, *self.control, *self.errors, *self.lines, *self.resources)


def build(
    spans: pl.DataFrame, logs: pl.DataFrame, metrics: pl.DataFrame, windows: Windows
) -> Tables:
    """Sum the (bucketed) frames; they need a `bucket` column."""
    # A service that asks more of others works more, though no more is asked of it.
    counts = (
        spans.select("op", "role", "bucket", "service")
        .filter(pl.col("role").is_in(["entry", "call"]))
        .group_by("op", "role", "bucket")
        .agg(pl.col("service").first(), pl.len().alias("n"))
    )
    starts = trace_starts(spans)
    traces = pl.DataFrame([starts, windows.bucket_of(starts)])
    summed = pl.col("n").sum()
    done = counts.group_by("service", "bucket").agg(summed).sort("service", "bucket")
    entered = counts.filter(pl.col("role") == "entry").group_by("service", "bucket").agg(summed)
    by = errors.PER_SECOND if traces.is_empty() else errors.PER_REQUEST
    return Tables(
        latency=latency.table(spans),
        flow=controlflow.table(spans, logs),
        errors=errors.table(spans),
        lines=errors.line_table(logs, weights := _weights(traces, windows), entered, by),
        resources=resources.table(metrics),
        # Where requests are traced, spans tell better who lost time than metrics of other units.
        measured=measured.table(metrics if traces.height < 2 * MIN_TRACES else metrics.clear()),
        work=done,
        weights=weights,
        requests={} if spans.is_empty() else weights,
        paces=_pace(traces),
    )


def run(tables: Tables, incident: int = INCIDENT) -> Tested:
    """Return every shift between the baseline and the bucket `incident`."""
    moved = latency.tested(tables.latency, incident)
    load = _load(tables, incident)
    told, expected = measured.shifts(tables.measured, incident)
    slower = [s for s in told if s.mechanism is Mechanism.LATENCY]
    failing = [s for s in told if s.mechanism is Mechanism.ERROR]
    return Tested(
        latency=(*latency.shifts(moved), *slower),
        control=tuple(controlflow.shifts(tables.flow, incident, tables.requests.get(incident))),
        errors=(*errors.shifts(tables.errors, incident), *failing),
        lines=tuple(errors.line_shifts(tables.lines, incident)),
        resources=tuple(resources.shifts(tables.resources, incident, load)),
        expected_ms=float(moved.get_column("expected").sum()) + expected,
        load=load,
    )


def _weights(traces: pl.DataFrame, windows: Windows) -> dict[int, float]:
    """Return traces per bucket; seconds where there are no traces."""
    if traces.is_empty():
        seconds = {
            i: (b - a) / 1e6
            for i, (a, b) in enumerate(zip(windows.edges, windows.edges[1:], strict=False))
        }
        return {**seconds, INCIDENT: (windows.incident[1] - windows.incident[0]) / 1e6}
    counted = traces.get_column("bucket").value_counts()
    return {int(b): float(n) for b, n in sorted(counted.iter_rows()) if b >= INCIDENT}


def _pace(traces: pl.DataFrame) -> dict[int, float]:
    """Return requests per second per bucket, over the seconds in which there were any.

    Recordings have holes; a baseline that is half empty must not make now look busy.
    """
    if traces.is_empty():
        return {}
    whole = max(1, int(traces["us"].max()) - int(traces["us"].min()))  # type: ignore[arg-type]
    cell = BUSY_CELL_US if traces.height * 1_000_000 / whole >= BUSY else CELL_US
    paces = traces.group_by("bucket").agg(
        (pl.len() * 1e6 / (cell * (pl.col("us") // cell).n_unique())).alias("pace")
    )
    return {int(b): float(p) for b, p in sorted(paces.iter_rows())}


def _load(tables: Tables, incident: int) -> dict[str, float]:
    """Return per service how its work per second changed: resources follow it."""
    usual = [p for b, p in tables.paces.items() if b >= 0 and b != incident]
    traffic = tables.paces.get(incident, 0.0) * len(usual) / sum(usual) if usual else 1.0
    total0 = sum(w for b, w in tables.weights.items() if b >= 0 and b != incident)
    total1 = tables.weights.get(incident, 0.0)
    if tables.requests.get(incident, 0.0) < MIN_TRACES:
        return measured.load(tables.measured, incident)
    if not total0:
        return {}
    before = tables.work.filter((pl.col("bucket") >= 0) & (pl.col("bucket") != incident))
    after = tables.work.filter(pl.col("bucket") == incident)
    n0 = dict(before.group_by("service").agg(pl.col("n").sum()).iter_rows())
    n1 = dict(after.group_by("service").agg(pl.col("n").sum()).iter_rows())
    known = {s: traffic * (n1.get(s, 0) / total1) / (n / total0) for s, n in n0.items() if n}
    # A component without spans of its own (a database) follows the traffic as a whole.
    return {EVERYONE: traffic, **known}
