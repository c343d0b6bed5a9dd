"""Keeps Slack's messages equal to the incidents: told of each event, it writes the letters anew."""

from dataclasses import replace
from functools import partial

from assistant.commands import Pressable
from assistant.domain.action import Status
from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.slack.letters import Looks, letters
from assistant.slack.outbox import Outbox
from assistant.slack.places import Places, card_slot, request_slot
from assistant.slack.ports import Buttons, Desk
from assistant.slack.stream import Streams


class SlackSurface:
    """`watched` is for `Desk.watch`; it only enqueues."""

    def __init__(
        self,
        desk: Desk,
        buttons: Buttons,
        places: Places,
        outbox: Outbox,
        looks: Looks,
        streams: Streams,
    ) -> None:
        self._desk = desk
        self._buttons = buttons
        self._places = places
        self._outbox = outbox
        self._looks = looks
        self._streams = streams

    async def watched(self, incident: str, event: Event, state: Incident) -> None:
        """Have the incident's messages made equal to its state after the event."""
        self._streams.told(incident, event, state)
        self._show(incident, state)

    def again(self, incident: str) -> None:
        """Show an incident whose card was held back."""
        state = self._desk.incident(incident)
        if state is not None:
            self._show(incident, state)

    def resume(self) -> None:
        """Show what may not have been shown before the process ended."""
        for name, state in self._desk.incidents().items():
            if state.open or not state.remembered:
                self._show(name, state, look=True)

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
            request_slot(name, tracked.request.id)
            for tracked in incident.requests.values()
            if tracked.status is Status.PENDING
        }
        for letter in letters(name, incident, place, self._looks, token):
            if letter.slot != card_slot(name) or not self._streams.holds(name):
                self._outbox.put(replace(letter, look=look and letter.slot in waiting))


def _token(buttons: Buttons, incident: str, command: Pressable) -> str:
    return buttons.token(command, incident)
