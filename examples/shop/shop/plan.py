"""What will happen in a run, decided by its seed alone before anything starts.

A fault is placed at random among all places where it could happen. Near its onset something
innocent is done to the shop too, in half of the runs to the very service that is at fault: who
blames the nearest change is wrong.
"""

import random
from dataclasses import dataclass

from shop.control import CONFIG
from shop.defects import KINDS, Defect, Loop
from shop.model import (
    Call,
    Query,
    Route,
    Service,
    Step,
    System,
    Together,
    Work,
    edges,
    third_parties,
)
from shop.outside import REFUSES, SILENT

WARM_UP_S = 30.0
_EXTRA_MS = 360.0  # about what a request to a burning instance takes longer
_ADDED_MS = 380.0
_HOP_MS, _QUERY_MS = 4.0, 1.5  # what a call and a query cost besides what they wait for
_ACTORS = ("a.lindqvist", "m.okafor", "s.ivanova", "t.nakamura", "deploy-bot")
_SUMMARIES = (
    "tidy up request handling",
    "update dependencies",
    "small refactoring of the main handler",
    "prepare the next iteration of the checkout flow",
    "remove an unused code path",
    "adopt the new response helper",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowEdge:
    """The wire between two services takes `ms` longer."""

    caller: str
    callee: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRelease:
    """A release of `service` has a defect."""

    service: str
    defect: Defect
    actor: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """The instance number `index` of a service burns CPU and holds its loop up for `switch_ms`."""

    service: str
    index: int
    switch_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallPool:
    """Somebody sets the pool of `service` to `size` connections, which is too small."""

    service: str
    size: int
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplied:
    """Somebody switches on the flag behind which a loop waits."""

    loop: Loop
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """The third party that `caller` calls stops answering, in the way of `mode`."""

    caller: str
    party: str
    mode: str


Breakage = SlowEdge | BadRelease | Burn | SmallPool | Multiplied | Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Innocent:
    """A harmless change, `offset_s` after the onset (negative: before it).

    `kind` is deploy, config, flag or restart; `detail` is the flag, or key=value of a config.
    """

    offset_s: float
    kind: str
    service: str
    detail: str
    actor: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. `crowd` is how many times more shoppers come from the onset on."""

    onset_s: float
    breakage: Breakage | None
    innocents: tuple[Innocent, ...]
    crowd: float = 1.0

    @property
    def service(self) -> str | None:
        """What is at fault; of an edge it is the end that is slow, or not, to be reached."""
        match self.breakage:
            case SlowEdge(callee=service) | Unreachable(party=service):
                return service
            case BadRelease(service=service) | Burn(service=service) | SmallPool(service=service):
                return service
            case Multiplied(loop=loop):
                return loop.service
            case None:
                return None

    @property
    def nearest(self) -> str | None:
        """The service of the shop in which something may have been done about it."""
        match self.breakage:
            case Unreachable(caller=caller):
                return caller
            case _:
                return self.service


def make(system: System, seed: int, fault: str | None, *, warm_up_s: float = WARM_UP_S) -> Plan:
    """Decide a run; `fault` is one of `FAULTS` or null for a run in which nothing breaks.

    `warm_up_s` is for how many seconds at least nothing breaks (15 or more).
    """
    rng = random.Random(f"plan {seed} {fault}")
    onset = warm_up_s + rng.uniform(0, 3)
    if fault is None:
        return _healthy(system, rng, onset)
    breakage = _PLACES[fault](system, rng)
    at_fault = Plan(onset_s=onset, breakage=breakage, innocents=()).nearest
    others = [name for name in system if name != at_fault]
    target = at_fault if at_fault and rng.random() < 0.5 else rng.choice(others)
    before = rng.random() < 0.5
    offset = rng.uniform(-15, -5) if before else rng.uniform(3, 6)
    # a new process would end what the fault is in, so nothing replaces it once it is broken
    replaceable = before or target != at_fault
    guilty = breakage.loop.flag if isinstance(breakage, Multiplied) else None
    innocent = _innocent(system, rng, target, offset, replaceable=replaceable, but=guilty)
    return Plan(onset_s=onset, breakage=breakage, innocents=(innocent,))


def _slow_edge(system: System, rng: random.Random) -> Breakage:
    caller, callee = rng.choice(edges(system))
    return SlowEdge(caller=caller, callee=callee, ms=rng.uniform(340, 460))


def _bad_release(system: System, rng: random.Random) -> Breakage:
    service = rng.choice(list(system.values()))
    route: Route = rng.choice(service.routes)
    defect = Defect(
        route=route.name,
        kind=rng.choice(KINDS),
        step=rng.randrange(len(route.steps)),
        share=rng.uniform(0.4, 0.9),
    )
    return BadRelease(
        service=service.name,
        defect=defect,
        actor=rng.choice(_ACTORS),
        summary=rng.choice(_SUMMARIES),
    )


def _burn(system: System, rng: random.Random) -> Breakage:
    several = [service for service in system.values() if service.instances > 1]
    service = rng.choice(several if rng.random() < 0.5 else list(system.values()))
    return Burn(
        service=service.name,
        index=rng.randrange(service.instances),
        switch_ms=rng.uniform(0.9, 1.1) * min(95.0, max(28.0, _EXTRA_MS / _turns(service))),
    )


def _turns(service: Service) -> float:
    """How often a request of this service waits for its event loop (as measured), on average."""
    weights = {Work: 1.2, Call: 1.2, Together: 2.4, Query: 9.0}
    turns = [sum(weights.get(type(step), 0.0) for step in r.steps) for r in service.routes]
    return sum(turns) / len(turns)


def _small_pool(system: System, rng: random.Random) -> Breakage:
    service = rng.choice([service for service in system.values() if service.database])
    return SmallPool(service=service.name, size=1, actor=rng.choice(_ACTORS))


def _multiplied(system: System, rng: random.Random) -> Breakage:
    """A read that an operation does anyway, in a loop: for 30 to 50 % of its users."""
    places: dict[str, list[tuple[str, int, float]]] = {}
    for service in system.values():
        for route in service.routes:
            for number, step in enumerate(route.steps):
                if cost := _reading_ms(system, step):
                    places.setdefault(service.name, []).append((route.name, number, cost))
    name = rng.choice(list(places))
    route_name, number, cost = rng.choice(places[name])
    loop = Loop(
        service=name,
        flag=rng.choice(system[name].flags),
        route=route_name,
        step=number,
        times=round(rng.uniform(0.9, 1.1) * _ADDED_MS / cost),
        share=rng.uniform(0.3, 0.5),
    )
    return Multiplied(loop=loop, actor=rng.choice(_ACTORS))


def _reading_ms(system: System, step: Step) -> float:
    """About how long a step takes that only reads from elsewhere; zero for any other step."""
    match step:
        case Query(ms=ms) if step.operation == "SELECT":
            return ms + _QUERY_MS
        case Call(method="GET", outside=False):
            wanted = f"{step.method} {step.path}"
            route = next(r for r in system[step.service].routes if r.name == wanted)
            works = sum(s.ms for s in route.steps if isinstance(s, Work))
            return works + _HOP_MS + sum(_reading_ms(system, s) for s in route.steps)
        case Together(calls=calls):
            return _reading_ms(system, calls[0])
        case _:
            return 0.0


def _unreachable(system: System, rng: random.Random) -> Breakage:
    caller, party = rng.choice(third_parties(system))
    return Unreachable(caller=caller, party=party, mode=rng.choice((REFUSES, SILENT)))


_PLACES = {
    "slow-dependency": _slow_edge,
    "bad-release": _bad_release,
    "cpu-contention": _burn,
    "pool-exhaustion": _small_pool,
    "n-plus-one": _multiplied,
    "third-party-unreachable": _unreachable,
}
FAULTS = tuple(_PLACES)


def _healthy(system: System, rng: random.Random, onset: float) -> Plan:
    names = list(system)
    innocents = tuple(
        _innocent(system, rng, rng.choice(names), rng.uniform(-15, 0), replaceable=True)
        for _ in range(rng.choice((1, 2)))
    )
    crowd = rng.uniform(1.5, 2.0) if rng.random() < 0.5 else 1.0
    return Plan(onset_s=onset, breakage=None, innocents=innocents, crowd=crowd)


def _innocent(
    system: System,
    rng: random.Random,
    service: str,
    offset: float,
    *,
    replaceable: bool,
    but: str | None = None,
) -> Innocent:
    """A harmless change of `service`; `but` is a flag that is not harmless."""
    kind = rng.choice(
        ("deploy", "restart", "config", "flag") if replaceable else ("config", "flag")
    )
    detail = ""
    if kind == "flag":
        detail = rng.choice([flag for flag in system[service].flags if flag != but])
    elif kind == "config":
        key = rng.choice(list(CONFIG))
        detail = f"{key}={'DEBUG' if key == 'log_level' else rng.choice(('2000', '2500', '4000'))}"
    return Innocent(
        offset_s=offset,
        kind=kind,
        service=service,
        detail=detail,
        actor=rng.choice(_ACTORS),
        summary=rng.choice(_SUMMARIES),
    )
