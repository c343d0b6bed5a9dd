"""What a diagnosis costs: `python -m bench.speed [--sizes 10000,…] [--repeat 3] [--hostile]`.

Each size is so many spans and as many log lines, more than 80 % of the lines unlike any other. The
engine stands beside what any method must pay: one group-by of durations per operation, and one
regular expression over every line. Every measurement runs in a process of its own, so that its CPU
time (of all threads) and its peak of memory are its own.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import polars as pl

from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from bench.generator import Shape, generate
from connectors.api import LOGS, Change

P = ParamSpec("P")
T = TypeVar("T")

SIZES = (10_000, 100_000, 1_000_000, 4_000_000)
SEED, FAULT = 7, "slow_edge"
SHAPE = Shape(services=20, spans_per_trace=20.0, rps=5.0)
TRIAL_RPS = 5.0
SPARE = 1.1  # made beyond the size, and cut off again
MASK = (
    r"\"[^\"]{0,200}\"|\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,30}\b"
    r"|[A-Za-z0-9_\-./:@]*[0-9][A-Za-z0-9_\-./:@%]*"
)
LINES = (  # `op` and `noun` differ from operation to operation, the rest from line to line
    "{noun} {id} loaded for user {user} in {ms} ms by {op}",
    'GET /api/{noun}/{id}?user={user} HTTP/1.1" 200 {ms}ms from {ip}',
    "{op}: accepted {noun} request {uuid} from {ip}",
    "stored {noun} {id} revision {user}, took {ms}ms in {op}",
    "cache miss for key {noun}:{id}:{user} in {op}",
    "{op} published {noun} event {uuid} to partition {user}",
    "user-{user} opened https://www.example.com/{noun}/{id} after {ms} ms",
    'level=info msg="{noun} done" op={op} id={id} user={user} duration={ms}ms',
    "slow {noun} lookup in {op}, {user} rows scanned in {ms} ms for {id}",
    "{noun} worker of {op} is idle, nothing to do",  # the lines that repeat
)
REPEATING = 0.12
NOUNS = ("order", "basket", "profile", "invoice", "parcel", "review", "voucher", "session")
SEVERITIES = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR")


_MOMENTS = ("at", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU and wall in seconds, memory in MiB; `inputs` is what the frames alone need."""

    cpu: float
    wall: float
    peak: float
    inputs: float
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One size: medians over the repeats, for the engine and for the naive pass."""

    name: str
    spans: int
    lines: int
    unique: float
    engine: Cost
    naive: Cost


def main() -> int:
    """Print a table; the exit status is 0 if every diagnosis gave an answer."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="comma-separated")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of which the median")
    parser.add_argument("--hostile", action="store_true", help="telemetry at its most awkward")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    names = [size for size in options.sizes.split(",") if size]
    if options.hostile:
        names = list(HOSTILE)
    rows = []
    print(f"{'size':>20} {'engine CPU s':>13} {'naive CPU s':>12} {'ratio':>6} {'wall s':>7}"
          f" {'peak MiB':>9} {'of it inputs':>13}  verdict")  # fmt: skip
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(_row(name, Path(folder), options.repeat))
        _print(rows[-1])
    by_size = {row.name: row.engine.cpu for row in rows}
    if {"1000000", "4000000"} <= set(by_size):
        print(f"CPU(4e6) / CPU(1e6) = {by_size['4000000'] / by_size['1000000']:.2f}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


def _print(row: Row) -> None:
    e, n = row.engine, row.naive
    print(f"{row.name:>20} {e.cpu:13.2f} {n.cpu:12.2f} {e.cpu / max(n.cpu, 1e-9):6.2f}"
          f" {e.wall:7.2f} {e.peak:9.0f} {e.inputs:13.0f}  {e.said}"
          f"  ({row.spans} spans, {row.lines} lines, {row.unique:.0%} unlike any other)",
          flush=True)  # fmt: skip


def _row(name: str, folder: Path, repeat: int) -> Row:
    spans, lines, unique = _alone(write, name, folder)
    engine, naive = (
        _median([_alone(measure, kind, folder) for _ in range(max(1, repeat))])
        for kind in ("engine", "naive")
    )
    return Row(name=name, spans=spans, lines=lines, unique=unique, engine=engine, naive=naive)


def _median(costs: Sequence[Cost]) -> Cost:
    def of(field: str) -> float:
        return round(float(statistics.median(getattr(cost, field) for cost in costs)), 3)

    return replace(costs[0], cpu=of("cpu"), wall=of("wall"), peak=of("peak"), inputs=of("inputs"))


def _alone(what: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Run a function in a fresh interpreter: what another one used up would count otherwise."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(what, args, more)


def measure(kind: str, folder: Path) -> Cost:
    """Return what one diagnosis, or the naive pass, costs in this process."""
    told = json.loads((folder / "question.json").read_text())
    at = datetime.fromisoformat(told["at"])
    spans, logs, metrics = (
        pl.read_parquet(folder / f"{name}.parquet") for name in ("spans", "logs", "metrics")
    )
    telemetry = Telemetry(
        spans=spans,
        logs=logs,
        metrics=metrics,
        changes=tuple(_change(fields) for fields in told["changes"]),
        changes_seen=True,
    )
    inputs, cpu, wall = _peak(), time.process_time(), time.perf_counter()
    if kind == "engine":
        said = str(diagnose(telemetry, Question(at=at, horizon=at)).verdict)
    else:
        said = _naive(telemetry, at)
    return Cost(
        cpu=time.process_time() - cpu,
        wall=time.perf_counter() - wall,
        peak=_peak(),
        inputs=inputs,
        said=said,
    )


def _change(fields: dict[str, str | None]) -> Change:
    moments = {k: v and datetime.fromisoformat(v) for k, v in fields.items() if k in _MOMENTS}
    return Change(**{**fields, **moments})  # type: ignore[arg-type]


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _naive(telemetry: Telemetry, at: datetime) -> str:
    """Group durations by operation, before and after; mask every line once and count."""
    took = pl.col("end") - pl.col("start")
    operations = telemetry.spans.group_by(
        "service", "name", pl.col("start") >= at - timedelta(minutes=2)
    ).agg(took.mean())
    masks = (
        telemetry.logs.select("service", pl.col("body").str.replace_all(MASK, "<*>"))
        .group_by("service", "body")
        .len()
    )
    return f"{operations.height} means, {masks.height} masks"


def write(name: str, folder: Path) -> tuple[int, int, float]:
    """Write the telemetry of a size or a kind; returns spans, lines, share of unlike lines."""
    frames, told = HOSTILE[name]() if name in HOSTILE else system(int(name))
    for kind, frame in frames.items():
        frame.write_parquet(folder / f"{kind}.parquet")
    (folder / "question.json").write_text(json.dumps(told, default=str))
    bodies = frames["logs"].get_column("body")
    alone = int(bodies.is_unique().sum()) / max(1, bodies.len())
    return frames["spans"].height, bodies.len(), alone


Made = tuple[dict[str, pl.DataFrame], dict[str, object]]


def system(size: int) -> Made:
    """Return frames and question of a generated system with `size` spans and lines."""
    trial = generate(SEED, shape=_shape(TRIAL_RPS), fault=FAULT)
    at = trial.cases[0].alert_at
    per_rps = trial.spans.filter(pl.col("end") < at).height / TRIAL_RPS
    made = generate(SEED, shape=_shape(max(0.1, SPARE * size / per_rps)), fault=FAULT)
    at = made.cases[0].alert_at
    spans = made.spans.filter(pl.col("end") < at)
    # Whole traces, drawn evenly over the time: a quieter system, not a shorter recording.
    sizes = spans.group_by("trace_id").len().sort(pl.col("trace_id").hash(SEED))
    kept = sizes.filter(pl.col("len").cum_sum() <= size)
    spans = spans.join(kept, on="trace_id", how="semi", maintain_order="left")
    frames = {
        "spans": spans,
        "logs": lines_of(spans, size),
        "metrics": made.metrics.filter(pl.col("time") < at),
    }
    changes = [asdict(change) for change in made.changes if change.at < at]
    return frames, {"at": at, "changes": changes}


def _shape(rps: float) -> Shape:
    return replace(SHAPE, rps=min(5000.0, rps))


def lines_of(spans: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return `count` lines that the spans could have written, with what lines usually hold."""
    rng = np.random.default_rng(SEED)
    rows = np.sort(rng.integers(0, spans.height, count))
    usual = rng.integers(0, len(LINES) - 1, count)
    kind = np.where(rng.random(count) < REPEATING, len(LINES) - 1, usual)
    drawn = spans[rows].select(
        pl.col("end").alias("time"), "service", "instance", "trace_id", "span_id", "version",
        noun=pl.lit(pl.Series(NOUNS)).gather(pl.col("service").hash(1) % len(NOUNS)),
        op=pl.col("name"),
        ms=((pl.col("end") - pl.col("start")).dt.total_microseconds() / 1000).round(3)
        .cast(pl.String),
    ).with_columns(
        kind=pl.Series(kind),
        severity=pl.Series(SEVERITIES).gather(pl.Series(rng.integers(0, len(SEVERITIES), count))),
        id=pl.Series(rng.integers(1 << 20, 1 << 40, count)).cast(pl.String),
        user=pl.Series(rng.integers(1, 100_000, count)).cast(pl.String),
    ).with_columns(
        uuid=pl.col("trace_id").str.slice(0, 8) + "-" + pl.col("span_id").str.slice(0, 4)
        + "-4" + pl.col("span_id").str.slice(4, 3) + "-8" + pl.col("span_id").str.slice(7, 3)
        + "-" + pl.col("trace_id").str.slice(8, 12),
        ip="10." + pl.col("user").str.slice(0, 2) + ".4." + pl.col("user").str.slice(2, 2),
    )  # fmt: skip
    parts = [
        drawn.filter(pl.col("kind") == number).with_columns(body=_filled(text))
        for number, text in enumerate(LINES)
    ]
    whole = pl.concat(parts).sort("time", maintain_order=True)
    return _fitted(whole, LOGS)


def _filled(text: str) -> pl.Expr:
    """Return a template's text with its slots taken from the columns of the same names."""
    literals = [part.partition("}") for part in text.split("{")]
    parts = [pl.lit(literals[0][0])]
    for slot, _, after in literals[1:]:
        parts += [pl.col(slot), pl.lit(after)]
    return pl.concat_str(parts)


def _fitted(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Return the frame with exactly the schema's columns, null where it has none."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schema.items()
    )


def _many_operations() -> Made:
    """A million operation names: identifiers in the names of spans."""
    frames, told = system(1_000_000)
    own = pl.col("name") + "/" + pl.int_range(pl.len()).cast(pl.String)
    return {**frames, "spans": frames["spans"].with_columns(own.alias("name"))}, told


def _many_templates() -> Made:
    """A million lines in words alone, no two alike even when what varies is masked."""
    frames, told = system(1_000_000)
    word = pl.int_range(pl.len()).hash(SEED).cast(pl.String).str.replace_many(
        list("0123456789"), list("abcdefghij")
    )  # fmt: skip
    body = pl.concat_str(word.str.slice(0, 6), word.str.slice(6, 6), word, separator=" ")
    return {**frames, "logs": frames["logs"].with_columns(body=body)}, told


def _long_lines() -> Made:
    """A thousand lines of 200 kB each."""
    frames, told = system(10_000)
    logs = frames["logs"].head(1_000)
    stack = pl.lit(" at 0x7f3a in frame 12,").repeat_by(9_000).list.join("")
    return {**frames, "logs": logs.with_columns(body=pl.col("body") + stack)}, told


def _one_trace() -> Made:
    """A million spans of one trace, each the child of the one before it."""
    frames, told = system(1_000_000)
    chain = frames["spans"].with_columns(
        trace_id=pl.lit("one"), parent_span_id=pl.col("span_id").shift(1)
    )
    return {**frames, "spans": chain}, told


HOSTILE: dict[str, Callable[[], Made]] = {
    "million-operations": _many_operations,
    "million-templates": _many_templates,
    "lines-of-200-kB": _long_lines,
    "one-trace": _one_trace,
}

if __name__ == "__main__":
    sys.exit(main())
