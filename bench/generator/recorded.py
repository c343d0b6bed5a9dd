"""From a seed to a recording: the one straight line through the generator."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from bench.generator.build import build
from bench.generator.cases import case
from bench.generator.dirt import Frames, soil
from bench.generator.faults import KINDS
from bench.generator.logs import log_frame
from bench.generator.metrics import metric_frame
from bench.generator.names import Namer
from bench.generator.plot import Plot, draw_plot
from bench.generator.rollouts import Rollouts
from bench.generator.scene import Circumstances, Scene
from bench.generator.schedule import place, settle
from bench.generator.second import PAIRED
from bench.generator.shape import CREEPING, Shape, random_shape
from bench.generator.spans import Identifiers, draw_identifiers, span_columns, span_frame
from bench.generator.streams import stream
from bench.generator.traffic import draw_traffic, with_jobs
from bench.generator.unfold import Simulated, World, unfold
from connectors.api import Change, Window
from connectors.recording import Case

FAULTS = tuple(KINDS)
# A seed alone gives what it gave before there were others.
_DRAWN = tuple(kind for kind in KINDS if kind not in CREEPING)
_EPOCH = datetime(2025, 1, 6, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recording in memory: frames with the schemas of connectors.api, and their truth."""

    title: str
    spans: pl.DataFrame
    logs: pl.DataFrame
    metrics: pl.DataFrame
    changes: tuple[Change, ...]
    edges: tuple[tuple[str, str], ...]
    cases: tuple[Case, ...]
    window: Window

    @property
    def known_incidents(self) -> tuple[Window, ...]:
        """The times of the faults, which a baseline must avoid."""
        return tuple(
            Window(start=known.onset, end=known.until)
            for known in self.cases
            if known.onset is not None and known.until is not None
        )


def generate(
    seed: int,
    *,
    shape: Shape | None = None,
    fault: str | None = None,
    dirt: int = 0,
    names: int | None = None,
    around: Circumstances | None = None,
    **measures: float,
) -> Recorded:
    """Return the recording of `seed`; the same arguments give the same rows.

    Without `shape` one is drawn, with the given `dirt` and `measures` (fields of `Shape` by name);
    without `fault` (a name in `FAULTS`) the seed chooses one, but none that creeps in. `names` is a
    seed for the names alone: another one renames the same system. `around` says whom the alert
    names and what else happens.

    Raises ValueError with one sentence for an argument out of range, `scene.NoPlace` (a ValueError)
    where the seed's system has no place for the fault.
    """
    if seed < 0:
        raise ValueError(f"the seed is {seed}: give a whole number from 0")
    if fault is not None and fault not in KINDS:
        raise ValueError(f"there is no fault {fault!r}: choose one of {', '.join(FAULTS)}")
    if fault is None:
        fault = str(stream(seed, "fault kind").choice(np.array(_DRAWN)))
    around = around or Circumstances()
    around.check()
    if around.second is not None and not {fault, around.second} <= set(PAIRED):
        raise ValueError(f"two faults at once are two of {', '.join(PAIRED)}")
    if shape is None:
        shape = random_shape(seed, fault=fault, dirt=dirt, **measures)
    shape.check()
    namer = Namer(stream(seed if names is None else names, "names"))
    scene = _scene(seed, shape, namer, lasting=fault in CREEPING)
    return _record(seed, scene, draw_plot(seed, scene, fault, around))


def _scene(seed: int, shape: Shape, namer: Namer, *, lasting: bool) -> Scene:
    """Draw the system and when something goes wrong in it; `lasting` faults do not end."""
    rng = stream(seed, "scene")
    onset = shape.seconds * shape.onset_share + float(rng.uniform(-20.0, 20.0))
    start = _EPOCH + timedelta(minutes=int(rng.integers(0, 500_000)))
    lasts = float(rng.uniform(300.0, 900.0))
    return Scene(
        topology=build(shape, stream(seed, "topology"), namer),
        shape=shape,
        start=start,
        onset=onset,
        until=shape.seconds if lasting else min(shape.seconds, onset + lasts),
        rng=rng,
        namer=namer,
    )


def _record(seed: int, scene: Scene, plot: Plot) -> Recorded:
    """Simulate the scene and write down what its telemetry shows of it."""
    shape, topology = scene.shape, scene.topology
    healthy = plot.fault.kind == "healthy"
    spike_at = scene.onset - 20.0 if healthy and scene.rng.random() < 0.5 else None
    rng = stream(seed, "traffic")
    traffic = draw_traffic(
        shape, topology.entries, rng, spike_at=spike_at, trend=plot.everyday.trend
    )
    if plot.everyday.jobs:
        traffic = with_jobs(traffic, plot.everyday.jobs, rng)
    world = World(
        topology=topology,
        shape=shape,
        start=scene.start,
        traffic=traffic,
        rollouts=Rollouts(topology, plot.history.rollouts, renamed=shape.renamed_pods),
        effects=plot.effects,
    )
    rng = stream(seed, "simulation")
    simulated = unfold(world, rng)
    settle(topology.operations, simulated)
    place(topology.operations, simulated, rng)
    frames = soil(_telemetry(seed, world, simulated), shape.dirt, stream(seed, "dirt"))
    name = f"generated-{seed}-{plot.fault.kind}"
    return Recorded(
        title=name,
        spans=frames.spans,
        logs=frames.logs,
        metrics=frames.metrics,
        changes=tuple(plot.history.changes),
        edges=topology.edges(),
        cases=(case(name, scene, plot, world, simulated),),
        window=Window(start=world.start, end=world.end),
    )


def _telemetry(seed: int, world: World, simulated: Simulated) -> Frames:
    """Return the clean frames of a simulation."""
    columns = span_columns(world, simulated)
    rng = stream(seed, "identifiers")
    identifiers = Identifiers(
        traces=draw_identifiers(rng, len(world.traffic.arrivals), 16),
        spans=draw_identifiers(rng, columns.count, 8),
    )
    spans = span_frame(world, columns, identifiers)
    logs = log_frame(world, simulated, identifiers, stream(seed, "logs"))
    # A trace that the window's end cuts would look as if its callers had been slow by themselves.
    late = spans.filter(pl.col("start") >= world.end).select("trace_id").unique()
    logs = logs.filter(pl.col("time") < world.end)
    return Frames(
        spans=spans.join(late, on="trace_id", how="anti", maintain_order="left"),
        logs=logs.join(late, on="trace_id", how="anti", maintain_order="left"),
        metrics=metric_frame(world, simulated.runs, stream(seed, "metrics")),
    )
