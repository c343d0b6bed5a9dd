"""The alert: whom it names, and when there is enough to fire upon."""

from collections.abc import Iterator

import numpy as np

from bench.generator.effects import Effect
from bench.generator.faults import Fault
from bench.generator.rollouts import Ints
from bench.generator.scene import Scene
from bench.generator.topology import Floats, breaks, callers, waits
from bench.generator.unfold import Runs, Simulated, World

NOTICEABLE = 0.05  # of a caller's runs


def felt(scene: Scene, fault: Fault) -> list[int]:
    """Return the operations, up to the users', that feel the fault or are where it starts."""
    follow = breaks if fault.symptom == "errors" else waits
    above = callers(scene.topology, fault.operations, follow)
    return [i for i, chance in above.items() if chance >= NOTICEABLE]


def alerted(
    scene: Scene, fault: Fault, at_fault: frozenset[int], rng: np.random.Generator, *, other: bool
) -> int:
    """Return the operation that the alert is about.

    With `other` it never belongs to a service `at_fault`: it is one above the fault that feels it,
    not the users' own if there is another; where the users' service is itself at fault it is one
    that this calls, or else any.
    """
    operations = scene.topology.operations
    entry = scene.entry(list(fault.operations) or list(scene.topology.entries)[:1])
    if not other:
        return entry
    own = operations[entry].service
    below = reached(scene, entry)
    innocent = [i for i in range(len(operations)) if operations[i].service not in at_fault]
    suffering = set(felt(scene, fault))
    for choice in (
        [i for i in innocent if i in suffering and operations[i].service != own],
        [i for i in innocent if i == entry and fault.operations],
        [i for i in innocent if i in below and operations[i].service != own],
        innocent,
    ):
        if choice:
            return int(rng.choice(choice))
    return entry


def hit_by(effect: Effect, world: World, simulated: Simulated, count: int) -> float:
    """Return the second by which about `count` requests were hit, infinite if there are fewer."""
    hits = [
        (runs.trace[rows], runs.at[rows], level * effect.share)
        for runs, rows, level in _touched(effect, world, simulated)
    ]
    if not hits:
        return np.inf
    traces, at, weights = (np.concatenate(column) for column in zip(*hits, strict=True))
    order = np.lexsort((-weights, traces))  # of a trace that is hit twice the surer one counts
    first = order[np.unique(traces[order], return_index=True)[1]]
    first = first[np.argsort(at[first], kind="stable")]
    reached_by = np.searchsorted(np.cumsum(weights[first]), count)
    return float(at[first][reached_by]) if reached_by < len(first) else np.inf


def _touched(
    effect: Effect, world: World, simulated: Simulated
) -> Iterator[tuple[Runs, Ints, Floats]]:
    """Yield the rows of runs that the effect acts on, or whose calls it acts on, and how likely."""
    for index, (runs, sites) in enumerate(zip(simulated.runs, simulated.sites, strict=True)):
        awaited = runs.alive & ~runs.consumer
        if world.topology.operations[index].service == effect.service and effect.touches(index):
            rows = np.flatnonzero(awaited)
            at, instance, epoch = runs.at[rows], runs.instance[rows], runs.epoch[rows]
            yield runs, rows, effect.on(at, instance, epoch, world.rollouts)
        for site in sites:
            if site.call.peer and site.call.target == effect.peer:
                rows = site.parent[site.alive & awaited[site.parent]]
                yield runs, rows, effect.level(runs.at[rows])


def reached(scene: Scene, entry: int) -> set[int]:
    """Return the operations below one of them, itself among them."""
    found = {entry}
    for index, op in enumerate(scene.topology.operations):
        if index in found:
            found.update(call.target for call in op.calls if not call.peer)
    return found
