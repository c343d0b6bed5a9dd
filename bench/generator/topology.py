"""A microservice system as a layered graph of operations, and what can be read from it alone.

Operations are numbered so that a caller always comes before whatever it calls: one walk upwards
through the numbers visits callers first, one walk downwards callees first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A kind of log line. `text` holds slots: {n} {id} {ip} {took} (ms) {code}.

    It is written by runs that come as far as `stage`, with `probability`; `when` is "always",
    "raised" (the run itself failed) or "finished" (the last thing of a run, however it ended).
    """

    severity: str
    text: str
    stage: int
    probability: float = 1.0
    when: str = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One place in an operation that calls another operation, or (`peer`) something uninstrumented.

    Calls of one stage run side by side, stages one after the other. `fallback` swallows the
    callee's error; `extra` is the mean number of further calls in a row; times are medians in
    seconds, the network's one way.
    """

    target: int
    peer: bool
    name: str
    stage: int
    probability: float
    network_s: float
    latency_s: float = 0.0
    sigma: float = 0.4
    extra: float = 0.0
    asynchronous: bool = False
    fallback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a service can be asked for; `shares` splits its own time over the gaps of stages."""

    service: int
    name: str
    calls: tuple[Call, ...]
    shares: tuple[float, ...]
    self_s: float
    sigma: float
    error_rate: float
    internal: str | None
    templates: tuple[Template, ...]

    @property
    def stages(self) -> int:
        return len(self.shares) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A deployable thing: one suffix an instance, its first version, a runtime that may pause."""

    name: str
    layer: int
    suffixes: tuple[str, ...]
    version: str
    collected: bool

    @property
    def instances(self) -> int:
        return len(self.suffixes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A database, a cache or a third party; `exported`: it has metrics of its own."""

    name: str
    kind: str
    exported: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The whole system. `entries` maps the operations that users call to their share of traffic."""

    services: tuple[Service, ...]
    operations: tuple[Operation, ...]
    peers: tuple[Peer, ...]
    entries: dict[int, float]

    def of(self, service: int) -> list[int]:
        """Return the operations of a service."""
        return [i for i, op in enumerate(self.operations) if op.service == service]

    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return (caller, callee) by name, sorted; callees may be databases and the like."""
        found = {
            (self.services[op.service].name, self._callee(call))
            for op in self.operations
            for call in op.calls
        }
        return tuple(sorted(found))

    def _callee(self, call: Call) -> str:
        if call.peer:
            return self.peers[call.target].name
        return self.services[self.operations[call.target].service].name


def waits(call: Call) -> bool:
    """Whether the caller waits for the callee."""
    return not call.asynchronous


def breaks(call: Call) -> bool:
    """Whether the callee's error becomes the caller's."""
    return not call.asynchronous and not call.fallback


def visits(topology: Topology, follow: Callable[[Call], bool]) -> Floats:
    """Return the expected runs per trace of each operation, by calls that `follow` accepts."""
    expected = np.zeros(len(topology.operations))
    for entry, weight in topology.entries.items():
        expected[entry] += weight
    for index, op in enumerate(topology.operations):
        for call in op.calls:
            if not call.peer and follow(call):
                expected[call.target] += expected[index] * call.probability * (1 + call.extra)
    return expected


def peer_visits(topology: Topology, follow: Callable[[Call], bool]) -> Floats:
    """Return the expected calls per trace of each database, cache and third party."""
    runs = visits(topology, waits)
    expected = np.zeros(len(topology.peers))
    for index, op in enumerate(topology.operations):
        for call in op.calls:
            if call.peer and follow(call):
                expected[call.target] += runs[index] * call.probability * (1 + call.extra)
    return expected


def callers(
    topology: Topology, targets: Iterable[int], follow: Callable[[Call], bool]
) -> dict[int, float]:
    """Return the targets and all operations above them, with the chance that a run reaches one."""
    chance = dict.fromkeys(targets, 1.0)
    for index in range(len(topology.operations) - 1, -1, -1):
        missed = 1.0
        for call in topology.operations[index].calls:
            if not call.peer and follow(call) and call.target in chance:
                missed *= 1.0 - call.probability * chance[call.target]
        if missed < 1.0 and index not in chance:
            chance[index] = 1.0 - missed
    return chance


def peer_callers(topology: Topology, peer: int) -> list[int]:
    """Return the operations that call a database, a cache or a third party."""
    return [
        index
        for index, op in enumerate(topology.operations)
        if any(call.peer and call.target == peer for call in op.calls)
    ]


def latencies(topology: Topology) -> Floats:
    """Return a rough mean duration of each operation, in seconds (all calls in a row)."""
    seconds = np.zeros(len(topology.operations))
    for index in range(len(topology.operations) - 1, -1, -1):
        op = topology.operations[index]
        seconds[index] = op.self_s
        for call in op.calls:
            if waits(call):
                inner = call.latency_s if call.peer else seconds[call.target]
                seconds[index] += call.probability * (1 + call.extra) * (2 * call.network_s + inner)
    return seconds
