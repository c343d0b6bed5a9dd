"""Writes what a method of RCAEval may see of a case, in the shape that it documents.

One folder a case. Time is cut into cells of ten seconds. Of the cells outside the incident and all
known incidents, the `BASELINE` that lies nearest to the incident is taken, pushed together, and
placed before it: the methods know one moment, before which everything is normal. Services, metrics
and operations go by codes, because the methods split their names at "_" and look for words in them.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig

from assistant.engine.question import Question, Telemetry
from assistant.evaluate.naive import incident, usual

BASELINE = timedelta(minutes=10)  # as much as RCAEval takes before a fault
CELL_US = 10_000_000
BIN_US = 15_000_000  # the step of RCAEval's series
GAP_US = 60_000_000  # so that no trace of the baseline ends within the incident
LAST_KNOWN_US = 300_000_000  # how long a value of a metric holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The incident's start and end (µs), and the starts of the baseline's cells, in order."""

    start: int
    end: int
    cells: tuple[int, ...]

    @property
    def inject(self) -> int:
        """The moment (µs) that the methods are told: a whole second."""
        return self.start // 1_000_000 * 1_000_000

    def moved(self, us: pl.Expr) -> pl.Expr:
        """Return the moments as the methods see them; null outside incident and baseline."""
        last = len(self.cells)
        to = [self.inject - GAP_US - (last - i) * CELL_US for i in range(last)]
        cell = us // CELL_US * CELL_US
        placed = cell.replace_strict(self.cells, to, default=None, return_dtype=pl.Int64)
        during = (us >= self.start) & (us < self.end)
        return pl.when(during).then(us - self.start + self.inject).otherwise(placed + us - cell)


def hand_over(
    folder: Path, telemetry: Telemetry, question: Question, *, baseline: timedelta = BASELINE
) -> None:
    """Write the case into `folder`, which is made."""
    folder.mkdir(parents=True)
    cut = cut_of(telemetry, question, baseline)
    codes = _codes(telemetry)
    spans = _spans(telemetry.spans, cut, codes)
    spans.write_parquet(folder / "traces.parquet")
    logs = _logs(telemetry.logs, cut, codes)
    logs.select("timestamp", "container_name", "message").write_parquet(folder / "logs.parquet")
    _metrics(telemetry.metrics, cut, codes).write_parquet(folder / "metrics.parquet")
    latency = pl.col("duration").mean()
    failed = pl.col("failed").sum().cast(pl.Float64)
    for name, rows, value in (
        ("logts", logs.select(pl.col("timestamp").alias("us"), "series"), pl.len()),
        ("tracets_lat", spans.select("duration", "series", us="startTime"), latency),
        ("tracets_err", spans.select("failed", "series", us="startTime"), failed),
    ):
        _series(rows, value, cut, fill=name != "tracets_lat").write_parquet(
            folder / f"{name}.parquet"
        )
    told = {"inject_us": cut.inject, "services": {code: name for name, code in codes.items()}}
    (folder / "case.json").write_text(json.dumps(told), encoding="utf-8")


def cut_of(telemetry: Telemetry, question: Question, baseline: timedelta = BASELINE) -> Cut:
    """Return the incident and the nearest cells of the baseline in which anything was seen."""
    window = incident(question)
    start, end = (int(moment.timestamp() * 1_000_000) for moment in (window.start, window.end))
    times = pl.concat(
        [
            telemetry.spans.select(pl.col("start").alias("time")),
            telemetry.logs.select("time"),
            telemetry.metrics.select("time"),
        ]
    )
    whole = _cells(times, pl.lit(value=True))
    # A cell is baseline only as a whole: what overlaps an incident is left out.
    clean = whole - _cells(times, ~usual(pl.col("time"), question))
    edges = {start // CELL_US * CELL_US, (end - 1) // CELL_US * CELL_US}
    near = sorted(clean - edges, key=lambda cell: start - cell if cell < start else cell - end)
    return Cut(
        start=start,
        end=end,
        cells=tuple(sorted(near[: baseline // timedelta(microseconds=CELL_US)])),
    )


def _cells(times: pl.DataFrame, which: pl.Expr) -> set[int]:
    us = times.filter(which).get_column("time").dt.timestamp("us")
    return set((us // CELL_US * CELL_US).unique().to_list())


def _codes(telemetry: Telemetry) -> dict[str, str]:
    frames = (telemetry.spans, telemetry.logs, telemetry.metrics)
    names = pl.concat([f.select(pl.col("service").cast(pl.String)) for f in frames]).to_series()
    return {name: f"s{i:04}" for i, name in enumerate(names.drop_nulls().unique().sort())}


def _coded(column: str, letter: str) -> pl.Expr:
    """Return codes of equal length: the methods look for names by their beginnings."""
    ranks = pl.col(column).cast(pl.String).fill_null("").rank("dense")
    return letter + ranks.cast(pl.Int64).cast(pl.String).str.zfill(5)


def _service(codes: dict[str, str]) -> pl.Expr:
    return pl.col("service").cast(pl.String).replace_strict(codes, default=None)


def _spans(spans: pl.DataFrame, cut: Cut, codes: dict[str, str]) -> pl.DataFrame:
    """Return the spans of the traces that began in incident or baseline, times in µs.

    What runs in the incident only is left out: three of the methods stop at an operation that they
    have not seen before.
    """
    began = pl.col("start").dt.timestamp("us")
    moved = spans.with_columns(
        _service(codes).alias("code"),
        us=began,
        first=began.min().over("trace_id"),
        duration=(pl.col("end") - pl.col("start")).dt.total_microseconds(),
    ).with_columns(placed=cut.moved(pl.col("first")))
    operation = _coded("name", "o")
    kept = moved.filter(pl.col("placed").is_not_null() & pl.col("code").is_not_null()).select(
        traceID="trace_id",
        spanID="span_id",
        parentSpanID="parent_span_id",
        serviceName="code",
        methodName=operation,
        operationName=operation,
        startTime=pl.col("placed") + pl.col("us") - pl.col("first"),
        duration="duration",
        failed=(pl.col("status").cast(pl.String) == "error").fill_null(value=False),
    )
    kept = kept.with_columns(series=pl.col("serviceName") + "_" + pl.col("methodName"))
    usual_ones = kept.filter(pl.col("startTime") + pl.col("duration") < cut.inject)
    return kept.filter(pl.col("series").is_in(usual_ones.get_column("series").unique().implode()))


def _logs(logs: pl.DataFrame, cut: Cut, codes: dict[str, str]) -> pl.DataFrame:
    kept = logs.with_columns(
        timestamp=cut.moved(pl.col("time").dt.timestamp("us")), container_name=_service(codes)
    ).filter(pl.col("timestamp").is_not_null() & pl.col("container_name").is_not_null())
    kept = kept.sort("timestamp").select(
        "timestamp", "container_name", pl.col("body").fill_null("").alias("message")
    )
    return kept.with_columns(pl.Series("series", _templates(kept), dtype=pl.String))


def _templates(logs: pl.DataFrame) -> list[str]:
    """Return `service_template` of each line; Drain is what RCAEval parses its logs with."""
    miners: dict[str, TemplateMiner] = {}
    out = []
    for service, message in logs.select("container_name", "message").iter_rows():
        miner = miners.setdefault(service, TemplateMiner(config=TemplateMinerConfig()))
        out.append(f"{service}_t{miner.add_log_message(message)['cluster_id']:05}")
    return out


def _metrics(metrics: pl.DataFrame, cut: Cut, codes: dict[str, str]) -> pl.DataFrame:
    """Return `time` (s) and a column `service_metric` each, a row a second as RCAEval's have."""
    known = (
        metrics.with_columns(code=_service(codes), metric=_coded("name", "m"))
        .filter(pl.col("code").is_not_null() & pl.col("value").is_finite())
        .group_by(
            us=pl.col("time").dt.timestamp("us"), series=pl.col("code") + "_" + pl.col("metric")
        )
        .agg(pl.col("value").mean())
    )
    wide = known.pivot("series", index="us", values="value").sort("us")
    seconds = np.concatenate(
        [np.arange(cell, cell + CELL_US, 1_000_000) for cell in cut.cells]
        + [np.arange(cut.start, cut.end, 1_000_000)]
    )
    grid = pl.DataFrame({"us": np.sort(seconds).astype(np.int64)})
    columns = sorted(set(wide.columns) - {"us"})
    for column in columns:
        grid = grid.join_asof(
            wide.select("us", column).drop_nulls(), on="us", tolerance=LAST_KNOWN_US
        )
    return (
        grid.select((cut.moved(pl.col("us")) // 1_000_000).alias("time"), *columns)
        .sort("time")
        .with_columns(pl.col(columns).fill_null(strategy="forward").fill_null(0.0))
    )


def _series(rows: pl.DataFrame, value: pl.Expr, cut: Cut, *, fill: bool) -> pl.DataFrame:
    """Return `time` (s) and a column a series, a row for each 15 seconds that can hold any."""
    step = (pl.col("us") - cut.inject) // BIN_US
    first = -(-(GAP_US + len(cut.cells) * CELL_US) // BIN_US)
    bins = [*range(-first, -(GAP_US // BIN_US)), *range((cut.end - cut.start) // BIN_US + 1)]
    wide = (
        rows.group_by(step.alias("bin"), "series")
        .agg(value.cast(pl.Float64).alias("value"))
        .pivot("series", index="bin", values="value")
    )
    columns = sorted(set(wide.columns) - {"bin"})
    grid = pl.DataFrame({"bin": bins}, schema={"bin": pl.Int64})
    out = grid.join(wide.cast({"bin": pl.Int64}), on="bin", how="left").sort("bin")
    time = (pl.col("bin") * BIN_US + cut.inject) // 1_000_000
    values = pl.col(columns).fill_null(0.0) if fill else pl.col(columns)
    return out.select(time.alias("time"), *([values] if columns else []))
