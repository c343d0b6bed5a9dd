"""What the listeners work with, handed to them once."""

from dataclasses import dataclass

from assistant.clock import Clock
from assistant.slack.people import People
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk
from assistant.slack.rooms import Rooms


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service, the buttons' table, who and where in Slack, and what time it is.

    `rooms` are the channels that incidents have for themselves; in the channels `watched` (ids)
    what other apps write are alerts.
    """

    desk: Desk
    buttons: Buttons
    people: People
    places: Places
    clock: Clock
    rooms: Rooms
    watched: frozenset[str] = frozenset()
