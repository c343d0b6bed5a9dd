"""Which version each instance runs at which time."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.generator.topology import Floats, Topology

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A version going out: `flips` is the second at which each instance takes it (inf: never)."""

    service: int
    version: str
    flips: tuple[float, ...]
    faulty: bool = False

    @property
    def first(self) -> float:
        return min(self.flips)

    @property
    def last(self) -> float:
        return max(flip for flip in self.flips if np.isfinite(flip))


class Rollouts:
    """All rollouts of a recording, asked by service; epoch 0 is the version before any of them."""

    def __init__(self, topology: Topology, rollouts: Iterable[Rollout], *, renamed: bool) -> None:
        self._services = topology.services
        self._renamed = renamed
        self._by_service: dict[int, list[Rollout]] = {}
        for rollout in sorted(rollouts, key=lambda r: r.first):
            self._by_service.setdefault(rollout.service, []).append(rollout)

    def epoch(self, service: int, instance: Ints, at: Floats) -> Ints:
        """Return how many rollouts of the service the instance has taken by then."""
        epoch = np.zeros(len(at), dtype=np.int64)
        for number, rollout in enumerate(self._by_service.get(service, ()), start=1):
            flips = np.array(rollout.flips)
            epoch[flips[instance] <= at] = number
        return epoch

    def faulty(self, service: int) -> npt.NDArray[np.bool_]:
        """Return by epoch whether that version is the broken one."""
        return np.array([False, *(r.faulty for r in self._by_service.get(service, ()))])

    def versions(self, service: int) -> list[str]:
        """Return the version by epoch."""
        first = self._services[service].version
        return [first, *(r.version for r in self._by_service.get(service, ()))]

    def instances(self, service: int) -> list[list[str]]:
        """Return the names by epoch and instance; a rollout renames pods where it should."""
        known = self._services[service]
        names = []
        for epoch in range(len(self._by_service.get(service, ())) + 1):
            mark = chr(ord("a") + epoch) if self._renamed else "a"
            names.append([f"{known.name}-{mark}-{suffix}" for suffix in known.suffixes])
        return names

    def instance_at(self, service: int, instance: int, at: float) -> str:
        """Return the name that an instance carries at a time."""
        epoch = self.epoch(service, np.array([instance]), np.array([at]))[0]
        return self.instances(service)[int(epoch)][instance]
