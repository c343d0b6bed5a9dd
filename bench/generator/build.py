"""Draws a system at random: layers of services, their operations, and who calls whom.

Every operation outside the first layer gets one caller above it, so that nothing is dead; then
more calls are added until a trace is about as large as the shape wants it. Databases, caches and
third parties hang below the operations and are never instrumented.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from bench.generator.names import Namer
from bench.generator.shape import Shape
from bench.generator.topology import Call, Operation, Peer, Service, Topology, visits
from bench.generator.wording import templates

_PEER_LATENCY = {"database": (0.0008, 0.008), "cache": (0.0002, 0.001), "third_party": (0.03, 0.15)}


@dataclass(slots=True, kw_only=True)
class _Draft:
    """An operation while its calls are still being added."""

    service: int
    layer: int
    name: str
    calls: list[Call] = field(default_factory=list)


def build(shape: Shape, rng: np.random.Generator, namer: Namer) -> Topology:
    """Return a system of `shape`; names come from `namer` alone, all else from `rng`."""
    layers = _layers(shape.services, rng)
    services = tuple(_service(layer, rng, namer) for layer in layers)
    drafts = [
        _Draft(service=index, layer=service.layer, name=namer.operation(service.name))
        for index, service in enumerate(services)
        for _ in range(int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.2, 0.25, 0.25, 0.15, 0.1, 0.05])))
    ]
    entries = [index for index, draft in enumerate(drafts) if draft.layer == 0]
    shares = rng.dirichlet(np.full(len(entries), 1.5))
    weights = dict(zip(entries, (float(share) for share in shares), strict=True))
    _connect(drafts, rng)
    _enrich(drafts, weights, shape.spans_per_trace, rng)
    peers = _attach_peers(drafts, weights, len(services), rng, namer)
    operations = tuple(_finish(draft, rng, namer) for draft in drafts)
    return Topology(services=services, operations=operations, peers=peers, entries=weights)


def _layers(count: int, rng: np.random.Generator) -> list[int]:
    """Return the layer of each service, ascending; the first layer is where users come in."""
    entries = max(1, min(count // 3, 1 + count // 15 + int(rng.integers(0, 2))))
    depth = min(count - entries, int(rng.integers(2, 7)))
    rest = [*range(1, depth + 1)]
    rest += [int(layer) for layer in rng.integers(1, depth + 1, count - entries - depth)]
    return [0] * entries + sorted(rest)


def _service(layer: int, rng: np.random.Generator, namer: Namer) -> Service:
    instances = int(rng.integers(1, 6))
    return Service(
        name=namer.service(),
        layer=layer,
        suffixes=tuple(namer.suffix() for _ in range(instances)),
        version=f"v{rng.integers(1, 5)}.{rng.integers(0, 30)}.{rng.integers(0, 10)}",
        collected=bool(rng.random() < 0.6),
    )


def _call(target: int, name: str, rng: np.random.Generator, *, asynchronous: float) -> Call:
    return Call(
        target=target,
        peer=False,
        name=name,
        stage=0,
        probability=1.0 if rng.random() < 0.5 else float(rng.uniform(0.3, 1.0)),
        network_s=float(rng.uniform(0.0002, 0.001)),
        extra=1.0 if rng.random() < 0.1 else 0.0,
        asynchronous=bool(rng.random() < asynchronous),
        fallback=bool(rng.random() < 0.2),
    )


def _connect(drafts: list[_Draft], rng: np.random.Generator) -> None:
    """Give each operation below the first layer one caller, mostly from the layer above it."""
    for index, draft in enumerate(drafts):
        if draft.layer == 0:
            continue
        above = [i for i, other in enumerate(drafts) if other.layer < draft.layer]
        nearest = [i for i in above if drafts[i].layer == draft.layer - 1]
        pool = nearest if rng.random() < 0.7 else above
        # Of three callers the least busy one: real systems do not pile all calls on one route.
        caller = min((int(rng.choice(pool)) for _ in range(3)), key=lambda i: len(drafts[i].calls))
        # The first call of an operation is one that it waits for: users reach every layer so.
        later = 0.1 if drafts[caller].calls else 0.0
        drafts[caller].calls.append(_call(index, draft.name, rng, asynchronous=later))


def _enrich(
    drafts: list[_Draft], weights: dict[int, float], target: float, rng: np.random.Generator
) -> None:
    """Add calls until a trace holds about `target` spans, never beyond it by more than a fifth."""
    for _ in range(4 * len(drafts)):
        size = _size(drafts, weights)
        if size >= target:
            return
        caller, callee = sorted(int(i) for i in rng.integers(0, len(drafts), 2))
        above, below = drafts[caller], drafts[callee]
        known = any(call.target == callee for call in above.calls)
        if above.layer >= below.layer or known or len(above.calls) >= 6:
            continue
        above.calls.append(_call(callee, below.name, rng, asynchronous=0.04))
        if _size(drafts, weights) > 1.2 * target:
            above.calls.pop()


def _size(drafts: list[_Draft], weights: dict[int, float]) -> float:
    """Return the mean number of spans of a trace (a server span a run, a client span a call)."""
    runs = np.zeros(len(drafts))
    for entry, weight in weights.items():
        runs[entry] = weight
    spans = 0.0
    for index, draft in enumerate(drafts):
        spans += runs[index]
        for call in draft.calls:
            calls = runs[index] * call.probability * (1 + call.extra)
            spans += calls
            if not call.peer:
                runs[call.target] += calls
    return spans


def _attach_peers(
    drafts: list[_Draft],
    weights: dict[int, float],
    services: int,
    rng: np.random.Generator,
    namer: Namer,
) -> tuple[Peer, ...]:
    """Hang databases, caches and third parties below the operations; at least two are busy."""
    peers: list[Peer] = []

    def add(kind: str, users: list[_Draft]) -> None:
        exported = kind != "third_party" and bool(rng.random() < 0.5)
        peers.append(Peer(name=namer.peer(kind), kind=kind, exported=exported))
        for user in users:
            user.calls.append(_peer_call(len(peers) - 1, kind, rng, namer))

    for service in range(services):
        own = [draft for draft in drafts if draft.service == service]
        for kind, chance in (("database", 0.5), ("cache", 0.25)):
            if own[0].layer > 0 and rng.random() < chance:
                add(kind, [draft for draft in own if rng.random() < 0.8] or own[:1])
    runs = visits(_skeleton(drafts, weights), lambda call: not call.asynchronous)
    busy = sorted(range(len(drafts)), key=lambda i: -runs[i])[: max(2, len(drafts) // 3)]
    add("database", [drafts[int(rng.choice(busy))]])
    for _ in range(int(rng.integers(1, 4))):
        add("third_party", [drafts[int(rng.choice(busy))]])
    return tuple(peers)


def _skeleton(drafts: list[_Draft], weights: dict[int, float]) -> Topology:
    """Return the calls alone, for counting."""
    operations = tuple(
        Operation(
            service=draft.service,
            name=draft.name,
            calls=tuple(draft.calls),
            shares=(1.0,),
            self_s=0.0,
            sigma=0.0,
            error_rate=0.0,
            internal=None,
            templates=(),
        )
        for draft in drafts
    )
    return Topology(services=(), operations=operations, peers=(), entries=weights)


def _peer_call(target: int, kind: str, rng: np.random.Generator, namer: Namer) -> Call:
    low, high = _PEER_LATENCY[kind]
    return Call(
        target=target,
        peer=True,
        name=namer.query(kind),
        stage=0,
        probability=1.0 if rng.random() < 0.7 else float(rng.uniform(0.4, 1.0)),
        network_s=float(rng.uniform(0.0001, 0.0005)),
        latency_s=float(np.exp(rng.uniform(np.log(low), np.log(high)))),
        sigma=float(rng.uniform(0.3, 0.6)),
        extra=0.5 if kind == "database" and rng.random() < 0.3 else 0.0,
        fallback=kind == "cache" or bool(rng.random() < 0.15),
    )


def _finish(draft: _Draft, rng: np.random.Generator, namer: Namer) -> Operation:
    """Put the calls into stages and draw times, failures and log lines."""
    order = rng.permutation(len(draft.calls))
    calls, stage = [], -1
    for position in order:
        if stage < 0 or rng.random() > 0.3:
            stage += 1
        calls.append(replace(draft.calls[int(position)], stage=stage))
    stages = stage + 1
    # No gap is shorter than a tenth of an even share, so that children end before their parents.
    shares = rng.dirichlet(np.full(stages + 1, 2.0)) * 0.9 + 0.1 / (stages + 1)
    return Operation(
        service=draft.service,
        name=draft.name,
        calls=tuple(calls),
        shares=tuple(float(share) for share in shares),
        self_s=float(np.exp(rng.uniform(np.log(0.001), np.log(0.03)))),
        sigma=float(rng.uniform(0.25, 0.6)),
        error_rate=float(rng.choice([0.0, 0.0, rng.uniform(0.0, 0.003)])),
        internal=namer.method() if rng.random() < 0.25 else None,
        templates=templates(rng, namer, name=draft.name, stages=stages, entry=draft.layer == 0),
    )
