"""What an incident has in Slack besides messages: files, and its own channel's topic and pin.

Made from the state alone, like letters; each has a slot, and is done once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from assistant.domain.incident import Incident
from assistant.slack import limits
from assistant.slack.letters import Looks
from assistant.slack.places import Place, card_slot
from assistant.slack.text import escape
from assistant.views import state as where_it_stands
from assistant.views import view


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The line above a channel, escaped."""

    slot: str
    channel: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The message in the slot `card`, pinned."""

    slot: str
    channel: str
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A bookmark called `title` that leads to the message in the slot `card`."""

    slot: str
    channel: str
    card: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file called `name`, in the thread, or under the message in the slot `card`."""

    slot: str
    channel: str
    thread: str | None
    card: str
    name: str
    title: str
    content: str


Chore: TypeAlias = Topic | Pin | Bookmark | Upload


def chores(name: str, incident: Incident, place: Place, looks: Looks) -> Iterator[Chore]:
    """Yield what there is to do for an incident."""
    card = place.slot(card_slot(name))
    for number, shared in enumerate(incident.shared, start=1):
        yield Upload(
            slot=f"{name}/shared/{number}/file",
            channel=place.channel,
            thread=place.thread,
            card=card,
            name=f"{name.lower()}-postmortem-{number}.md",
            title=f"Postmortem of {name}",
            content=shared.markdown,
        )
    if not place.own:
        return
    text = topic(name, incident, looks)
    yield Topic(slot=f"{name}/topic", channel=place.channel, text=text)
    yield Pin(slot=f"{name}/pin", channel=place.channel, card=card)
    yield Bookmark(slot=f"{name}/bookmark", channel=place.channel, card=card, title=f"{name} card")


def topic(name: str, incident: Incident, looks: Looks) -> str:
    """Return where the incident stands and its cause, as a channel's topic holds it."""
    cause = ""
    if incident.finding is not None:
        told = view(incident, name, looks.offered)
        cause = f" · {told.verdict_text}: {told.headline.text}"
    whole = " ".join(f"{name} · {where_it_stands(incident)}{cause}".split())
    shorter = range(limits.TOPIC, 0, -1)  # what is escaped takes more than it shows
    return next(text for most in shorter if len(text := escape(whole, most)) <= limits.TOPIC)
