"""The simulated runs and calls as a frame of spans."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from bench.generator.columns import NONE, Columns, gather, times, whereabouts
from bench.generator.rollouts import Ints
from bench.generator.unfold import Simulated, Site, World
from connectors.api import SPANS

_KINDS = pl.Series(["server", "client", "internal", "producer", "consumer"])
_SERVER, _CLIENT, _INTERNAL, _PRODUCER, _CONSUMER = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """The identifiers of traces and spans, by number."""

    traces: pl.Series
    spans: pl.Series


def draw_identifiers(rng: np.random.Generator, count: int, size: int) -> pl.Series:
    """Return `count` random identifiers of `size` bytes, as hexadecimal text."""
    text = rng.bytes(count * size).hex()
    width = 2 * size
    return pl.Series(
        [text[i : i + width] for i in range(0, len(text), width)], dtype=pl.String, strict=True
    )


def span_columns(world: World, simulated: Simulated) -> Columns:
    """Number all spans, callers first, and return their columns; sets `Runs.span`."""
    writer = _Writer(world, simulated)
    for index in range(len(simulated.runs)):
        inner = writer.add_runs(index)
        for site in simulated.sites[index]:
            writer.add_calls(index, inner, site)
    return writer.columns


class _Writer:
    """Turns runs and calls into columns of spans."""

    def __init__(self, world: World, simulated: Simulated) -> None:
        self.columns = Columns()
        self._world = world
        self._runs = simulated.runs

    def add_runs(self, index: int) -> Ints:
        """Add the server (or consumer) span of each run; return what its calls hang below."""
        op, runs = self._world.topology.operations[index], self._runs[index]
        end = runs.start_s + runs.duration_s
        runs.span = self.columns.number(runs.alive)
        rows = np.flatnonzero(runs.alive)
        common = {
            **whereabouts(self.columns, self._world, index, runs),
            "trace": runs.trace,
            "failed": runs.failed,
            "peer": NONE,
        }
        self.columns.add(
            rows,
            **common,
            parent=runs.parent_span,
            name=self.columns.label(op.name),
            kind=np.where(runs.consumer, _CONSUMER, _SERVER),
            start=runs.start_s,
            end=end,
        )
        if op.internal is None:
            return runs.span
        inner = self.columns.number(runs.alive)
        edge = 0.2 * runs.self_s
        self.columns.add(
            rows,
            **common,
            parent=runs.span,
            name=self.columns.label(op.internal),
            kind=_INTERNAL,
            start=runs.start_s + edge * op.shares[0],
            end=end - edge * np.array(op.shares)[runs.done],
        )
        return inner

    def add_calls(self, index: int, inner: Ints, site: Site) -> None:
        """Add the client spans of one call site and tell the callee's runs their parent span."""
        topology, shape, call = self._world.topology, self._world.shape, site.call
        runs = self._runs[index]
        shown = site.alive & (shape.client_spans | call.peer | call.asynchronous)
        numbers = self.columns.number(shown)
        if call.peer:
            peer = self.columns.label(topology.peers[call.target].name)
        else:
            parents = np.where(shown, numbers, inner[site.parent])
            self._runs[call.target].parent_span[site.runs] = parents[site.reaches]
            callee = topology.services[topology.operations[call.target].service].name
            peer = self.columns.label(callee) if shape.peers else NONE
        who = {
            name: values if isinstance(values, int) else values[site.parent]
            for name, values in whereabouts(self.columns, self._world, index, runs).items()
        }
        self.columns.add(
            np.flatnonzero(shown),
            **who,
            trace=runs.trace[site.parent],
            parent=inner[site.parent],
            name=self.columns.label(call.name),
            kind=_PRODUCER if call.asynchronous else _CLIENT,
            failed=site.failed,
            peer=peer,
            start=site.start_s,
            end=site.start_s + site.duration_s,
        )


def span_frame(world: World, columns: Columns, identifiers: Identifiers) -> pl.DataFrame:
    """Return the frame, ordered by start."""
    shape, start = world.shape, world.start
    traces, spans = identifiers.traces, identifiers.spans
    count = columns.count
    unknown = pl.Series([None], dtype=pl.String).new_from_index(0, count)
    status = columns.ints("failed")
    frame = pl.DataFrame(
        {
            "trace_id": gather(traces, columns.ints("trace")),
            "span_id": spans,
            "parent_span_id": gather(spans, columns.ints("parent")),
            "service": columns.texts("service"),
            "instance": columns.texts("instance"),
            "name": columns.texts("name"),
            "kind": gather(_KINDS, columns.ints("kind")) if shape.kinds else unknown,
            "status": gather(["unset", "error"], status) if shape.statuses else unknown,
            "start": times(start, columns.floats("start")),
            "end": times(start, columns.floats("end")),
            "environment": unknown,
            "namespace": unknown,
            "cluster": unknown,
            "version": columns.texts("version"),
            "peer": columns.texts("peer"),
            "sampling_weight": pl.Series([1.0]).new_from_index(0, count),
            "attributes": unknown,
        },
        schema=SPANS,
    )
    return frame.sort("start", maintain_order=True)
