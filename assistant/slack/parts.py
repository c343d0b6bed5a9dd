"""What the listeners work with, handed to them once."""

from collections.abc import Callable
from dataclasses import dataclass

from assistant.clock import Clock
from assistant.slack.letters import Looks
from assistant.slack.people import People
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk
from assistant.slack.rooms import Rooms
from assistant.slack.sight import Sight
from assistant.slack.stream import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service, the buttons' table, who and where in Slack, what time it is, how things look.

    `sight` knows who may be told of which incident. `rooms` are the channels that incidents have
    for themselves; in the channels `watched` (ids) what other apps write are alerts. `look_again`
    has an incident's waiting requests posted again where they are there no more. `streams` show
    whoever asks what is read. `invited` is told the id of a channel that the app has joined.
    """

    desk: Desk
    buttons: Buttons
    people: People
    places: Places
    sight: Sight
    clock: Clock
    rooms: Rooms
    watched: frozenset[str] = frozenset()
    looks: Looks
    look_again: Callable[[str], None]
    streams: Streams
    invited: Callable[[str], None]
