"""Keeps Slack's messages equal to the incidents: told of each event, it writes the letters anew."""

from datetime import datetime, timedelta
from functools import partial

from assistant.commands import Command
from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.slack.letters import Looks, letters
from assistant.slack.outbox import Outbox
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk

RECENT = timedelta(days=1)  # how long ago what is over may have ended while Slack was away


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

    def resume(self, now: datetime) -> None:
        """Show what may not have been shown before the process ended, first what is not over."""
        known = self._desk.incidents()
        over = [name for name, state in known.items() if not state.open and state.remembered]
        for name in (*(name for name in known if name not in over), *over):
            closed = known[name].closed
            if name not in over or (closed is not None and now - closed.at < RECENT):
                self._show(name, known[name])

    def _show(self, name: str, incident: Incident) -> None:
        place = self._places.of(incident)
        if place is None:
            return
        token = partial(_token, self._buttons, name)
        for letter in letters(name, incident, place, self._looks, token):
            self._outbox.put(letter)


def _token(buttons: Buttons, incident: str, command: Command) -> str:
    return buttons.token(command, incident)
