"""What one person sees in the browser: a channel, a thread, a modal, as HTML.

The templates escape everything; nothing that anybody wrote becomes markup or a script.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeAlias
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader

from assistant.slack.local import words
from assistant.slack.local.driver import Person
from assistant.slack.local.interactions import initial_value
from assistant.slack.local.office import Office
from assistant.slack.local.people import Channel, Kind, Message
from assistant.slack.local.shapes import message_object
from assistant.slack.local.workspace import Workspace

FOLDER = Path(__file__).with_name("templates")
Shortcuts: TypeAlias = Mapping[str, tuple[str, str, str]]
_COLOURS = 6
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where in the page somebody is; it lives in the address, so that there can be many windows."""

    user: str
    channel: str
    thread: str = ""
    home: bool = False
    raw: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str], workspace: Workspace) -> Self:
        """The state that an address names; what it names wrongly becomes the first there is."""
        people = [user.name for user in workspace.users.values() if not (user.bot or user.deleted)]
        user = query.get("user", "")
        channel = query.get("channel", "")
        usual = workspace.channel_named("incidents") or next(iter(workspace.channels.values()))
        return cls(
            user=user if user in people else people[0],
            channel=channel if channel in workspace.channels else usual.id,
            thread=query.get("thread", ""),
            home="home" in query,
            raw="raw" in query,
        )

    def query(self) -> str:
        """The state as a query string."""
        given = {key: value for key, value in asdict(self).items() if value}
        return urlencode({key: 1 if value is True else value for key, value in given.items()})


class Screen:
    """Renders the page of any person of one workspace."""

    def __init__(self, office: Office, shortcuts: Shortcuts) -> None:
        self._office = office
        self._workspace = office.workspace
        self._shortcuts = shortcuts
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "author": self._author,
            "clock": self._clock,
            "colour": lambda m: _shade(m.user or m.name),
            "shade": _shade,
            "replies": self._replies,
            "json": self._json,
            "attached": self._attached,
            "href": self._href,
            "link": lambda state, **changed: f"?{replace(state, **changed).query()}",
            "mrkdwn": lambda text: words.mrkdwn(text, self._workspace.label),
            "markdown": lambda block: words.markdown(block["text"], self._workspace.label),
            "rich": lambda block: words.rich(block, self._workspace.label),
            "words": self._words,
            "emoji": lambda name: words.EMOJI.get(name.strip(":"), name),
            "initial": initial_value,
            "offered": self._offered,
            "image_source": self._image_source,
            "alignment": _alignment,
            "pressing": _pressing,
            "mark": words.MARKS.get,
        }

    def render(self, state: State, person: Person, complaints: Mapping[str, str]) -> str:
        """The whole page."""
        workspace = self._workspace
        channel = workspace.channels[state.channel]
        if not workspace.sees(person.id, channel):
            channel = next(c for c in workspace.channels.values() if workspace.sees(person.id, c))
            state = replace(state, channel=channel.id, thread="")
        bot = workspace.bot
        shown = [c for c in workspace.channels.values() if workspace.sees(person.id, c)]
        return self._templates.get_template("page.html.j2").render(
            state=state,
            me=person.user,
            bot=bot,
            title=f"{bot.name} home" if state.home else self._title(channel),
            channel=channel,
            channels=[c for c in shown if c.kind is not Kind.DIRECT and not c.archived],
            direct=workspace.direct(person.id, bot.id),
            people=[u for u in workspace.users.values() if not (u.bot or u.deleted)],
            pins=channel.pins,
            messages=person.messages(channel.id),
            thread=person.messages(channel.id, state.thread) if state.thread else [],
            status=workspace.statuses.get((channel.id, "")),
            thread_busy=workspace.sessions.get((channel.id, state.thread)) == "processing",
            thread_status=workspace.statuses.get((channel.id, state.thread)),
            may_write=person.id in channel.members and not channel.archived,
            home=person.home(),
            modal=person.modal(),
            complaints=complaints,
            errors=person.errors,
            shortcuts=self._offers("message"),
            anywhere=self._offers("global"),
        )

    def _offers(self, where: str) -> dict[str, str]:
        """The callback ids of shortcuts of one kind, by what they are called."""
        return {
            name: callback for callback, (name, kind, _) in self._shortcuts.items() if kind == where
        }

    def _title(self, channel: Channel) -> str:
        return self._workspace.bot.name if channel.kind is Kind.DIRECT else f"#{channel.name}"

    def _author(self, message: Message) -> str:
        user = self._workspace.users.get(message.user)
        if user is None:
            return message.name
        return user.name if user.bot else user.name.capitalize()

    def _clock(self, message: Message) -> str:
        user = self._workspace.users.get(message.user)
        zone = ZoneInfo(user.zone) if user and user.zone != "UTC" else UTC
        return f"{datetime.fromtimestamp(float(message.ts), zone):%H:%M}"

    def _replies(self, message: Message) -> int:
        others = self._workspace.channels[message.channel].messages.values()
        return sum(m.thread == message.ts and m.only_for is None for m in others)

    def _attached(self, message: Message) -> list[dict[str, object]]:
        """The files of a message; what is no picture is shown as words."""
        files = [self._workspace.files[name] for name in message.files]
        return [
            {
                "id": file.id,
                "name": file.name,
                "title": file.title,
                "picture": picture_kind(file.content) is not None,
                "text": file.content.decode(errors="replace"),
            }
            for file in files
        ]

    def _json(self, value: object) -> str:
        if isinstance(value, Message):
            return json.dumps(message_object(value, self._workspace, metadata=True), indent=2)
        return json.dumps(value)

    def _words(self, text: Mapping[str, str]) -> tuple[words.Paragraph, ...]:
        if text["type"] == "plain_text":
            return words.plain(text["text"])
        return words.mrkdwn(text["text"], self._workspace.label)

    def _offered(self, element: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Value and label of each choice of a menu in a modal."""
        if element["type"] == "users_select":
            return [(u.id, u.name) for u in self._workspace.users.values() if not u.bot]
        return [(option["value"], option["text"]["text"]) for option in element["options"]]

    def _href(self, link: str, state: State) -> str:
        """A permalink of this Slack leads to its thread on this page; other links stay."""
        place = link.removeprefix(f"{self._office.base_url}/archives/")
        channel, _, ts = place.partition("/p")
        if place == link or channel not in self._workspace.channels:
            return link
        message = self._workspace.channels[channel].messages.get(f"{ts[:-6]}.{ts[-6:]}")
        thread = (message.thread or message.ts) if message else ""
        return f"?{replace(state, channel=channel, thread=thread, home=False).query()}"

    def _image_source(self, block: Mapping[str, Any]) -> str | None:
        """Only files that were uploaded here are shown: a foreign image would be fetched."""
        file = self._workspace.files.get(block.get("slack_file", {}).get("id", ""))
        return f"files/{file.id}" if file else None


def picture_kind(content: bytes) -> str | None:
    """The media type of a picture that a browser may be shown, judged by its first bytes."""
    return next((kind for magic, kind in _PICTURES.items() if content.startswith(magic)), None)


def _shade(name: str) -> int:
    return sum(name.encode()) % _COLOURS


def _alignment(table: Mapping[str, Any], column: int) -> str:
    settings = table.get("column_settings", ())
    return str((settings[column] or {}).get("align", "")) if column < len(settings) else ""


def _pressing(
    where: Mapping[str, str], block: Mapping[str, Any], element: Mapping[str, Any], option: str
) -> str:
    """What the page sends back for a press: where the button is, and never what it carries."""
    named = {"action_id": element["action_id"], "block_id": block["block_id"]}
    return json.dumps({**where, **named, **({"option": option} if option else {})})
