"""The log lines that the simulated runs write."""

import re

import numpy as np
import polars as pl

from bench.generator.columns import NONE, Columns, gather, times, whereabouts
from bench.generator.rollouts import Ints
from bench.generator.spans import Identifiers
from bench.generator.topology import Call, Floats, Template
from bench.generator.unfold import Bools, Runs, Simulated, Site, World
from connectors.api import LOGS

_SLOT = re.compile(r"\{(n|id|ip|took|code)\}")
_CALL_FAILED = Template(severity="ERROR", text="call to {peer} failed after {took} ms", stage=0)
_CALL_SWALLOWED = Template(
    severity="WARN", text="{peer} did not answer, using the default for request {id}", stage=0
)


def log_frame(
    world: World, simulated: Simulated, identifiers: Identifiers, rng: np.random.Generator
) -> pl.DataFrame:
    """Return all log lines, ordered by time."""
    writer = _Writer(world, rng)
    for index, runs in enumerate(simulated.runs):
        writer.of_runs(index, runs)
        writer.of_failed_calls(index, runs, simulated.sites[index])
    return writer.frame(identifiers).sort("time", maintain_order=True)


class _Writer:
    """Fills templates for many runs at once."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self._world = world
        self._rng = rng
        self._columns = Columns()
        self._bodies = [pl.Series(dtype=pl.String)]

    def frame(self, identifiers: Identifiers) -> pl.DataFrame:
        """Return all lines written so far."""
        columns, bodies = self._columns, pl.concat(self._bodies)
        unknown = pl.Series([None], dtype=pl.String).new_from_index(0, len(bodies))
        return pl.DataFrame(
            {
                "time": times(self._world.start, columns.floats("time")),
                "service": columns.texts("service"),
                "instance": columns.texts("instance"),
                "severity": columns.texts("severity"),
                "body": bodies,
                "trace_id": gather(identifiers.traces, columns.ints("trace")),
                "span_id": gather(identifiers.spans, columns.ints("span")),
                "environment": unknown,
                "namespace": unknown,
                "cluster": unknown,
                "version": columns.texts("version"),
                "attributes": unknown,
            },
            schema=LOGS,
        )

    def of_runs(self, index: int, runs: Runs) -> None:
        """Write the lines of an operation's own templates and of the effects that hit it."""
        op = self._world.topology.operations[index]
        for template in op.templates:
            progress = (template.stage + 0.5) / (op.stages + 1)
            written = runs.alive & (self._rng.random(len(runs)) < template.probability)
            if template.when == "raised":
                written &= runs.raised
                progress = 0.98
            elif template.when == "finished":
                progress = 1.0
            else:
                written &= runs.done >= template.stage
                # A run that ended in this very stage got only half way through it.
                written &= (runs.done > template.stage) | ~runs.raised | (template.stage == 0)
            self._lines(index, runs, np.flatnonzero(written), template, progress)
        for effect, hit in runs.hits:
            if effect.log is not None:
                rows = np.flatnonzero(hit & runs.alive)
                self._lines(index, runs, rows, effect.log, 0.9)

    def of_failed_calls(self, index: int, runs: Runs, sites: list[Site]) -> None:
        """Write a caller's lines about callees that failed it."""
        for site in sites:
            failed: Bools = site.alive & site.failed & site.last
            if site.call.asynchronous or not failed.any():
                continue
            template = _CALL_SWALLOWED if site.call.fallback else _CALL_FAILED
            text = template.text.replace("{peer}", self._name(site.call))
            line = Template(severity=template.severity, text=text, stage=0)
            self._lines(index, runs, site.parent[failed], line, 0.97)

    def _name(self, call: Call) -> str:
        topology = self._world.topology
        if call.peer:
            return topology.peers[call.target].name
        return topology.services[topology.operations[call.target].service].name

    def _lines(
        self,
        index: int,
        runs: Runs,
        rows: Ints,
        template: Template,
        progress: float,
    ) -> None:
        """Write one line of `template` for each of the rows, `progress` of the way through."""
        known = self._world.shape.log_style != "prefixed"  # otherwise only the body tells it
        self._columns.add(
            rows,
            **whereabouts(self._columns, self._world, index, runs),
            time=runs.start_s + progress * runs.duration_s,
            severity=self._columns.label(template.severity) if known else NONE,
            trace=runs.trace,
            span=runs.span,
        )
        self._bodies.append(self._dress(self._body(template, runs, rows), template.severity))

    def _body(self, template: Template, runs: Runs, rows: Ints) -> pl.Series:
        """Fill the slots of a template, one line a row."""
        parts: list[pl.Expr] = []
        filled: dict[str, pl.Series] = {}
        for number, part in enumerate(_SLOT.split(template.text)):
            if number % 2 == 0:
                parts.append(pl.lit(part))
                continue
            key = f"slot{number}"
            filled[key] = self._slot(part, runs.duration_s[rows], runs.failed[rows])
            parts.append(pl.col(key))
        if not filled:
            return pl.Series([template.text]).new_from_index(0, len(rows))
        return pl.DataFrame(filled).select(body=pl.concat_str(parts)).to_series()

    def _slot(self, kind: str, duration_s: Floats, failed: Bools) -> pl.Series:
        count = len(duration_s)
        if kind == "took":
            return pl.Series(np.maximum(1, duration_s * 1000).astype(np.int64)).cast(pl.String)
        if kind == "code":
            return gather(["200", "500"], failed.astype(np.int64))
        numbers = self._rng.integers(0, 1 << 31, count)
        if kind == "n":
            return pl.Series(numbers % 997).cast(pl.String)
        if kind == "ip":
            texts = [f"10.{(n >> 16) % 256}.{(n >> 8) % 256}.{n % 256}" for n in numbers.tolist()]
        else:
            texts = [f"{n:08x}" for n in numbers.tolist()]
        return pl.Series(texts, dtype=pl.String)

    def _dress(self, body: pl.Series, severity: str) -> pl.Series:
        """Put the body into the log style of the system."""
        style = self._world.shape.log_style
        if style == "plain":
            return body
        before, after = f"{severity} [main] ", ""
        if style == "json":
            before, after = f'{{"level":"{severity.lower()}","msg":"', '"}'
        return pl.DataFrame({"b": body}).select(before + pl.col("b") + after).to_series()
