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
    """An HTTP call to another service, which must succeed."""

    service: str
    method: str
    path: str


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
class Service:
    """A service: how many instances it runs, what it offers, which flags it knows."""

    name: str
    routes: tuple[Route, ...]
    flags: tuple[str, ...]
    instances: int = 1
    database: bool = False


System = Mapping[str, Service]  # by name; the first one is the entry


def entry(system: System) -> str:
    """The service that shoppers reach."""
    return next(iter(system))


def edges(system: System) -> tuple[tuple[str, str], ...]:
    """Every (caller, callee), in the order of the table, each once."""
    pairs = (
        (service.name, call.service)
        for service in system.values()
        for route in service.routes
        for call in route.calls()
    )
    return tuple(dict.fromkeys(pairs))


def rename(system: System, names: Mapping[str, str]) -> System:
    """The same system with other service names; nothing else changes."""

    def step(old: Step) -> Step:
        match old:
            case Call(service=service):
                return replace(old, service=names[service])
            case Together(calls=calls):
                return Together(calls=tuple(replace(c, service=names[c.service]) for c in calls))
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
