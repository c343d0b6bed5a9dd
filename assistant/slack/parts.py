"""What the listeners work with, handed to them once."""

from collections.abc import Callable
from dataclasses import dataclass

from assistant.slack.people import People
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service, the buttons' table, and who and where in Slack.

    `invited` is told the id of a channel that the app has joined.
    """

    desk: Desk
    buttons: Buttons
    people: People
    places: Places
    invited: Callable[[str], None]
