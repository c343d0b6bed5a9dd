"""The words in which a service is written down: routes, and the steps each of them takes.

A service is data, so that one interpreter (`shop.handlers`) runs all of them, the seeded plan can
choose among all edges and operations, and giving every service another name is one substitution.
Texts may hold `{sku}`, `{user}`, `{category}` (given by the shopper), `{ref}` and `{n}` (made up
per request).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Something the service does by itself: an internal span of about `ms` milliseconds."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An HTTP call to another service, which must succeed; `outside` is a third party's."""

    service: str
    method: str
    path: str
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Calls that are made at the same time."""

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A statement on the service's database; `ms` is how long the connection is held besides."""

    sql: str
    table: str
    ms: float

    @property
    def operation(self) -> str:
        return self.sql.partition(" ")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log line (`level` as in logging), written by a share of the requests."""

    level: str
    text: str
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """A refusal that is no fault, such as a declined card: 402 for a share of the requests."""

    share: float
    text: str


Step = Work | Call | Together | Query | Log | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of a service."""

    method: str
    path: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def calls(self) -> Iterator[Call]:
        for step in self.steps:
            match step:
                case Call():
                    yield step
                case Together(calls=calls):
                    yield from calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What each instance does by itself, again and again, `pause_ms` after the last time."""

    name: str
    pause_ms: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service: how many instances it runs, what it offers, which flags it knows."""

    name: str
    routes: tuple[Route, ...]
    flags: tuple[str, ...]
    instances: int = 1
    database: bool = False
    jobs: tuple[Job, ...] = ()


System = Mapping[str, Service]  # by name; the first one is the entry


def entry(system: System) -> str:
    """The service that shoppers reach."""
    return next(iter(system))


def callees(service: Service) -> tuple[str, ...]:
    """Whom a service calls, each once, third parties too."""
    called = (call.service for route in service.routes for call in route.calls())
    return tuple(dict.fromkeys(called))


def edges(system: System) -> tuple[tuple[str, str], ...]:
    """Every (caller, callee) inside the system, in the order of the table, each once."""
    return tuple(
        (service.name, callee)
        for service in system.values()
        for callee in callees(service)
        if callee in system
    )


def third_parties(system: System) -> tuple[tuple[str, str], ...]:
    """Every (caller, third party), in the order of the table, each once."""
    return tuple(
        (service.name, callee)
        for service in system.values()
        for callee in callees(service)
        if callee not in system
    )


def rename(system: System, names: Mapping[str, str]) -> System:
    """The same system with other service names; nothing else changes."""

    def call(old: Call) -> Call:
        return old if old.outside else replace(old, service=names[old.service])

    def step(old: Step) -> Step:
        match old:
            case Call():
                return call(old)
            case Together(calls=calls):
                return Together(calls=tuple(call(each) for each in calls))
            case _:
                return old

    def route(old: Route) -> Route:
        return replace(old, steps=tuple(step(s) for s in old.steps))

    return {
        names[service.name]: replace(
            service, name=names[service.name], routes=tuple(route(r) for r in service.routes)
        )
        for service in system.values()
    }
