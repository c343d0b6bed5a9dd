"""What happens in real systems on any day without harm: nobody may be blamed for it.

Around the time of the alert innocent versions, flags and settings go out to the services below the
alerted operation, and one instance or another is replaced. A job may run, the traffic may grow or
shrink slowly, and a collector may pause some runs, all day long.
"""

from dataclasses import dataclass

import numpy as np

from bench.generator.alerts import reached
from bench.generator.changes import Clerk, History
from bench.generator.effects import Effect
from bench.generator.rollouts import Rollout
from bench.generator.scene import Scene
from bench.generator.topology import visits, waits
from bench.generator.traffic import Job

_COLD_RUNS = 6.0
_EARLIEST_S, _LATEST_S = 240.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Everyday:
    """Harmless effects and jobs; `trend` is the growth of traffic over the window, as a share."""

    effects: tuple[Effect, ...] = ()
    jobs: tuple[Job, ...] = ()
    trend: float = 0.0


def live_on(
    scene: Scene,
    alerted: int,
    history: History,
    spared: frozenset[int],
    rng: np.random.Generator,
) -> Everyday:
    """Draw a day and write its changes into `history`; services `spared` are left alone."""
    operations = scene.topology.operations
    path = sorted({operations[i].service for i in reached(scene, alerted)} - spared)
    others = sorted(set(range(len(scene.topology.services))) - spared)
    _release(scene, path or others, history, rng)
    effects: list[Effect] = []
    if path and rng.random() < 0.5:
        effects.append(_replace_one(scene, path, history, rng))
    if rng.random() < 0.5:
        effects += _collect(scene, others, rng)
    jobs = (_job(scene, others, rng),) if rng.random() < 0.5 else ()
    if jobs and rng.random() < 0.5:
        effects.append(_work(operations[jobs[0].operation].service, jobs[0], rng))
    trend = float(rng.uniform(-0.3, 0.3)) if rng.random() < 0.5 else 0.0
    history.changes.sort(key=lambda change: (change.at, change.ref))
    return Everyday(effects=tuple(effects), jobs=jobs, trend=trend)


def _near(scene: Scene, rng: np.random.Generator) -> float:
    """Draw a second shortly before the alert, or just after what would be an onset."""
    return max(5.0, scene.onset + float(rng.uniform(-_EARLIEST_S, _LATEST_S)))


def _release(scene: Scene, path: list[int], history: History, rng: np.random.Generator) -> None:
    """Let two to four changes go out to services of the path, a new version first."""
    clerk = Clerk(scene, rng, history)
    first, *more = (int(rng.choice(path)) for _ in range(int(rng.integers(2, 5))))
    canary = bool(rng.random() < 0.5)
    history.decoys.append(clerk.deploy(first, _near(scene, rng), faulty=False, canary=canary))
    for service in more:
        history.decoys.append(clerk.innocent(service, _near(scene, rng), deploys=True))


def _replace_one(
    scene: Scene, path: list[int], history: History, rng: np.random.Generator
) -> Effect:
    """Replace one instance: the new one has cold caches, so its first few runs are slower."""
    service, at = int(rng.choice(path)), _near(scene, rng)
    known = scene.topology.services[service]
    one = int(rng.integers(known.instances))
    flips = tuple(at if i == one else np.inf for i in range(known.instances))
    # It runs what ran before: the last version that went out to it, if any did.
    before = [r for r in history.rollouts if r.service == service and r.flips[one] <= at]
    version = max(before, key=lambda r: r.first).version if before else known.version
    history.rollouts.append(Rollout(service=service, version=version, flips=flips))
    clerk = Clerk(scene, rng, history)
    summary = f"instance {one} of {known.name} was moved to another node"
    history.decoys.append(clerk.note(clerk.draft("kubernetes_event", service, at, summary)))
    runs = visits(scene.topology, waits)
    rate = scene.shape.rps * sum(float(runs[i]) for i in scene.topology.of(service))
    cold = _COLD_RUNS * known.instances / max(rate, 1e-6)
    return Effect(
        service=service,
        instances=frozenset({one}),
        since=at,
        until=at + min(cold, 30.0),
        self_factor=float(rng.uniform(2.0, 5.0)),
    )


def _collect(scene: Scene, services: list[int], rng: np.random.Generator) -> list[Effect]:
    """Let some services pause one run in a hundred, all day long."""
    return [
        Effect(
            service=service,
            since=0.0,
            until=scene.shape.seconds,
            share=float(rng.uniform(0.003, 0.015)),
            wait_s=float(rng.uniform(0.02, 0.15)),
        )
        for service in services
        if rng.random() < 0.4
    ]


def _job(scene: Scene, services: list[int], rng: np.random.Generator) -> Job:
    """Run an operation that calls others by the clock, at a low rate, for some minutes."""
    topology = scene.topology
    inner = [
        i
        for i, op in enumerate(topology.operations)
        if i not in topology.entries and op.service in services
    ]
    calling = [i for i in inner if topology.operations[i].calls]
    since = max(0.0, scene.onset - float(rng.uniform(-30.0, 240.0)))
    return Job(
        operation=int(rng.choice(calling or inner or list(topology.entries))),
        since=since,
        seconds=float(rng.uniform(180.0, 480.0)),
        rate=float(rng.uniform(0.05, 0.15)) * scene.shape.rps,
    )


def _work(service: int, job: Job, rng: np.random.Generator) -> Effect:
    """Let the job keep the processors of its service busier, but far from busy."""
    level = float(rng.uniform(0.45, 0.65))
    return Effect(service=service, since=job.since, until=job.since + job.seconds, cpu=level)
