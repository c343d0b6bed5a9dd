"""Gauges and rates of every instance, following the load that the simulation really put on it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.generator.columns import Columns, times
from bench.generator.effects import Effect, of_peer, of_service
from bench.generator.rollouts import Ints
from bench.generator.topology import Floats, Service
from bench.generator.unfold import Runs, World
from connectors.api import METRICS

_WORDS = {
    "process": {
        "cpu": ("process.cpu.utilization", "1"),
        "memory": ("process.memory.usage", "By"),
        "requests": ("http.server.request.rate", "1/s"),
        "pool": ("db.client.connections.utilization", "1"),
        "gc": ("process.runtime.gc.time_share", "1"),
        "queue": ("messaging.queue.depth", "{message}"),
    },
    "container": {
        "cpu": ("container.cpu.utilization", "1"),
        "memory": ("container.memory.working_set", "By"),
        "requests": ("rpc.server.requests", "1/s"),
        "pool": ("pool.connections.used_share", "1"),
        "gc": ("runtime.gc.time_share", "1"),
        "queue": ("consumer.lag", "{message}"),
    },
    "exporter": {
        "cpu": ("cpu_usage_ratio", "1"),
        "memory": ("resident_memory_bytes", "By"),
        "requests": ("requests_per_second", "1/s"),
        "pool": ("connection_pool_usage_ratio", "1"),
        "gc": ("gc_time_ratio", "1"),
        "queue": ("queue_messages_ready", "{message}"),
    },
}
_LIMIT_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """One metric of one instance over the grid; `names` is the instance's name at each time."""

    service: str
    names: list[str]
    metric: str
    values: Floats


def metric_frame(world: World, all_runs: list[Runs], rng: np.random.Generator) -> pl.DataFrame:
    """Return the samples of all instances, and of databases and caches that export their own."""
    shape = world.shape
    grid = np.arange(0.0, shape.seconds, float(shape.metric_interval_s))
    rows = np.arange(len(grid))
    columns = Columns()
    for series in [*_services(world, grid, all_runs, rng), *_peers(world, grid, rng)]:
        name, unit = _WORDS[shape.metric_style][series.metric]
        columns.add(
            rows,
            time=grid,
            service=columns.label(series.service),
            instance=np.array([columns.label(name) for name in series.names]),
            name=columns.label(name),
            unit=columns.label(unit),
            value=series.values,
        )
    values = columns.floats("value")
    unknown = pl.Series([None], dtype=pl.String).new_from_index(0, len(values))
    frame = pl.DataFrame(
        {
            "time": times(world.start, columns.floats("time")),
            **{name: columns.texts(name) for name in ("service", "instance", "name", "unit")},
            "value": values,
            **dict.fromkeys(("environment", "namespace", "cluster", "labels"), unknown),
        },
        schema=METRICS,
    )
    return frame.sort("time", maintain_order=True)


def _services(
    world: World, grid: Floats, all_runs: list[Runs], rng: np.random.Generator
) -> Iterator[_Series]:
    topology = world.topology
    for number, service in enumerate(topology.services):
        operations = topology.of(number)
        rates = _rates(
            [all_runs[i] for i in operations], service, world.shape.metric_interval_s, grid
        )
        databases = any(
            call.peer and topology.peers[call.target].kind == "database"
            for i in operations
            for call in topology.operations[i].calls
        )
        consumes = any(
            not call.peer and call.asynchronous and call.target in operations
            for op in topology.operations
            for call in op.calls
        )
        busy = float(rng.uniform(0.1, 0.4))
        for instance in range(service.instances):
            which = np.full(len(grid), instance)
            epoch = world.rollouts.epoch(number, which, grid)
            names = world.rollouts.instances(number)
            named = [names[int(e)][instance] for e in epoch]
            levels = _levels(world, number, which, epoch, grid)
            load = rates[instance] / max(1e-9, float(rates.mean()))
            columns = {
                "cpu": _toward(_noisy(0.03 + busy * load, 0.02, rng), levels.get("cpu")),
                "memory": _toward(_memory(grid, epoch, rng), levels.get("memory")) * _LIMIT_BYTES,
                "requests": rates[instance],
            }
            if databases:
                columns["pool"] = _toward(_noisy(0.1 + 0.2 * load, 0.03, rng), levels.get("pool"))
            if service.collected:
                columns["gc"] = _toward(_noisy(0.01 + 0 * load, 0.003, rng), levels.get("gc"))
            if consumes:
                columns["queue"] = rng.poisson(3.0 * load).astype(np.float64)
            for metric, values in columns.items():
                yield _Series(service=service.name, names=named, metric=metric, values=values)


def _peers(world: World, grid: Floats, rng: np.random.Generator) -> Iterator[_Series]:
    for number, peer in enumerate(world.topology.peers):
        if not peer.exported:
            continue
        busy = float(rng.uniform(0.1, 0.4))
        load = world.traffic.load[np.clip(grid.astype(np.int64), 0, len(world.traffic.load) - 1)]
        cpu = _noisy(busy * load, 0.03, rng)
        for effect in of_peer(world.effects, number):
            if effect.cpu is not None:
                cpu = _toward(cpu, (effect.level(grid), effect.cpu))
        yield _Series(
            service=peer.name, names=[f"{peer.name}-0"] * len(grid), metric="cpu", values=cpu
        )


def _rates(runs: list[Runs], service: Service, interval_s: int, grid: Floats) -> Floats:
    """Return requests per second by instance and time."""
    size = service.instances * len(grid)
    counts = np.zeros(size, dtype=np.int64)
    for one in runs:
        bins = np.floor(one.start_s / interval_s).astype(np.int64)
        inside = one.alive & (bins < len(grid))
        rows = one.instance[inside] * len(grid) + bins[inside]
        counts += np.bincount(rows, minlength=size)
    rates: Floats = counts.reshape(service.instances, len(grid)) / interval_s
    return rates


def _levels(
    world: World, service: int, which: Ints, epoch: Ints, grid: Floats
) -> dict[str, tuple[Floats, float]]:
    """Return by metric the strength over time and the level of the effects on an instance."""
    levels: dict[str, tuple[Floats, float]] = {}
    for effect in of_service(world.effects, service):
        strength = effect.on(grid, which, epoch, world.rollouts)
        for metric, level in _targets(effect).items():
            levels[metric] = (strength, level)
    return levels


def _targets(effect: Effect) -> dict[str, float]:
    targets = {"cpu": effect.cpu, "memory": effect.memory, "pool": effect.pool, "gc": effect.gc}
    return {metric: level for metric, level in targets.items() if level is not None}


def _toward(values: Floats, level: tuple[Floats, float] | None) -> Floats:
    """Return the values drawn towards a level by a strength over time."""
    if level is None:
        return values
    strength, target = level
    drawn: Floats = values + 0.97 * strength * (target - values)  # the rest of the noise stays
    return drawn


def _noisy(values: Floats, sigma: float, rng: np.random.Generator) -> Floats:
    noisy: Floats = np.clip(values + rng.normal(0.0, sigma, len(values)), 0.0, 1.0)
    return noisy


def _memory(grid: Floats, epoch: Ints, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a share of the limit: a saw tooth above a base that restarts with each version."""
    base, tooth = float(rng.uniform(0.25, 0.5)), float(rng.uniform(60, 240))
    saw = 0.05 * ((grid / tooth + float(rng.random())) % 1.0)
    return base + saw - 0.02 * (epoch % 2) + rng.normal(0.0, 0.003, len(grid))
