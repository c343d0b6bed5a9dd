"""What a command comes to: the events that it causes at once, and the answer to whoever gave it.

Every attempt at something that may not be is an event too (`Refused`), so that it can be looked up.
"""

from dataclasses import dataclass

from assistant.answer import Answer
from assistant.domain.events import Event, Refused
from assistant.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Events to be recorded, and the answer."""

    events: tuple[Event, ...]
    answer: Answer


def done(incident: str | None, said: str, *events: Event) -> Decision:
    """Return what was done, and the words for it; `incident` is null where it concerns all."""
    return Decision(events=events, answer=Answer(incident=incident, said=said))


def refused(
    incident: str | None,
    actor: Actor,
    tried: str,
    why: str,
    request: str | None = None,
    *before: Event,
) -> Decision:
    """Return a refusal of what was tried, which is recorded as well, after what came `before`."""
    attempt = Refused(by=actor, tried=tried, why=why, request=request)
    said = f"Not done: {why.removesuffix('.')}."
    return Decision(
        events=(*before, attempt), answer=Answer(incident=incident, said=said, refused=True)
    )
