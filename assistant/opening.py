"""What a question or an alert comes to: a new incident, or one more voice in one that is open."""

from datetime import datetime

from assistant.commands import Investigate
from assistant.domain.events import AlertJoined, Opened
from assistant.engine.steering import since

QUESTION = "question"  # the source of an incident that a person asks about


def opened(command: Investigate, now: datetime) -> Opened:
    """Return the beginning of an incident.

    Who tells us may have a clock that is ahead of ours; nobody sees the future. Times in an alert
    are its monitor's: when it began is for the engine to find.
    """
    at = min(command.at, now) if command.horizon is None else command.at
    asked = command.source == QUESTION
    return Opened(
        at=at,
        text=command.text,
        service=command.service,
        horizon=command.horizon,
        source=command.source,
        fingerprint=command.fingerprint,
        place=command.place,
        key=command.key,
        since=since(command.text, at, command.zone) if asked else None,
    )


def joined(command: Investigate, fingerprint: str) -> AlertJoined:
    """Return what an alert adds to an incident that is open."""
    return AlertJoined(
        at=command.at,
        text=command.text,
        service=command.service,
        fingerprint=fingerprint,
    )
