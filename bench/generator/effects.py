"""What a fault does, in numbers: the simulation knows effects and no fault.

An effect acts on the runs of one service (or of some of its operations, instances or versions) or
on the calls of one database, cache or third party; each number is neutral unless it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.generator.rollouts import Ints, Rollouts
from bench.generator.topology import Floats, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Where and when (seconds from the window's start), then how much.

    `share` of the runs are hit. They take `self_factor` times their own time and wait `wait_s` more
    on average; `queue_s` is spent before the server span starts; `inbound_s` and `outbound_s` are
    added to each call towards and from the service, one way; `loss` is the chance that a call is
    resent; `fail` that a run raises and `leave` that it returns early, both at `stage`;
    `repeats` (call, times) makes a call that often. `peer_*` act on calls of the peer. `cpu`,
    `memory`, `pool` and `gc` are the levels (0 to 1) that metrics reach. `log` is written by the
    runs that are hit.
    """

    service: int = -1
    peer: int = -1
    operations: frozenset[int] = frozenset()
    instances: frozenset[int] = frozenset()
    faulty_version_only: bool = False
    since: float
    until: float
    ramp_s: float = 0.0
    share: float = 1.0
    self_factor: float = 1.0
    wait_s: float = 0.0
    queue_s: float = 0.0
    inbound_s: float = 0.0
    outbound_s: float = 0.0
    loss: float = 0.0
    fail: float = 0.0
    leave: float = 0.0
    stage: int = 0
    repeats: tuple[int, int] | None = None
    peer_factor: float = 1.0
    peer_fail: float = 0.0
    peer_wait_s: float = 0.0
    cpu: float | None = None
    memory: float | None = None
    pool: float | None = None
    gc: float | None = None
    log: Template | None = None

    def touches(self, operation: int) -> bool:
        return not self.operations or operation in self.operations

    def level(self, at: Floats) -> Floats:
        """Return 0 outside the effect's time, 1 inside, rising over `ramp_s`."""
        level = np.clip((at - self.since) / self.ramp_s, 0.0, 1.0) if self.ramp_s else 1.0
        inside: Floats = np.where((at >= self.since) & (at < self.until), level, 0.0)
        return inside

    def on(self, at: Floats, instance: Ints, epoch: Ints, rollouts: Rollouts) -> Floats:
        """Return the strength (0 to 1) on runs of the service at those times."""
        level = self.level(at)
        if self.instances:
            level *= np.isin(instance, np.array(sorted(self.instances)))
        if self.faulty_version_only:
            level *= rollouts.faulty(self.service)[epoch]
        return level


def of_service(effects: Sequence[Effect], service: int) -> list[Effect]:
    return [effect for effect in effects if effect.service == service]


def of_peer(effects: Sequence[Effect], peer: int) -> list[Effect]:
    return [effect for effect in effects if effect.peer == peer]
