"""What concerns all incidents: is anything frozen, what was redacted. A pure fold."""

from dataclasses import dataclass, replace

from assistant.domain.amends import Redacted, RestoreAccepted
from assistant.domain.brake import Frozen, Thawed
from assistant.domain.events import Event, Refused
from assistant.domain.requests import IllegalEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`brake` is the last word about all actions, null where there was none.

    `redacted` are the incidents whose events were removed.
    """

    brake: Frozen | Thawed | None = None
    redacted: frozenset[str] = frozenset()

    @property
    def frozen(self) -> Frozen | None:
        """Return by whom and why nothing may be started, or null."""
        return self.brake if isinstance(self.brake, Frozen) else None


def settle(desk: Desk, event: Event) -> Desk:
    """Return the desk after an event; raises `IllegalEvent` for one of an incident."""
    match event:
        case Frozen() | Thawed():
            return replace(desk, brake=event)
        case Redacted():
            return replace(desk, redacted=desk.redacted | {event.incident})
        case Refused() | RestoreAccepted():
            return desk
        case _:
            raise IllegalEvent(f"{type(event).__name__} concerns one incident, not all")
