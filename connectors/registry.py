"""Entry points and settings in; connectors, receivers and actuators out.

A source is added by a distribution that registers `build(settings) -> Connector | Receiver` under
`firstline.connectors`, what can be acted on by one that registers `build(settings) -> Actuator`
under `firstline.actuators`; ours are registered the same way. All that fail to load or to build are
returned with their reasons, and so is the rest: what becomes of them is for the caller to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, TypeVar, cast, runtime_checkable

from pydantic import BaseModel, ValidationError

from connectors.actions import Actuator
from connectors.api import Connector, Receiver
from connectors.errors import ConnectorError, Rejected
from connectors.faults import in_words

GROUP = "firstline.connectors"
ACTUATORS = "firstline.actuators"

_NOUNS = {GROUP: "connector", ACTUATORS: "actuator"}
_Made_co = TypeVar("_Made_co", covariant=True)
_Settings = TypeVar("_Settings", bound=BaseModel)


class Build(Protocol[_Made_co]):
    """What an entry point names. It does no I/O; raises `Rejected` for faulty settings."""

    def __call__(self, settings: Mapping[str, object]) -> _Made_co: ...


@runtime_checkable
class Listener(Protocol):
    """A connector that must be started before it can hear anything (it opens a port).

    Its `check` before that says whether it could be started, and hears nothing.
    """

    async def start(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A plugin that could not be built: `message` is a sentence for a person."""

    name: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What `load` made, each keyed by its entry point's name."""

    connectors: Mapping[str, Connector]
    receivers: Mapping[str, Receiver]
    failed: tuple[Failed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuators:
    """What `load_actuators` made, keyed by its entry point's name."""

    actuators: Mapping[str, Actuator]
    failed: tuple[Failed, ...]


def available(group: str = GROUP) -> tuple[str, ...]:
    """Return the names of all that is installed under an entry-point group, sorted."""
    return tuple(sorted(_entry_points(group)))


def load(configured: Mapping[str, Mapping[str, object]]) -> Registered:
    """Build every source in `configured` (entry-point name to its settings). Raises nothing."""
    built, failed = _load(GROUP, configured)
    sources = cast(dict[str, Connector | Receiver], built)
    receivers = {name: source for name, source in sources.items() if hasattr(source, "receive")}
    return Registered(
        connectors={n: cast(Connector, s) for n, s in sources.items() if n not in receivers},
        receivers={n: cast(Receiver, s) for n, s in receivers.items()},
        failed=failed,
    )


def load_actuators(configured: Mapping[str, Mapping[str, object]]) -> Actuators:
    """Build every actuator in `configured` (entry-point name to its settings). Raises nothing."""
    built, failed = _load(ACTUATORS, configured)
    return Actuators(actuators=cast(dict[str, Actuator], built), failed=failed)


def parse_settings(
    model: type[_Settings], settings: Mapping[str, object], *, source: str
) -> _Settings:
    """Return `settings` as `model`; raises one `Rejected` naming every faulty field.

    Values are not repeated in the message: they may be credentials.
    """
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        faults = "; ".join(f"{where or 'settings'}: {said}" for where, said in in_words(error))
        raise Rejected(f"The settings of {source} are wrong: {faults}.") from None


def _entry_points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _load(
    group: str, configured: Mapping[str, Mapping[str, object]]
) -> tuple[dict[str, object], tuple[Failed, ...]]:
    """Return what could be built under `group`, in the order configured, and what could not."""
    found = _entry_points(group)
    tried = {name: _build(group, name, found.get(name), s) for name, s in configured.items()}
    failed = tuple(one for one in tried.values() if isinstance(one, Failed))
    return {name: one for name, one in tried.items() if not isinstance(one, Failed)}, failed


def _build(
    group: str, name: str, point: EntryPoint | None, settings: Mapping[str, object]
) -> object:
    noun = _NOUNS[group]
    if point is None:
        known = ", ".join(available(group)) or "none"
        return Failed(name=name, message=f"No {noun} is called {name}; installed: {known}.")
    try:
        build: Build[object] = point.load()
        return build(settings)
    except ConnectorError as error:
        return Failed(name=name, message=str(error))
    except Exception as error:  # noqa: BLE001 - a third party's plugin may raise anything
        return Failed(
            name=name,
            message=f"The {noun} {name} could not be loaded ({type(error).__name__}); "
            "reinstall or update it, or take it out of the settings.",
        )
