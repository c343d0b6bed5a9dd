"""What can be done: the actions of all actuators under one roof, with typed arguments."""

import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import ValidationError

from assistant.domain.canonical import digest
from connectors.actions import ActionCall, ActionSpec, Actuator, ArgValue
from connectors.errors import Rejected
from connectors.redact import redact_text

_PLAIN = re.compile(r"[A-Za-z0-9_.,:/@+=~*%-]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An action and who carries it out.

    `code` is the SHA-256 of what it is: its declaration, its arguments, and the module of the
    actuator. An approval does not outlive an upgrade.
    """

    spec: ActionSpec
    actuator: Actuator
    code: str


class Catalogue:
    """Every action by its name; raises `Rejected` where two actuators claim the same name."""

    def __init__(self, actuators: Mapping[str, Actuator]) -> None:
        self._entries: dict[str, Entry] = {}
        for _, actuator in sorted(actuators.items()):
            source = _source(actuator)
            for spec in actuator.specs:
                if spec.name in self._entries:
                    other = self._entries[spec.name].actuator.name
                    raise Rejected(
                        f"Both {other} and {actuator.name} offer {spec.name}; use one of them."
                    )
                self._entries[spec.name] = Entry(
                    spec=spec, actuator=actuator, code=_code(spec, source)
                )

    @property
    def names(self) -> frozenset[str]:
        """Return the name of every action."""
        return frozenset(self._entries)

    def entry(self, action: str) -> Entry:
        """Return an action; raises `Rejected` for one that does not exist."""
        if action not in self._entries:
            known = ", ".join(sorted(self._entries)) or "none"
            raise Rejected(f"No action is called {action}; there are: {known}.")
        return self._entries[action]

    def call(self, action: str, args: Mapping[str, ArgValue]) -> ActionCall:
        """Return a call with validated arguments; raises `Rejected`.

        Text is read as the type that the action wants, since runbooks are text.
        """
        entry = self.entry(action)
        try:
            texts = {key: str(value) for key, value in args.items()}
            valid = entry.spec.args.model_validate_strings(texts, strict=True)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
                for fault in error.errors(include_input=False, include_url=False)
            )
            raise Rejected(f"{action} cannot be called like this: {faults}.") from None
        args_now = dict(sorted(valid.model_dump().items()))
        for name, value in args_now.items():
            if (why := odd(value)) is not None:
                raise Rejected(f"{action} cannot be called like this: {name} {why}.")
        return ActionCall(action=action, args=args_now)


def odd(value: ArgValue) -> str | None:
    """Return why a value may not be an argument, whatever its action would take, or null.

    It is shown to approvers, written down for ever, and may end in a command line or a path.
    """
    if not isinstance(value, str):
        return None
    if not _PLAIN.fullmatch(value):
        return "holds something else than letters, digits and . _ , : / @ + = ~ * % -"
    if value.startswith("--") or ".." in value:
        return "looks like an option or climbs out of its place"
    if redact_text(value) != value:
        return "looks like a secret; name where it is kept instead"
    return None


def _source(actuator: Actuator) -> str:
    module = sys.modules[type(actuator).__module__]
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):  # compiled: then only its name and its declaration are known
        return module.__name__


def _code(spec: ActionSpec, source: str) -> str:
    return digest(
        {
            "name": spec.name,
            "summary": spec.summary,
            "effect": spec.effect.value,
            "target": spec.target,
            "reversible": spec.reversible,
            "risk": spec.risk.value,
            "demo": spec.demo,
            "args": json.dumps(spec.args.model_json_schema(), sort_keys=True),
            "source": sha256(source.encode()).hexdigest(),
        }
    )
