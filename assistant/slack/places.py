"""Where an incident is shown: a channel, and the thread in it.

A place is written `CHANNEL/THREAD_TS`, or `CHANNEL` where the card itself begins the thread. An
incident that was moved has a channel of its own, in which everything that is said concerns it.
"""

from dataclasses import dataclass
from datetime import datetime

from assistant.domain.incident import Incident
from assistant.slack.ports import Desk, Messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel's id, and the `ts` of the thread's first message.

    `own` is true where the whole channel is the incident's.
    """

    channel: str
    thread: str | None = None
    own: bool = False

    def __str__(self) -> str:
        return f"{self.channel}/{self.thread}" if self.thread else self.channel

    def slot(self, name: str) -> str:
        """Return the slot of a message here: what was moved is posted anew, not edited."""
        return f"{self.channel}:{name}" if self.own else name


def card_slot(incident: str) -> str:
    """Return the slot of the incident's card."""
    return f"{incident}/card"


def request_slot(incident: str, request: str) -> str:
    """Return the slot of a request's card."""
    return f"{incident}/request/{request}"


class Places:
    """Finds the place of an incident and the incident of a place.

    `fallback` is the channel of incidents that nobody opened in Slack (null: they are not shown).
    """

    def __init__(self, desk: Desk, messages: Messages, fallback: str | None = None) -> None:
        self._desk = desk
        self._messages = messages
        self._fallback = fallback

    @property
    def fallback(self) -> str | None:
        """Return the channel of incidents that began nowhere in Slack."""
        return self._fallback

    def of(self, incident: Incident) -> Place | None:
        """Return where it is shown."""
        if incident.moved is not None:
            return Place(channel=incident.moved.place, own=True)
        return self.origin(incident)

    def origin(self, incident: Incident) -> Place | None:
        """Return where it began."""
        written = incident.opened.place or self._fallback
        if not written:
            return None
        channel, _, thread = written.partition("/")
        return Place(channel=channel, thread=thread or None)

    def incident_at(self, channel: str, thread: str | None) -> str | None:
        """Return the incident of a thread, or of a channel that is one's own.

        An open one comes before a closed one, the newest first. What was moved is still meant in
        the thread where it began.
        """
        here = [
            name
            for name, incident in self._desk.incidents().items()
            if any(
                place is not None
                and place.channel == channel
                and (place.own or (thread is not None and self._thread(name, place) == thread))
                for place in (self.of(incident), self.origin(incident))
            )
        ]
        still = [name for name in here if self._desk.incidents()[name].open]
        return next(iter(reversed(still or here)), None)

    def own(self, channel: str) -> bool:
        """Tell whether a channel is all about one incident."""
        return self.incident_at(channel, None) is not None

    def at(self, incident: str, slot: str) -> tuple[str, str | None] | None:
        """Return the channel and the `ts` of an incident's message where it is shown now.

        Null before it was posted.
        """
        state = self._desk.incident(incident)
        place = self.of(state) if state is not None else None
        sent = self._messages.get(place.slot(slot)) if place is not None else None
        return (sent.channel, sent.ts) if sent is not None else None

    def incident_in(self, channel: str) -> str | None:
        """Return the incident that a channel is about, else the newest that is shown in it."""
        own = self.incident_at(channel, None)
        here = [
            name
            for name, incident in self._desk.incidents().items()
            if (place := self.of(incident)) is not None and place.channel == channel
        ]
        return own or next(reversed(here), None)

    def asked(self, place: Place, at: datetime | None) -> bool:
        """Tell whether what was written there has an incident already.

        `at` is its moment in a thread of others, null where it began the thread itself.
        """
        return any(
            self.origin(incident) == place and at in (None, incident.opened.at)
            for incident in self._desk.incidents().values()
        )

    def card(self, incident: str) -> str | None:
        """Return the `ts` of the incident's card, null before it was posted."""
        state = self._desk.incident(incident)
        place = self.of(state) if state is not None else None
        return self.posted(place.slot(card_slot(incident))) if place is not None else None

    def posted(self, slot: str) -> str | None:
        """Return the `ts` of a message of ours, null before it was posted."""
        sent = self._messages.get(slot)
        return sent.ts if sent is not None else None

    def _thread(self, incident: str, place: Place) -> str | None:
        return place.thread or self.posted(place.slot(card_slot(incident)))
