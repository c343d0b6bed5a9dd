"""What the listeners work with, handed to them once."""

from dataclasses import dataclass

from assistant.slack.letters import Looks
from assistant.slack.people import People
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service, the buttons' table, and who and where in Slack, and how things look."""

    desk: Desk
    buttons: Buttons
    people: People
    places: Places
    looks: Looks
