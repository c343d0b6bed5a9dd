"""First walk, from callers to callees: which operations run in which trace, and what each draws.

All runs of an operation are one set of columns, all calls made at one place another; no run is a
Python object, so a million spans cost seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from bench.generator.effects import Effect, of_peer, of_service
from bench.generator.rollouts import Ints, Rollouts
from bench.generator.shape import Shape
from bench.generator.topology import Call, Floats, Topology
from bench.generator.traffic import Traffic

Bools = npt.NDArray[np.bool_]

_TIMEOUT_S = 1.0
_RESEND_S = 0.2  # the usual least retransmission timeout of TCP
_HEAVY_TAIL = 0.004


@dataclass(slots=True, kw_only=True)
class Runs:
    """Columns of all runs of one operation; the later walks fill the second half (seconds).

    `done` counts the stages that were run; `hits` marks the runs that each effect with a log line
    of its own has hit. `span` is the number of the server span, -1 where there is none.
    """

    trace: Ints
    at: Floats
    instance: Ints
    epoch: Ints
    queue_s: Floats
    self_s: Floats
    done: Ints
    raised: Bools
    hits: list[tuple[Effect, Bools]]
    stage_s: Floats
    duration_s: Floats
    start_s: Floats
    failed: Bools
    alive: Bools
    consumer: Bools
    parent_span: Ints
    span: Ints

    def __len__(self) -> int:
        return len(self.trace)


@dataclass(slots=True, kw_only=True)
class Site:
    """Columns of all calls made at one place. `low` is where its runs begin in the callee's runs.

    `parent` numbers the caller's runs, ascending; `lost` attempts never arrived, `last` ones
    decide; `reaches` are those that become a run of the callee, in order.
    """

    call: Call
    parent: Ints
    lost: Bools
    last: Bools
    reaches: Bools
    network_s: Floats
    duration_s: Floats
    failed: Bools
    low: int = 0
    start_s: Floats = field(default_factory=lambda: np.zeros(0))
    alive: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @property
    def runs(self) -> slice:
        """The rows of the callee's runs."""
        return slice(self.low, self.low + int(np.count_nonzero(self.reaches)))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a simulation is given; `start` is the window's start."""

    topology: Topology
    shape: Shape
    start: datetime
    traffic: Traffic
    rollouts: Rollouts
    effects: Sequence[Effect]

    @property
    def end(self) -> datetime:
        """The window's end."""
        return self.start + timedelta(seconds=self.shape.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """The runs and the call sites of each operation, in the operations' order."""

    runs: list[Runs]
    sites: list[list[Site]]


def unfold(world: World, rng: np.random.Generator) -> Simulated:
    """Return who calls whom in every trace, and each run's own draws; no times yet."""
    operations = world.topology.operations
    incoming: list[list[tuple[Ints, Floats]]] = [[] for _ in operations]
    rows = [0] * len(operations)
    # Jobs begin at operations that users do not call.
    for entry in dict.fromkeys([*world.topology.entries, *world.traffic.entries.tolist()]):
        trace = np.flatnonzero(world.traffic.entries == entry)
        incoming[entry].append((trace, world.traffic.arrivals[trace]))
        rows[entry] = len(trace)
    all_runs: list[Runs] = []
    all_sites: list[list[Site]] = []
    for index, op in enumerate(operations):
        trace = np.concatenate([t for t, _ in incoming[index]])
        at = np.concatenate([a for _, a in incoming[index]])
        runs = _begin(world, index, trace, at, rng)
        sites = []
        for number, call in enumerate(op.calls):
            site = _make_calls(world, index, number, runs, rng)
            if not call.peer:
                arrived = site.parent[site.reaches]
                incoming[call.target].append((trace[arrived], at[arrived]))
                site.low = rows[call.target]
                rows[call.target] += len(arrived)
            sites.append(site)
        all_runs.append(runs)
        all_sites.append(sites)
    return Simulated(runs=all_runs, sites=all_sites)


def _begin(world: World, index: int, trace: Ints, at: Floats, rng: np.random.Generator) -> Runs:
    """Draw what each run of an operation does by itself."""
    op, count = world.topology.operations[index], len(trace)
    instance = rng.integers(0, world.topology.services[op.service].instances, count)
    epoch = world.rollouts.epoch(op.service, instance, at)
    crowding = world.traffic.crowding(at)
    own_s = op.self_s * np.exp(rng.normal(0.0, op.sigma, count)) * crowding
    own_s[rng.random(count) < _HEAVY_TAIL] *= 5.0
    queue_s = rng.exponential(0.0001, count) * crowding
    raised = rng.random(count) < op.error_rate
    done = np.full(count, op.stages, dtype=np.int64)
    done[raised] = rng.integers(0, op.stages + 1, int(raised.sum()))
    hits = []
    for effect in of_service(world.effects, op.service):
        if not effect.touches(index):
            continue
        level = effect.on(at, instance, epoch, world.rollouts)
        hit = rng.random(count) < level * effect.share
        own_s[hit] *= effect.self_factor
        own_s[hit] += rng.gamma(2.0, effect.wait_s / 2.0, int(hit.sum()))
        queue_s[hit] += rng.gamma(2.0, effect.queue_s / 2.0, int(hit.sum()))
        fails = hit & (rng.random(count) < effect.fail)
        leaves = hit & (rng.random(count) < effect.leave)
        done[fails | leaves] = np.minimum(effect.stage, op.stages)
        raised |= fails
        if effect.log is not None:
            hits.append((effect, hit))
    return Runs(
        trace=trace,
        at=at,
        instance=instance,
        epoch=epoch,
        queue_s=queue_s,
        self_s=own_s,
        done=done,
        raised=raised,
        hits=hits,
        stage_s=np.zeros((op.stages, count)),
        duration_s=np.zeros(count),
        start_s=at.copy(),  # right for users' own runs; callees' starts are laid out later
        failed=raised.copy(),
        alive=np.ones(count, dtype=bool),
        consumer=np.zeros(count, dtype=bool),
        parent_span=np.full(count, -1, dtype=np.int64),
        span=np.full(count, -1, dtype=np.int64),
    )


def _make_calls(
    world: World, index: int, number: int, runs: Runs, rng: np.random.Generator
) -> Site:
    """Draw the calls that runs of operation `index` make at its place `number`."""
    op = world.topology.operations[index]
    call = op.calls[number]
    made = np.flatnonzero((rng.random(len(runs)) < call.probability) & (runs.done > call.stage))
    times = 1 + (rng.poisson(call.extra, len(made)) if call.extra else 0 * made)
    callers = of_service(world.effects, op.service)
    for effect in callers:
        if effect.repeats and effect.touches(index) and effect.repeats[0] == number:
            level = _level(world, effect, runs, made)
            times = np.where(rng.random(len(made)) < level, effect.repeats[1], times)
    parent = np.repeat(made, times)
    crowding = world.traffic.crowding(runs.at[parent])
    network_s = call.network_s * np.exp(rng.normal(0.0, 0.2, len(parent))) * crowding
    loss = np.zeros(len(parent))
    for effect in callers:
        network_s += _level(world, effect, runs, parent) * effect.outbound_s
        loss += _level(world, effect, runs, parent) * effect.loss
    if not call.peer:
        at = runs.at[parent]
        for effect in of_service(world.effects, world.topology.operations[call.target].service):
            network_s += effect.level(at) * effect.inbound_s * rng.gamma(8.0, 1 / 8.0, len(at))
            loss += effect.level(at) * effect.loss
    network_s += _RESEND_S * (rng.random(len(parent)) < loss) * (1 + rng.random(len(parent)))
    parent, lost, last, network_s = _attempts(parent, loss, network_s, rng)
    site = Site(
        call=call,
        parent=parent,
        lost=lost,
        last=last,
        reaches=~lost & (not call.peer),
        network_s=network_s,
        duration_s=np.where(lost, _TIMEOUT_S, rng.lognormal(-6.5, 0.3, len(parent))),
        failed=lost.copy(),
    )
    if call.peer:
        _answer(world, site, runs, rng)
    return site


def _level(world: World, effect: Effect, runs: Runs, rows: Ints) -> Floats:
    return effect.on(runs.at[rows], runs.instance[rows], runs.epoch[rows], world.rollouts)


def _attempts(
    parent: Ints, loss: Floats, network_s: Floats, rng: np.random.Generator
) -> tuple[Ints, Bools, Bools, Floats]:
    """Return the calls with a second attempt after each one that got lost for good."""
    first_lost = rng.random(len(parent)) < loss / 3
    second_lost = first_lost & (rng.random(len(parent)) < loss / 3)
    attempts = 1 + first_lost
    rows = np.repeat(np.arange(len(parent)), attempts)
    last = np.ones(len(rows), dtype=bool)
    last[:-1] = rows[1:] != rows[:-1]
    lost = np.where(last, second_lost[rows], first_lost[rows])
    return parent[rows], lost, last, network_s[rows]


def _answer(world: World, site: Site, runs: Runs, rng: np.random.Generator) -> None:
    """Draw how a database, a cache or a third party answers (it has no spans of its own)."""
    call, count = site.call, len(site.parent)
    at = runs.at[site.parent]
    answer_s = call.latency_s * np.exp(rng.normal(0.0, call.sigma, count))
    answer_s *= world.traffic.crowding(at)
    failed = rng.random(count) < 0.0005
    for effect in of_peer(world.effects, call.target):
        hit = rng.random(count) < effect.level(at) * effect.share
        answer_s[hit] *= effect.peer_factor
        refused = hit & (rng.random(count) < effect.peer_fail)
        answer_s[refused] = effect.peer_wait_s * (1 + 0.05 * rng.random(int(refused.sum())))
        failed |= refused
    site.duration_s = np.where(site.lost, _TIMEOUT_S, answer_s + 2 * site.network_s)
    site.failed = site.lost | failed
