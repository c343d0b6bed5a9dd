"""Where an incident is shown: a channel, and the thread in it.

A place is written `CHANNEL/THREAD_TS`, or `CHANNEL` where the card itself begins the thread.
"""

from dataclasses import dataclass
from datetime import datetime

from assistant.domain.incident import Incident
from assistant.slack.ports import Desk, Messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel's id, and the `ts` of the thread's first message."""

    channel: str
    thread: str | None = None

    def __str__(self) -> str:
        return f"{self.channel}/{self.thread}" if self.thread else self.channel


def card_slot(incident: str) -> str:
    """Return the slot of the incident's card."""
    return f"{incident}/card"


class Places:
    """Finds the place of an incident and the incident of a place.

    `fallback` is the channel of incidents that nobody opened in Slack (null: they are not shown).
    """

    def __init__(self, desk: Desk, messages: Messages, fallback: str | None = None) -> None:
        self._desk = desk
        self._messages = messages
        self._fallback = fallback

    def of(self, incident: Incident) -> Place | None:
        """Return where it is shown."""
        written = incident.opened.place or self._fallback
        if not written:
            return None
        channel, _, thread = written.partition("/")
        return Place(channel=channel, thread=thread or None)

    def incident_at(self, channel: str, thread: str) -> str | None:
        """Return the incident of a thread: an open one before a closed one, the newest first."""
        here = [
            name
            for name, incident in self._desk.incidents().items()
            if (place := self.of(incident)) is not None
            and place.channel == channel
            and (place.thread or self.card(name)) == thread
        ]
        still = [name for name in here if self._desk.incidents()[name].open]
        return next(iter(reversed(still or here)), None)

    def asked(self, place: Place, at: datetime) -> bool:
        """Tell whether what was written there at that moment has an incident already."""
        return any(
            incident.opened.at == at and self.of(incident) == place
            for incident in self._desk.incidents().values()
        )

    def card(self, incident: str) -> str | None:
        """Return the `ts` of the incident's card, null before it was posted."""
        sent = self._messages.get(card_slot(incident))
        return sent.ts if sent is not None else None
