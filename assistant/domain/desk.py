"""What concerns all incidents: whether actions are frozen. A pure fold, like an incident."""

from dataclasses import dataclass

from assistant.domain.events import Event, Frozen, Refused, RestoreAccepted, Thawed
from assistant.domain.requests import IllegalEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`frozen` says by whom and why nothing may be started, or is null."""

    frozen: Frozen | None = None


def settle(desk: Desk, event: Event) -> Desk:
    """Return the desk after an event; raises `IllegalEvent` for one of an incident."""
    match event:
        case Frozen():
            return Desk(frozen=event)
        case Thawed():
            return Desk(frozen=None)
        case Refused() | RestoreAccepted():
            return desk
        case _:
            raise IllegalEvent(f"{type(event).__name__} concerns one incident, not all")
