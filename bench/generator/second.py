"""A second fault elsewhere at nearly the same time, clearly weaker than the first.

Which of two faults counts must not be a matter of taste: both are simulated alone, and the second
is drawn anew or made milder until users suffer at most half as much from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.generator.effects import Effect
from bench.generator.faults import KINDS, Fault
from bench.generator.rollouts import Rollout, Rollouts
from bench.generator.scene import NoPlace, Scene
from bench.generator.schedule import settle
from bench.generator.shape import CREEPING
from bench.generator.streams import stream
from bench.generator.topology import Floats
from bench.generator.traffic import Traffic, draw_traffic
from bench.generator.unfold import Bools, World, unfold

# Of these users feel too little, or too late, for a comparison.
PAIRED = tuple(kind for kind in KINDS if kind not in {"healthy", "early_return", *CREEPING})
CLEARLY = 2.0  # times the harm that the second fault does
_WORST = 5.0  # usual durations: what a failed request counts, and at most a late one
_FELT, _LEAST = 0.1, 0.02
_PLACES, _MILDER = 8, (1.0, 0.5, 0.25, 0.12)
_BEFORE_S, _AFTER_S = 40.0, 20.0
_WATCHED_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The weaker fault, and the scene as it sees it: with an onset and random numbers of its own.

    `harm` and `first_harm` are what users suffer from each alone (see `harm_of`).
    """

    scene: Scene
    fault: Fault
    harm: float
    first_harm: float


def draw_second(seed: int, scene: Scene, first: Fault, kind: str) -> Second:
    """Return a fault of `kind` in another place than `first`.

    Raises `NoPlace` where the system has none, or where users hardly feel the first fault.
    """
    if kind not in PAIRED or first.kind not in PAIRED:
        raise ValueError(f"two faults at once are two of {', '.join(PAIRED)}")
    rng = stream(seed, "second")
    onset = scene.onset + float(rng.uniform(-_BEFORE_S, _AFTER_S))
    own = replace(scene, onset=onset, rng=rng)
    usual = _requests(seed, scene, None)
    first_harm = harm_of(usual, _requests(seed, scene, first))
    if first_harm < _FELT:
        raise NoPlace("users hardly feel the first fault: take another seed")
    for _ in range(_PLACES):
        drawn = KINDS[kind](own)
        if (drawn.service, drawn.peer) == (first.service, first.peer):
            continue
        for milder in _MILDER:
            fault = replace(drawn, effects=tuple(_milder(e, milder) for e in drawn.effects))
            harm = harm_of(usual, _requests(seed, scene, fault))
            if harm < _LEAST:
                break
            if harm * CLEARLY <= first_harm:
                return Second(scene=own, fault=fault, harm=harm, first_harm=first_harm)
    raise NoPlace("this system has no place for a second fault: take another seed")


def harm_of(usual: Sequence[tuple[Floats, Bools]], hurt: Sequence[tuple[Floats, Bools]]) -> float:
    """Return the mean harm to a request of users, in usual durations of its kind (0 to 5).

    Both hold (duration, failed) of all requests, one pair for each operation that users call. Extra
    time counts up to five usual durations; a failed request counts five.
    """
    total = count = 0.0
    for (before, failed_before), (after, failed_after) in zip(usual, hurt, strict=True):
        if len(before) and len(after):
            mean = float(before.mean())
            more = _late(after, failed_after, mean) - _late(before, failed_before, mean)
            total += len(after) * max(0.0, more)
            count += len(after)
    return total / count if count else 0.0


def _late(duration: Floats, failed: Bools, mean: float) -> float:
    late = np.clip(duration / mean - 1.0, 0.0, _WORST)
    return float(np.where(failed, _WORST, late).mean())


def _requests(seed: int, scene: Scene, fault: Fault | None) -> list[tuple[Floats, Bools]]:
    """Simulate the first minutes after the onset with one fault alone, or with none."""
    topology, shape = scene.topology, scene.shape
    rng = stream(seed, "harm")
    traffic = draw_traffic(shape, topology.entries, rng, spike_at=None)
    begin = max([scene.onset, *(e.since for e in (fault.effects if fault is not None else ()))])
    inside = (traffic.arrivals >= begin) & (traffic.arrivals < min(scene.until, begin + _WATCHED_S))
    world = World(
        topology=topology,
        shape=shape,
        start=scene.start,
        traffic=Traffic(
            arrivals=traffic.arrivals[inside], entries=traffic.entries[inside], load=traffic.load
        ),
        rollouts=Rollouts(topology, _broken_version(scene, fault), renamed=False),
        effects=fault.effects if fault is not None else (),
    )
    simulated = unfold(world, rng)
    settle(topology.operations, simulated)
    return [
        (simulated.runs[entry].duration_s, simulated.runs[entry].failed)
        for entry in topology.entries
    ]


def _broken_version(scene: Scene, fault: Fault | None) -> list[Rollout]:
    if fault is None or fault.service is None or fault.change != "deploy":
        return []
    instances = scene.topology.services[fault.service].instances
    flips = [0.0 if i == 0 or not fault.canary else np.inf for i in range(instances)]
    return [Rollout(service=fault.service, version="broken", flips=tuple(flips), faulty=True)]


def _milder(effect: Effect, part: float) -> Effect:
    """Return the effect with that part of its strength; what metrics show of it stays."""
    return replace(
        effect,
        share=effect.share * (part if effect.fail > 0 else 1.0),
        self_factor=1.0 + (effect.self_factor - 1.0) * part,
        wait_s=effect.wait_s * part,
        queue_s=effect.queue_s * part,
        inbound_s=effect.inbound_s * part,
        outbound_s=effect.outbound_s * part,
        loss=effect.loss * part,
        repeats=effect.repeats
        and (effect.repeats[0], max(2, round(1 + (effect.repeats[1] - 1) * part))),
        peer_factor=1.0 + (effect.peer_factor - 1.0) * part,
        peer_fail=effect.peer_fail * part,
    )
