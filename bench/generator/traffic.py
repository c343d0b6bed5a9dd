"""When users come: a base rate that drifts, ripples, and now and then spikes without harm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.generator.shape import Shape
from bench.generator.topology import Floats

_BASE_USE = 0.2  # share of capacity in use at the base rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that no user asked for: runs of one operation, `rate` a second, for a while."""

    operation: int
    since: float
    seconds: float
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Arrivals of traces (seconds from the window's start, ascending) and the load by second.

    `load` is 1 at the base rate.
    """

    arrivals: Floats
    entries: npt.NDArray[np.int64]
    load: Floats

    def crowding(self, at: Floats) -> Floats:
        """Return how many times longer work takes at that time, for the load of that second.

        The waiting of a single queue, (1 - u) / (1 - u * load) with base use u: mild by design.
        """
        second = np.clip(at.astype(np.int64), 0, len(self.load) - 1)
        crowded: Floats = (1.0 - _BASE_USE) / (1.0 - _BASE_USE * self.load[second])
        return crowded


def draw_traffic(
    shape: Shape,
    weights: dict[int, float],
    rng: np.random.Generator,
    *,
    spike_at: float | None,
    trend: float = 0.0,
) -> Traffic:
    """Draw the arrivals of one window; `spike_at` (seconds) puts one of the spikes there.

    `trend` is the share by which the traffic grows from the window's start to its end.
    """
    seconds = int(np.ceil(shape.seconds))
    time = np.arange(seconds, dtype=np.float64)
    drift = 1.0 + 0.1 * np.sin(2 * np.pi * (time / rng.uniform(2400, 7200) + rng.random()))
    ripple = np.repeat(rng.normal(1.0, 0.04, seconds // 20 + 1), 20)[:seconds]
    load = drift * ripple * (1.0 + trend * time / seconds)
    starts = [float(rng.uniform(0, shape.seconds)) for _ in range(int(rng.integers(0, 3)))]
    for start in starts + ([] if spike_at is None else [spike_at]):
        length, height = float(rng.uniform(60, 180)), float(rng.uniform(1.3, 1.8))
        inside = (time >= start) & (time < start + length)
        load[inside] = np.minimum(load[inside] * height, 2.0)
    counts = rng.poisson(shape.rps * load)
    second = np.repeat(time, counts)
    arrivals = np.sort(second + rng.random(len(second)))
    arrivals = arrivals[arrivals < shape.seconds]
    operations = np.array(list(weights), dtype=np.int64)
    chosen = rng.choice(operations, size=len(arrivals), p=list(weights.values()))
    return Traffic(arrivals=arrivals, entries=chosen, load=load)


def with_jobs(traffic: Traffic, jobs: Sequence[Job], rng: np.random.Generator) -> Traffic:
    """Return the traffic and the runs of jobs, which put no load on anybody else."""
    arrivals, entries = [traffic.arrivals], [traffic.entries]
    for job in jobs:
        count = int(rng.poisson(job.rate * job.seconds))
        arrivals.append(job.since + job.seconds * rng.random(count))
        entries.append(np.full(count, job.operation, dtype=np.int64))
    every, operations = np.concatenate(arrivals), np.concatenate(entries)
    order = np.argsort(every, kind="stable")
    inside = order[every[order] < len(traffic.load)]
    return replace(traffic, arrivals=every[inside], entries=operations[inside])
