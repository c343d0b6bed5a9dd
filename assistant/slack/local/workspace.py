"""The state of one workspace, and the few ways in which it changes.

Nothing here decides who may do what over the Web API; it keeps ids unique, the ts of a channel
rising, and knows what a person can see.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from assistant.slack.local.changes import Changes
from assistant.slack.local.people import (
    Channel,
    File,
    Group,
    Kind,
    Message,
    Stream,
    Streaming,
    Token,
    User,
    View,
)


class Flags(TypedDict, total=False):
    """What may be said about a new user."""

    title: str
    bot: bool
    restricted: bool
    deleted: bool
    admin: bool
    zone: str


class Posted(TypedDict, total=False):
    """What may be said about a new message."""

    user: str
    name: str
    text: str
    blocks: Sequence[Mapping[str, Any]]
    bot: str
    app: str
    thread: str | None
    broadcast: bool
    only_for: str | None
    metadata: Mapping[str, Any] | None
    files: tuple[str, ...]
    stream: Stream | None


class Workspace:
    """People, groups, channels, messages, views and files of one team; `bot` is our app's user.

    `enterprise` is the organisation that it belongs to on Enterprise Grid.
    """

    def __init__(self, *, name: str, bot_name: str, enterprise: str = "") -> None:
        self.name = name
        self.enterprise = enterprise
        self.changes = Changes()
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.tokens: dict[str, Token] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.removed: list[Message] = []
        self.sessions: dict[tuple[str, str], str] = {}
        self.channels_by_admins = False  # a setting of workspaces: apps make no channels then
        self.troubles: dict[str, list[str]] = defaultdict(list)
        self._ids = 0
        self.team = self.new_id("T")
        self.app_id = self.new_id("A")
        self.bot_id = self.new_id("B")
        self.bot = self.add_user(bot_name, bot=True)

    def new_id(self, letter: str) -> str:
        """An id that nothing else has, shaped like Slack's."""
        self._ids += 1
        return f"{letter}0{self._ids:08d}"

    def add_user(
        self,
        name: str,
        *,
        team: str = "",
        enterprise: str = "",
        same_as: User | None = None,
        **flags: Unpack[Flags],
    ) -> User:
        """Let somebody be known here: one of ours, unless another team is named.

        `same_as` is another account of the same person.
        """
        known = self.new_id("U")
        user = User(
            id=known,
            grid=same_as.grid if same_as is not None else known,
            name=name,
            team=team or self.team,
            enterprise=enterprise if team else self.enterprise,
            **flags,
        )
        self.users[user.id] = user
        return user

    def add_group(self, handle: str, members: Iterable[User]) -> Group:
        group = Group(id=self.new_id("S"), handle=handle, members=[m.id for m in members])
        self.groups[group.id] = group
        return group

    def add_channel(
        self, name: str, members: Iterable[User], *, kind: Kind = Kind.PUBLIC, created: int = 0
    ) -> Channel:
        """Open a conversation; the first member is its creator."""
        ids = [member.id for member in members]
        channel = Channel(
            id=self.new_id("D" if kind is Kind.DIRECT else "C"),
            name=name,
            kind=kind,
            members=ids,
            creator=ids[0],
            created=created,
        )
        self.channels[channel.id] = channel
        self.changes.note()
        return channel

    def label(self, name: str) -> str | None:
        """What people call the user, group or channel with an id."""
        if name in self.users:
            return self.users[name].name
        if name in self.groups:
            return self.groups[name].handle
        return self.channels[name].name if name in self.channels else None

    def user_named(self, name: str) -> User | None:
        return next((user for user in self.users.values() if user.name == name), None)

    def channel_named(self, name: str) -> Channel | None:
        return next((c for c in self.channels.values() if c.name == name and name), None)

    def direct(self, one: str, other: str) -> Channel:
        """The direct messages between two users, begun if there are none yet."""
        for channel in self.channels.values():
            if channel.kind is Kind.DIRECT and set(channel.members) == {one, other}:
                return channel
        return self.add_channel("", [self.users[one], self.users[other]], kind=Kind.DIRECT)

    def sees(self, user: str, channel: Channel) -> bool:
        """Whether a user can open the channel: members, and for public ones everybody at home."""
        if user in channel.members:
            return True
        who = self.users[user]
        home = who.team == self.team
        return channel.kind is Kind.PUBLIC and home and not (who.restricted or who.deleted)

    def visible(self, user: str, channel: Channel, thread: str | None = None) -> list[Message]:
        """What a user sees in the channel, or in one of its threads, in order of posting."""
        shown = (m for m in channel.messages.values() if m.only_for in (None, user))
        if thread is None:
            return [m for m in shown if m.thread is None or m.broadcast]
        return [m for m in shown if thread in (m.ts, m.thread)]

    def stamp(self, channel: Channel, at: datetime) -> str:
        """A new ts, later than every other one of the channel."""
        channel.last = max(int(at.timestamp() * 1_000_000), channel.last + 1)
        return f"{channel.last // 1_000_000}.{channel.last % 1_000_000:06d}"

    def post(self, channel: Channel, at: datetime, **said: Unpack[Posted]) -> Message:
        """Put a message into a channel; its blocks and elements get the ids that they lack."""
        said["blocks"] = tuple(self.identified(said.get("blocks", ())))
        message = Message(ts=self.stamp(channel, at), channel=channel.id, **said)
        channel.messages[message.ts] = message
        if message.app and message.only_for is None:
            self.statuses.pop((channel.id, message.thread or ""), None)
        self.changes.note()
        return message

    def rewrite(self, message: Message) -> None:
        """Put a changed message into the place of the one with its ts."""
        self.channels[message.channel].messages[message.ts] = message
        self.changes.note()

    def halt(self, channel: Channel, thread: str) -> list[str]:
        """End what grows in a thread, as a person's Stop does; returns the ts of each."""
        growing = [
            (m, m.stream)
            for m in channel.messages.values()
            if m.stream and m.stream.state is Streaming.GROWING and thread in (m.ts, m.thread)
        ]
        for message, stream in growing:
            self.rewrite(replace(message, stream=replace(stream, state=Streaming.STOPPED)))
        return [message.ts for message, _ in growing]

    def remove(self, message: Message) -> None:
        """Take a message out of its channel."""
        self.removed.append(self.channels[message.channel].messages.pop(message.ts))
        self.changes.note()

    def modals(self, user: str) -> list[View]:
        """The modals that lie open before a user; the last is on top."""
        return [view for view in self.views.values() if view.user == user]

    def show(self, view: View) -> View:
        """Open a modal, or put a changed one in the place of the one with its id."""
        self.views[view.id] = view
        self.changes.note()
        return view

    def drop(self, views: Iterable[View]) -> None:
        """Close modals."""
        for view in views:
            self.views.pop(view.id, None)
        self.changes.note()

    def rehash(self, view: View, content: Mapping[str, Any]) -> View:
        """The view with other content, and a hash that says so."""
        return replace(view, content=content, hash=self.new_id("h"))

    def identified(self, blocks: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The blocks, with a block_id and action_ids where they had none."""
        for block in blocks:
            whole = {"block_id": self.new_id("b"), **block}
            if "child_blocks" in block:
                whole["child_blocks"] = list(self.identified(block["child_blocks"]))
            if block["type"] in ("actions", "context_actions"):
                whole["elements"] = [self._named(element) for element in block["elements"]]
            for key in ("accessory", "element"):
                if key in block:
                    whole[key] = self._named(block[key])
            yield whole

    def _named(self, element: Mapping[str, Any]) -> Mapping[str, Any]:
        if element["type"] == "image":
            return element
        return {"action_id": self.new_id("a"), **element}
