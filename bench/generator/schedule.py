"""Second and third walk: how long each run takes and how it ends, then when it starts.

Upwards, a run's duration is its own time plus its stages', each as long as its slowest call; the
first stage with an error that nothing swallows ends it. Downwards, whatever a caller that ended
early would have called never happened, and starts are laid out in time.
"""

from collections.abc import Sequence

import numpy as np

from bench.generator.topology import Floats, Operation
from bench.generator.unfold import Runs, Simulated, Site


def settle(operations: Sequence[Operation], simulated: Simulated) -> None:
    """Fill durations and outcomes, callees first."""
    for index in range(len(operations) - 1, -1, -1):
        op, runs = operations[index], simulated.runs[index]
        count = len(runs)
        broken_at = np.full(count, op.stages, dtype=np.int64)
        for site in simulated.sites[index]:
            stage = site.call.stage
            if not site.call.peer and not site.call.asynchronous:
                callee, rows = simulated.runs[site.call.target], site.runs
                arrived = site.reaches
                site.duration_s[arrived] = (
                    2 * site.network_s[arrived] + callee.queue_s[rows] + callee.duration_s[rows]
                )
                site.failed[arrived] = callee.failed[rows]
            total = np.bincount(site.parent, weights=site.duration_s, minlength=count)
            runs.stage_s[stage] = np.maximum(runs.stage_s[stage], total)
            if not site.call.fallback and not site.call.asynchronous:
                breaking = site.parent[site.failed & site.last]
                broken_at[breaking] = np.minimum(broken_at[breaking], stage)
        broken = broken_at < op.stages
        runs.raised &= ~broken
        runs.failed = runs.raised | broken
        runs.done = np.minimum(runs.done, broken_at + 1)
        ran = np.arange(op.stages)[:, None] < runs.done[None, :]
        own = np.cumsum(op.shares)[np.minimum(runs.done, op.stages)] * runs.self_s
        runs.duration_s = own + (runs.stage_s * ran).sum(axis=0)


def place(operations: Sequence[Operation], simulated: Simulated, rng: np.random.Generator) -> None:
    """Fill starts, and whether a run or a call happened at all, callers first."""
    for index, op in enumerate(operations):
        runs = simulated.runs[index]
        starts = _stage_starts(op, runs)
        for site in simulated.sites[index]:
            parent, stage = site.parent, site.call.stage
            site.alive = runs.alive[parent] & (runs.done[parent] > stage)
            site.start_s = starts[stage][parent] + _offset_in_parent(site)
            if site.call.peer:
                continue
            callee, rows, arrived = simulated.runs[site.call.target], site.runs, site.reaches
            callee.alive[rows] = site.alive[arrived]
            callee.consumer[rows] = site.call.asynchronous
            begin = site.start_s[arrived] + site.network_s[arrived] + callee.queue_s[rows]
            if site.call.asynchronous:
                waiting = rng.lognormal(-3.5, 0.8, len(begin))
                begin += site.duration_s[arrived] + waiting
            callee.start_s[rows] = begin


def _stage_starts(op: Operation, runs: Runs) -> list[Floats]:
    """Return by stage when its calls start."""
    own = np.cumsum(op.shares)
    starts, before = [], runs.start_s
    for stage in range(op.stages):
        starts.append(before + own[stage] * runs.self_s)
        before = before + runs.stage_s[stage]
    return starts


def _offset_in_parent(site: Site) -> Floats:
    """Return how long after its stage's start a call of a row of calls starts."""
    if len(site.parent) == 0:
        return np.zeros(0)
    ends = np.cumsum(site.duration_s)
    begins = ends - site.duration_s
    first = np.ones(len(begins), dtype=bool)
    first[1:] = site.parent[1:] != site.parent[:-1]
    group = np.maximum.accumulate(np.where(first, np.arange(len(begins)), 0))
    offset: Floats = begins - begins[group]
    return offset
