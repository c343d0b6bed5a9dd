"""Entry points and settings in, connectors and receivers out.

A source is added by a distribution that registers `build(settings) -> Connector | Receiver` under
`firstline.connectors`; ours are registered the same way. One that fails to load or to build is
reported and the rest go on: during an incident half of the eyes are better than none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, TypeVar, cast, runtime_checkable

from pydantic import BaseModel, ValidationError

from connectors.api import Connector, Receiver
from connectors.errors import ConnectorError, Rejected

GROUP = "firstline.connectors"

_Settings = TypeVar("_Settings", bound=BaseModel)


class Build(Protocol):
    """What an entry point names. It does no I/O; raises `Rejected` for faulty settings."""

    def __call__(self, settings: Mapping[str, object]) -> Connector | Receiver: ...


@runtime_checkable
class Listener(Protocol):
    """A connector that must be started before it can hear anything (it opens a port)."""

    async def start(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A source that could not be built: `message` is a sentence for a person."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What `load` made, each keyed by its entry point's name."""

    connectors: Mapping[str, Connector]
    receivers: Mapping[str, Receiver]
    failed: tuple[Failed, ...]


def available() -> tuple[str, ...]:
    """Return the names of all installed sources, sorted."""
    return tuple(sorted(_entry_points()))


def load(configured: Mapping[str, Mapping[str, object]]) -> Registered:
    """Build every source in `configured` (entry-point name to its settings). Raises nothing."""
    found = _entry_points()
    connectors: dict[str, Connector] = {}
    receivers: dict[str, Receiver] = {}
    failed: list[Failed] = []
    for name, settings in configured.items():
        built = _build(name, found.get(name), settings)
        if isinstance(built, Failed):
            failed.append(built)
        elif hasattr(built, "receive"):
            receivers[name] = cast(Receiver, built)
        else:
            connectors[name] = built
    return Registered(connectors=connectors, receivers=receivers, failed=tuple(failed))


def parse_settings(
    model: type[_Settings], settings: Mapping[str, object], *, source: str
) -> _Settings:
    """Return `settings` as `model`; raises one `Rejected` naming every faulty field.

    Values are not repeated in the message: they may be credentials.
    """
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'settings'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise Rejected(f"The settings of {source} are wrong: {faults}.") from None


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _build(
    name: str, point: EntryPoint | None, settings: Mapping[str, object]
) -> Connector | Receiver | Failed:
    if point is None:
        known = ", ".join(available()) or "none"
        return Failed(name=name, message=f"No connector is called {name}; installed: {known}.")
    try:
        build: Build = point.load()
        return build(settings)
    except ConnectorError as error:
        return Failed(name=name, message=str(error))
    except Exception as error:  # noqa: BLE001 - a third party's plugin may raise anything
        return Failed(
            name=name,
            message=f"The connector {name} could not be loaded ({type(error).__name__}); "
            "reinstall or update it, or take it out of the settings.",
        )
