"""What a system must offer so that `firstline demo` can run it and be on call for it.

A demo system is a distribution of its own: it registers `build() -> DemoSystem` under the entry
point group `firstline.demos`, and what reads and acts on it as any plugin does (`registry`).
firstline knows no name of its services or faults; it compares its own verdict with the truth
afterwards.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class DemoError(Exception):
    """The system cannot be run; `str()` is a sentence for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that can be made to go wrong: a name for `--fault`, a sentence for a person."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """How to run the system once.

    `otlp_endpoint` is the base URL of an OTLP/HTTP receiver, `alert_webhook` the URL that takes
    Alertmanager's webhook payload; both are on loopback. `fault` null means that nothing breaks.
    `rename` gives the services other (seeded) names, which must change nothing in the verdict.
    """

    otlp_endpoint: str
    alert_webhook: str
    folder: Path
    seed: int
    fault: str | None
    rename: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What really happened: known to the system, told only after the verdict."""

    service: str | None
    instance: str | None
    type: str | None  # resource, network, code
    change: str | None  # the ref of the change at fault
    innocent: tuple[str, ...] = ()
    onset: str | None = None  # ISO 8601, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSystem:
    """A started system: settings for its connectors and actuators, and what to watch.

    Both are by entry-point name, as `connectors.registry` takes them.
    """

    connectors: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    actuators: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    services: tuple[str, ...] = ()


class Session(Protocol):
    """One run: told apart from `RunningSystem` so that the truth is asked for only at the end."""

    @property
    def system(self) -> RunningSystem: ...

    async def play(self) -> None:
        """Let traffic flow, then break what the run says; returns once the fault is in."""
        ...

    async def recur(self) -> None:
        """After the fault was repaired: a while of healthy traffic, then the same thing again.

        The same kind of fault at the same place; returns once it is in. Raises `DemoError` where
        the first one was not repaired.
        """
        ...

    async def truth(self) -> Truth:
        """Return the truth about the newest fault."""
        ...


class DemoSystem(Protocol):
    """A system to be on call for."""

    @property
    def name(self) -> str: ...

    @property
    def faults(self) -> tuple[Fault, ...]: ...

    def start(self, run: DemoRun) -> AbstractAsyncContextManager[Session]:
        """Start all processes; leaving the context stops every one of them.

        Raises `DemoError` where that cannot be.
        """
        ...
