"""Where an incident is shown: a channel, and the thread in it.

A place is written `CHANNEL/THREAD_TS`, or `CHANNEL` where the card itself begins the thread. An
incident that was moved has a channel of its own, in which everything that is said concerns it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from assistant.domain.events import Event, Opened
from assistant.domain.incident import Incident
from assistant.domain.shown import Moved
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
    Every message of every channel is asked for its incident, so what stands where is kept ready:
    `watched` is for `Desk.watch`.
    """

    def __init__(self, desk: Desk, messages: Messages, fallback: str | None = None) -> None:
        self._desk = desk
        self._messages = messages
        self._fallback = fallback
        self._in: dict[str, dict[str, None]] = {}  # by channel, in the order of opening
        self._under: dict[tuple[str, str], dict[str, None]] = {}  # by channel and thread
        self._owners: dict[str, dict[str, None]] = {}  # by a channel of one's own
        self._alone: dict[str, dict[str, None]] = {}  # by channel: those whose card has the thread
        for name, incident in desk.incidents().items():
            self._stand(name, incident)

    async def watched(self, incident: str, event: Event, state: Incident) -> None:
        """Take note of where an incident stands now."""
        if isinstance(event, Opened | Moved):
            self._stand(incident, state)

    def _stand(self, name: str, incident: Incident) -> None:
        for place in (self.origin(incident), self.of(incident)):
            if place is None:
                continue
            self._in.setdefault(place.channel, {})[name] = None
            if place.own:
                self._owners.setdefault(place.channel, {})[name] = None
            elif place.thread is not None:
                self._under.setdefault((place.channel, place.thread), {})[name] = None
            else:
                self._alone.setdefault(place.channel, {})[name] = None

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
        meant = {n: None for n in self._owners.get(channel, ()) if self._owns(n, channel)}
        if thread is not None:
            meant |= self._under.get((channel, thread), {})
            meant |= {n: None for n in self._alone.get(channel, ()) if self._card(n) == thread}
        here = [(n, s) for n, s in self._shown(channel) if n in meant] if meant else []
        still = [(name, state) for name, state in here if state.open]
        return next((name for name, _ in reversed(still or here)), None)

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
            for name, state in self._shown(channel)
            if (place := self.of(state)) is not None and place.channel == channel
        ]
        return own or next(reversed(here), None)

    def asked(self, place: Place, at: datetime | None) -> bool:
        """Tell whether what was written there has an incident already.

        `at` is its moment in a thread of others, null where it began the thread itself.
        """
        return any(
            self.origin(incident) == place and at in (None, incident.opened.at)
            for _, incident in self._shown(place.channel)
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

    def _shown(self, channel: str) -> Iterator[tuple[str, Incident]]:
        """Yield what was ever shown in a channel and is still known, in the order of opening."""
        for name in self._in.get(channel, ()):
            if (state := self._desk.incident(name)) is not None:
                yield name, state

    def _owns(self, incident: str, channel: str) -> bool:
        state = self._desk.incident(incident)
        place = self.of(state) if state is not None else None
        return place is not None and place.channel == channel

    def _card(self, incident: str) -> str | None:
        """Return the `ts` of the card where the incident began."""
        state = self._desk.incident(incident)
        place = self.origin(state) if state is not None else None
        return self.posted(place.slot(card_slot(incident))) if place is not None else None
