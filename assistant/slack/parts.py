"""What the listeners work with, handed to them once."""

from dataclasses import dataclass

from assistant.slack.people import People
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk
from assistant.slack.stream import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service, the buttons' table, who and where in Slack, and what is streamed to them."""

    desk: Desk
    buttons: Buttons
    people: People
    places: Places
    streams: Streams
