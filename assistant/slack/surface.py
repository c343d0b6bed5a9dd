"""Keeps Slack's messages equal to the incidents: told of each event, it writes the letters anew."""

from functools import partial

from assistant.commands import Command
from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.slack.chores import chores
from assistant.slack.keeper import Keeper
from assistant.slack.letters import Looks, letters
from assistant.slack.moving import left_behind
from assistant.slack.outbox import Outbox
from assistant.slack.places import Places, card_slot
from assistant.slack.ports import Buttons, Desk


class SlackSurface:
    """`watched` is for `Desk.watch`; it only enqueues."""

    def __init__(
        self,
        desk: Desk,
        buttons: Buttons,
        places: Places,
        outbox: Outbox,
        looks: Looks,
        keeper: Keeper | None = None,
    ) -> None:
        self._desk = desk
        self._buttons = buttons
        self._places = places
        self._outbox = outbox
        self._looks = looks
        self._keeper = keeper

    async def watched(self, incident: str, event: Event, state: Incident) -> None:
        """Have the incident's messages made equal to its state after the event."""
        del event  # the state says it all
        self._show(incident, state)

    def resume(self) -> None:
        """Show what may not have been shown before the process ended."""
        for name, state in self._desk.incidents().items():
            if state.open or not state.remembered:
                self._show(name, state)

    def _show(self, name: str, incident: Incident) -> None:
        place = self._places.of(incident)
        if place is None:
            return
        token = partial(_token, self._buttons, name)
        for letter in letters(name, incident, place, self._looks, token):
            self._outbox.put(letter)
        origin = self._places.origin(incident)
        if incident.moved is not None and origin is not None:
            news = (card_slot(name), f"{name}/moved")  # the rest only where it was posted
            for letter in left_behind(name, incident, incident.moved, origin, self._looks, token):
                if letter.slot in news or self._places.posted(letter.slot) is not None:
                    self._outbox.put(letter)
        if self._keeper is not None:
            for chore in chores(name, incident, place, self._looks):
                self._keeper.put(chore)


def _token(buttons: Buttons, incident: str, command: Command) -> str:
    return buttons.token(command, incident)
