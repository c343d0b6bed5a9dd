"""What can be done: the actions of all actuators under one roof, with typed arguments."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from connectors.actions import ActionCall, ActionSpec, Actuator, ArgValue
from connectors.errors import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An action and who carries it out."""

    spec: ActionSpec
    actuator: Actuator


class Catalogue:
    """Every action by its name; raises `Rejected` where two actuators claim the same name."""

    def __init__(self, actuators: Mapping[str, Actuator]) -> None:
        self._entries: dict[str, Entry] = {}
        for _, actuator in sorted(actuators.items()):
            for spec in actuator.specs:
                if spec.name in self._entries:
                    other = self._entries[spec.name].actuator.name
                    raise Rejected(
                        f"Both {other} and {actuator.name} offer {spec.name}; use one of them."
                    )
                self._entries[spec.name] = Entry(spec=spec, actuator=actuator)

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
        return ActionCall(action=action, args=dict(sorted(valid.model_dump().items())))
