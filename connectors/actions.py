"""The words of doing: what an actuator offers, shows beforehand, and answers.

An actuator never decides whether it may act: it is handed a call that was approved, and a key. It
previews without changing anything, runs a call at most once per key, and can tell afterwards
whether the run with a key happened. There is no I/O in this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict

ArgValue = str | int | bool


class Args(BaseModel):
    """The base of an action's arguments: typed, frozen, nothing that is not named."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Effect(StrEnum):
    """What an action does to the world; declared in code."""

    READ = "read"
    MUTATE = "mutate"


class Risk(StrEnum):
    """How bad it may get."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """One thing that an actuator can do.

    `name` is what a runbook step calls it; `target` names the argument that says to what it is
    done; `demo` marks a system whose simulated people may act on it.
    """

    name: str
    summary: str
    effect: Effect
    args: type[Args]
    target: str
    reversible: bool
    risk: Risk
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """One call: the name of an action and its validated arguments."""

    action: str
    args: Mapping[str, ArgValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a call would do, before it is done.

    `target` is the target's kind and unique name (`service/web`), `state` an opaque version of
    its present state: when that differs at run time, what was approved is stale, and so it is when
    anything else here does: no text may hold what changes by itself. `summary` is one exact
    sentence, `diff` lines such as `- version 2` and `+ version 1`, `blast` what else feels it, in
    words: it `touches` so many of `among` things of the kind (instances, nodes). `undo` is the call
    that takes it back (null where there is none).
    """

    target: str
    state: str
    summary: str
    diff: tuple[str, ...]
    blast: str
    touches: int
    among: int
    undo: ActionCall | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did: one sentence, and the reference of the change in the change feed."""

    summary: str
    ref: str | None = None


class Actuator(Protocol):
    """Something that can be acted on. Constructing one does no I/O and holds no global state.

    Raises only `connectors.errors.ConnectorError`: `Rejected` for a call that cannot be done (an
    unknown target, nothing to change), `Unavailable` or `DeadlineExceeded` where nobody knows
    whether it was done, which an answer that cannot be understood leaves open as well.
    """

    @property
    def name(self) -> str: ...

    @property
    def specs(self) -> tuple[ActionSpec, ...]: ...

    async def preview(self, call: ActionCall) -> Preview:
        """Return what the call would do; changes nothing."""
        ...

    async def run(self, call: ActionCall, key: str) -> Outcome:
        """Do it, at most once per `key`: a second run with a key returns the first one's outcome.

        A key that was used for another call is `Rejected`.
        """
        ...

    async def probe(self, key: str) -> Outcome | None:
        """Return the outcome of the run with this key, or null if it did not happen."""
        ...

    async def aclose(self) -> None: ...
