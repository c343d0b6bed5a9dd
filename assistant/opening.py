"""What a question or an alert comes to: a new incident, or one more voice in one that is open."""

from datetime import datetime

from assistant.commands import Investigate
from assistant.domain.events import AlertJoined, Opened


def opened(command: Investigate, now: datetime) -> Opened:
    """Return the beginning of an incident.

    Who tells us may have a clock that is ahead of ours; nobody sees the future.
    """
    return Opened(
        at=min(command.at, now) if command.horizon is None else command.at,
        text=command.text,
        service=command.service,
        horizon=command.horizon,
        source=command.source,
        fingerprint=command.fingerprint,
        place=command.place,
        key=command.key,
    )


def joined(command: Investigate, fingerprint: str) -> AlertJoined:
    """Return what an alert adds to an incident that is open."""
    return AlertJoined(
        at=command.at,
        text=command.text,
        service=command.service,
        fingerprint=fingerprint,
    )
