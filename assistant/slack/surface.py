"""Keeps Slack's messages equal to the incidents: told of each event, it writes the letters anew."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from assistant.commands import Pressable
from assistant.domain.action import Status
from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.slack.chores import chores
from assistant.slack.keeper import Keeper
from assistant.slack.letters import Letter, Looks, letters
from assistant.slack.moving import left_behind
from assistant.slack.places import Places, card_slot, request_slot
from assistant.slack.ports import Buttons, Desk
from assistant.slack.stream import Streams


class Post(Protocol):
    """Whoever takes letters and sends them."""

    def put(self, letter: Letter) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """By what an incident is shown: letters, what grows while it looks, and a channel's own marks.

    Without `streams` and `keeper` there are letters alone.
    """

    outbox: Post
    streams: Streams | None = None
    keeper: Keeper | None = None


RECENT = timedelta(days=1)  # how long ago what is over may have ended while Slack was away


class SlackSurface:
    """`watched` is for `Desk.watch`; it only enqueues."""

    def __init__(
        self, desk: Desk, buttons: Buttons, places: Places, looks: Looks, ways: Ways
    ) -> None:
        self._desk = desk
        self._buttons = buttons
        self._places = places
        self._looks = looks
        self._outbox, self._streams, self._keeper = ways.outbox, ways.streams, ways.keeper

    async def watched(self, incident: str, event: Event, state: Incident) -> None:
        """Have the incident's messages made equal to its state after the event."""
        if self._streams is not None:
            self._streams.told(incident, event, state)
        self._show(incident, state)

    def again(self, incident: str) -> None:
        """Show an incident whose card was held back."""
        state = self._desk.incident(incident)
        if state is not None:
            self._show(incident, state)

    def resume(self, now: datetime) -> None:
        """Show what may not have been shown before the process ended, first what is not over."""
        known = self._desk.incidents()
        over = dict.fromkeys(name for name, state in known.items() if state.over)
        for name in (*(name for name in known if name not in over), *over):
            closed = known[name].closed
            if name not in over or (closed is not None and now - closed.at < RECENT):
                self._show(name, known[name], look=True)

    def invited(self, channel: str) -> None:
        """Show what may not have been shown in a channel while the app was not in it."""
        for name, state in self._desk.incidents().items():
            place = self._places.of(state)
            here = place is not None and place.channel == channel
            if here and not state.over:
                self._show(name, state)

    def look_again(self, name: str) -> None:
        """Find out whether the requests that wait are still there, and post those that are not."""
        state = self._desk.incident(name)
        if state is not None:
            self._show(name, state, look=True)

    def _show(self, name: str, incident: Incident, *, look: bool = False) -> None:
        place = self._places.of(incident)
        if place is None:
            return
        token = partial(_token, self._buttons, name)
        waiting = {
            place.slot(request_slot(name, tracked.request.id))
            for tracked in incident.requests.values()
            if tracked.status is Status.PENDING
        }
        held = self._streams is not None and self._streams.holds(name)
        for letter in letters(name, incident, place, self._looks, token):
            if not (held and letter.slot == place.slot(card_slot(name))):
                self._outbox.put(replace(letter, look=look and letter.slot in waiting))
        origin = self._places.origin(incident)
        if incident.moved is not None and origin is not None:
            news = (card_slot(name), f"{name}/moved")  # the rest only where it was posted
            for letter in left_behind(name, incident, incident.moved, origin, self._looks, token):
                if letter.slot in news or self._places.posted(letter.slot) is not None:
                    self._outbox.put(letter)
        if self._keeper is not None:
            for chore in chores(name, incident, place, self._looks):
                self._keeper.put(chore)


def _token(buttons: Buttons, incident: str, command: Pressable) -> str:
    return buttons.token(command, incident)
