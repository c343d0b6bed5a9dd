"""What the listeners work with, handed to them once."""

from collections.abc import Callable
from dataclasses import dataclass

from assistant.slack.letters import Looks
from assistant.slack.people import People
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk
from assistant.slack.stream import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service, the buttons' table, who and where in Slack, how things look, what is streamed.

    `look_again` has an incident's waiting requests posted again where they are there no more.
    """

    desk: Desk
    buttons: Buttons
    people: People
    places: Places
    looks: Looks
    look_again: Callable[[str], None]
    streams: Streams
