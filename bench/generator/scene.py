"""The stage that a fault is put on: when it happens, and which places see enough traffic for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from bench.generator.names import Namer
from bench.generator.shape import Shape
from bench.generator.topology import (
    Call,
    Floats,
    Operation,
    Topology,
    callers,
    latencies,
    peer_callers,
    peer_visits,
    visits,
)

_ENOUGH_RUNS = 80.0
ALERTS = ("symptom", "other")


class NoPlace(ValueError):
    """The seed's system has no place for the fault that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What surrounds a fault and makes it harder to see.

    `alert` "symptom" names the users' service that is hit hardest, "other" a service that is not at
    fault and mostly not the users' either. `second` is the kind of a weaker fault elsewhere that
    begins within a minute. `everyday` adds what happens in real systems without any harm. The alert
    waits until about so many requests were hit as `felt` says: no rule fires after three.
    """

    alert: str = "symptom"
    second: str | None = None
    everyday: bool = False
    felt: int = 0

    def check(self) -> None:
        """Raise ValueError with one sentence if something is out of range."""
        if self.felt < 0:
            raise ValueError(f"felt is {self.felt}: give a number of requests from 0")
        if self.alert not in ALERTS:
            raise ValueError(f"alert is {self.alert!r}: choose one of {', '.join(ALERTS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A system, and the seconds (from the window's start) between which something is wrong."""

    topology: Topology
    shape: Shape
    start: datetime
    onset: float
    until: float
    rng: np.random.Generator
    namer: Namer

    def time(self, seconds: float) -> datetime:
        """Return seconds from the window's start as a time, to the millisecond."""
        return self.start + timedelta(seconds=round(seconds, 3))

    def operation(self, follow: Callable[[Call], bool], fits: Callable[[Operation], bool]) -> int:
        """Choose an operation that fits and that users reach often through calls of a kind."""
        expected = visits(self.topology, follow)
        fitting = [i for i, op in enumerate(self.topology.operations) if fits(op)]
        return self._choose(fitting, expected)

    def peer(self, follow: Callable[[Call], bool], kind: str) -> int:
        """Choose a database, cache or third party that users reach often."""
        expected = peer_visits(self.topology, follow)
        fitting = [i for i, peer in enumerate(self.topology.peers) if peer.kind == kind]
        return self._choose(fitting, expected)

    def _choose(self, fitting: list[int], expected: Floats) -> int:
        fitting = [i for i in fitting if expected[i] > 0]
        if not fitting:
            raise NoPlace("this system has no place for that fault: take another seed")
        runs = expected * self.shape.rps * (self.until - self.onset)
        enough = [i for i in fitting if runs[i] >= _ENOUGH_RUNS]
        busiest = sorted(fitting, key=lambda i: -float(expected[i]))[:2]
        return int(self.rng.choice(enough or busiest))

    def pain(self, operations: list[int]) -> float:
        """Draw a delay in seconds that users of the operations cannot overlook."""
        entry = self.entry(operations)
        return max(0.03, float(self.rng.uniform(0.6, 2.2) * latencies(self.topology)[entry]))

    def entry(self, operations: list[int]) -> int:
        """Return the users' operation whose traffic is hit hardest by trouble in `operations`."""
        chance = callers(self.topology, operations, lambda call: not call.asynchronous)
        entries = self.topology.entries
        return max(entries, key=lambda i: (chance.get(i, 0.0) * entries[i] ** 0.3, -i))

    def owners(self, peer: int) -> list[int]:
        return peer_callers(self.topology, peer)
