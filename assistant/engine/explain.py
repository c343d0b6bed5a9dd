"""Explaining away: of all that moved, what is a cause and what only follows from it.

Three rules, each of which leaves a record of what it cleared and why: a component that only waits
for a slower one below it, one whose input changed, one that passes on what failed beneath.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.engine.errors import Complaint
from assistant.engine.local import Tested
from assistant.engine.shift import Mechanism, Shift, saturate
from assistant.engine.topology import Topology

WAITS = 0.9
DEEPEST_FIRST = 0.5
HALF_LOSS = 0.3  # lost ÷ expected time at which the latency of the system is half shifted
ON_THE_WAY, CALLER_SIDE = 0.8, 0.3
PASSED_ON = 0.85
WORTH_CLEARING = 0.05
MOSTLY = 0.5
UNLINKED_LINES = 0.4


@dataclass(frozen=True, slots=True)
class Cleared:
    """`service` looked like a cause with strength `was`, and `because` takes it off it."""

    service: str
    reason: str
    because: str
    was: float
    left: float


@dataclass(slots=True)
class Suspect:
    """One component with what each mechanism says about it after explaining away (0–1)."""

    service: str
    parts: dict[Mechanism, float] = field(default_factory=dict)
    edge_share: float = 0.0
    cleared: list[Cleared] = field(default_factory=list)


def explain(
    tested: Tested,
    graph: Topology,
    passed_on: Mapping[str, tuple[float, str]],
    complaints: Mapping[str, Complaint],
) -> list[Suspect]:
    """Return every component that something speaks against, by name.

    `passed_on` says per service which share of its failures had failed beneath it, and where;
    `complaints` which component its error lines name.
    """
    names = {*graph.components, *(s.service for s in tested.all)}
    names |= {s.peer for s in tested.all if s.peer} | {c.at for c in complaints.values()}
    suspects = {name: Suspect(name) for name in sorted(names)}
    _latency(tested, graph, suspects)
    told = _told(tested.control, complaints)
    _control(tested.control, graph, suspects, {**told, **passed_on})
    _complaints(tested.control, suspects, told, passed_on)
    _errors(tested.errors, graph, suspects)
    for shift in tested.resources:
        _raise(suspects[shift.service], shift.mechanism, shift.strength)
    for shift in tested.lines:
        # Who passes on what failed beneath complains about it as well.
        share, _ = {**told, **passed_on}.get(shift.service, (0.0, ""))
        own = 1.0 - PASSED_ON * share if share > MOSTLY else 1.0
        _raise(suspects[shift.service], shift.mechanism, own * shift.strength)
    return [s for s in suspects.values() if any(v > 0 for v in s.parts.values()) or s.cleared]


class _Slow:
    """The time lost, by the component that it can be charged to."""

    def __init__(self, shifts: Sequence[Shift], graph: Topology) -> None:
        self.graph = graph
        self.own: dict[str, float] = defaultdict(float)
        self.edges: dict[tuple[str, str], float] = defaultdict(float)
        for shift in shifts:
            if shift.peer:
                self.edges[shift.service, shift.peer] += shift.weight
            else:
                self.own[shift.service] += shift.weight
        self.total = sum(self.own.values()) + sum(self.edges.values())

    def lost(self, component: str, without: str | None = None) -> tuple[float, float]:
        """Return (own, edges) ms charged to a component, less the edges shared with `without`."""
        callers = self.graph.callers.get(component, frozenset())
        callees = self.graph.callees.get(component, frozenset())
        touching = [(c, component) for c in sorted(callers)]
        incoming = sum(1 for e in touching if self.edges.get(e, 0.0) > 0)
        touching += [(component, c) for c in sorted(callees)]
        slow = [e for e in touching if self.edges.get(e, 0.0) > 0]
        if not slow:
            return self.own[component], 0.0
        spread = len(slow) / len(touching)
        spread *= 0.5 + 0.5 * (incoming / len(callers) if callers else 0.0)
        kept = [e for e in slow if without not in e]
        as_component = spread * sum(self.edges[e] for e in kept)
        alone = max((self._alone(e) for e in kept if e[1] == component), default=0.0)
        return self.own[component], max(as_component, alone)

    def _alone(self, edge: tuple[str, str]) -> float:
        """Return what one slow way loses on its own: less, the more else is slow at its caller."""
        caller = edge[0]
        others = [(c, caller) for c in self.graph.callers.get(caller, frozenset())]
        others += [(caller, c) for c in self.graph.callees.get(caller, frozenset()) if c != edge[1]]
        slow = sum(1 for e in others if self.edges.get(e, 0.0) > 0)
        lost = self.edges[edge]
        calm = 1.0 - slow / len(others) if others else 1.0
        return lost * calm * lost / (lost + self.own[caller])


def _latency(tested: Tested, graph: Topology, suspects: dict[str, Suspect]) -> None:
    slow = _Slow(tested.latency, graph)
    if slow.total <= 0:
        return
    gain = saturate(slow.total / max(tested.expected_ms, 1e-9), HALF_LOSS)
    for name, suspect in suspects.items():
        own, edges = slow.lost(name)
        raw = gain * min(1.0, (own + edges) / slow.total)
        if raw <= 0:
            continue
        suspect.edge_share = edges / (own + edges)
        below = max(
            ((sum(slow.lost(y, without=name)), y) for y in sorted(graph.downstream(name))),
            default=(0.0, ""),
        )
        left = max(0.0, raw - WAITS * gain * min(1.0, below[0] / slow.total))
        suspect.parts[Mechanism.LATENCY] = left
        if raw > WORTH_CLEARING and left < 0.5 * raw:
            suspect.cleared.append(Cleared(name, "only_waits_for", below[1], raw, left))


def _control(
    shifts: Sequence[Shift],
    graph: Topology,
    suspects: dict[str, Suspect],
    passed_on: Mapping[str, tuple[float, str]],
) -> None:
    raw: dict[str, float] = defaultdict(float)
    starved: dict[str, float] = defaultdict(float)
    starved_by: dict[str, str] = {}
    for shift in shifts:
        loose = UNLINKED_LINES if shift.operation == "(any)" else 1.0
        raw[shift.service] = max(raw[shift.service], loose * shift.strength)
        if shift.peer and shift.kind in ("call_missing", "call_added"):
            relative = abs(shift.after - shift.before) / max(shift.before, shift.after, 0.05)
            if relative > starved[shift.peer]:
                starved[shift.peer], starved_by[shift.peer] = min(1.0, relative), shift.service
    fed: dict[str, float] = {}
    for name, value in raw.items():
        fed[name] = value * (1.0 - starved[name])
        share, beneath = passed_on.get(name, (0.0, ""))
        suspect = suspects[name]
        if starved[name] > MOSTLY and value > WORTH_CLEARING:
            suspect.cleared.append(
                Cleared(name, "inbound_changed", starved_by[name], value, fed[name])
            )
        if share > MOSTLY:
            fed[name] *= 1.0 - PASSED_ON * share
            suspect.cleared.append(Cleared(name, "passes_on", beneath, value, fed[name]))
    for name, value in fed.items():
        deeper = max((fed.get(c, 0.0) for c in graph.callees.get(name, frozenset())), default=0.0)
        suspects[name].parts[Mechanism.CONTROL] = value * (1.0 - DEEPEST_FIRST * deeper)


def _told(
    shifts: Sequence[Shift], complaints: Mapping[str, Complaint]
) -> dict[str, tuple[float, str]]:
    """Return per service which share of what it does otherwise comes with a complaint."""
    strongest: dict[str, Shift] = {}
    for shift in shifts:
        strongest.setdefault(shift.service, shift)
    return {
        name: (min(c.share, c.lines / max(strongest[name].weight, 1.0)), c.at)
        for name, c in complaints.items()
        if name in strongest
    }


def _complaints(
    shifts: Sequence[Shift],
    suspects: dict[str, Suspect],
    complaints: Mapping[str, tuple[float, str]],
    passed_on: Mapping[str, tuple[float, str]],
) -> None:
    """Charge whom others complain about; where failures of spans tell, they tell it better."""
    for name, (share, at) in complaints.items():
        strength = max((s.strength for s in shifts if s.service == name), default=0.0)
        if share > MOSTLY and name not in passed_on:
            _raise(suspects[at], Mechanism.CONTROL, ON_THE_WAY * share * strength)


def _errors(shifts: Sequence[Shift], graph: Topology, suspects: dict[str, Suspect]) -> None:
    lost = {s.service: s.weight for s in shifts if s.kind == "metric_errors"}
    for shift in shifts:
        charged = [(shift.service, 1.0)]
        if shift.peer:
            charged = [(shift.peer, ON_THE_WAY), (shift.service, CALLER_SIDE)]
        elif shift.kind == "metric_errors":
            # A metric does not tell whose failure it counts: what failed beneath is taken off.
            below = {y: lost[y] for y in sorted(graph.downstream(shift.service)) if y in lost}
            most, at = max(((w, y) for y, w in below.items()), default=(0.0, ""))
            left = 1.0 - PASSED_ON * min(1.0, most / max(shift.weight, 1e-9))
            charged = [(shift.service, left)]
            if left < MOSTLY:
                was = shift.strength
                suspects[shift.service].cleared.append(
                    Cleared(shift.service, "passes_on", at, was, left * was)
                )
        for name, share in charged:
            _raise(suspects[name], Mechanism.ERROR, share * shift.strength)


def _raise(suspect: Suspect, mechanism: Mechanism, strength: float) -> None:
    suspect.parts[mechanism] = max(suspect.parts.get(mechanism, 0.0), strength)
