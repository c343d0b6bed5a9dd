"""Keeps Slack's messages equal to the incidents: told of each event, it writes the letters anew."""

from functools import partial

from assistant.commands import Command
from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.slack.letters import Looks, letters
from assistant.slack.outbox import Outbox
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk


class SlackSurface:
    """`watched` is for `Desk.watch`; it only enqueues."""

    def __init__(
        self, desk: Desk, buttons: Buttons, places: Places, outbox: Outbox, looks: Looks
    ) -> None:
        self._desk = desk
        self._buttons = buttons
        self._places = places
        self._outbox = outbox
        self._looks = looks

    async def watched(self, incident: str, event: Event, state: Incident) -> None:
        """Have the incident's messages made equal to its state after the event."""
        del event  # the state says it all
        self._show(incident, state)

    def resume(self) -> None:
        """Show what may not have been shown before the process ended."""
        for name, state in self._desk.incidents().items():
            if state.open or not state.remembered:
                self._show(name, state)

    def invited(self, channel: str) -> None:
        """Show what may not have been shown in a channel while the app was not in it."""
        for name, state in self._desk.incidents().items():
            place = self._places.of(state)
            here = place is not None and place.channel == channel
            if here and (state.open or not state.remembered):
                self._show(name, state)

    def _show(self, name: str, incident: Incident) -> None:
        place = self._places.of(incident)
        if place is None:
            return
        token = partial(_token, self._buttons, name)
        for letter in letters(name, incident, place, self._looks, token):
            self._outbox.put(letter)


def _token(buttons: Buttons, incident: str, command: Command) -> str:
    return buttons.token(command, incident)
