"""What concerns all incidents: is anything frozen, what was redacted. A pure fold."""

from dataclasses import dataclass, replace

from assistant.domain.amends import Redacted, RestoreAccepted
from assistant.domain.events import (
    Event,
    Frozen,
    Refused,
    Thawed,
)
from assistant.domain.requests import IllegalEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`frozen` says by whom and why nothing may be started, or is null.

    `redacted` are the incidents whose events were removed.
    """

    frozen: Frozen | None = None
    redacted: frozenset[str] = frozenset()


def settle(desk: Desk, event: Event) -> Desk:
    """Return the desk after an event; raises `IllegalEvent` for one of an incident."""
    match event:
        case Frozen():
            return replace(desk, frozen=event)
        case Thawed():
            return replace(desk, frozen=None)
        case Redacted():
            return replace(desk, redacted=desk.redacted | {event.incident})
        case Refused() | RestoreAccepted():
            return desk
        case _:
            raise IllegalEvent(f"{type(event).__name__} concerns one incident, not all")
