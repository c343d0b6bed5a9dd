"""The working parts of the loopback Slack together: its state, its sockets, what it has seen.

The Web API, the driver of people and the rules all work on one office. It decides which events
the app hears of.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

from assistant.clock import Clock
from assistant.slack.local.deliveries import Deliveries, Delivery, Timing
from assistant.slack.local.faults import Faults
from assistant.slack.local.people import Channel, Kind, Message
from assistant.slack.local.shapes import message_object
from assistant.slack.local.sockets import Sockets
from assistant.slack.local.triggers import Triggers
from assistant.slack.local.workspace import Posted, Workspace

KEPT = 10_000  # calls remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A call of the Web API: `error` is Slack's code, empty if the call was accepted.

    `ts` is the message that the answer names, if it names one.
    """

    method: str
    args: Mapping[str, Any]
    at: float
    error: str = ""
    ts: str = ""


@dataclass(slots=True, kw_only=True)
class Office:
    """Build it with `open_office`; `base_url` is known once the server listens.

    A file takes `processing` seconds after its upload until a message can show it.
    """

    workspace: Workspace
    clock: Clock
    sockets: Sockets
    deliveries: Deliveries
    triggers: Triggers
    base_url: str = ""
    processing: float = 0.0
    calls: deque[Made] = field(default_factory=lambda: deque(maxlen=KEPT))

    def post(self, channel: Channel, **said: Unpack[Posted]) -> Message:
        """Put a message into a channel and tell the app, where it is in that channel."""
        message = self.workspace.post(channel, self.clock.now(), **said)
        if self.workspace.bot.id in channel.members and message.only_for is None:
            for event in _events(message, channel, self.workspace):
                self.tell(event)
        return message

    def change(self, channel: Channel, message: Message, text: str) -> None:
        """Put other words into a message and tell the app, where it is in that channel."""
        edited = replace(message, text=text, edited=self.now_ts())
        self.workspace.rewrite(edited)
        if self.workspace.bot.id not in channel.members or message.only_for is not None:
            return
        now, before = (message_object(m, self.workspace, metadata=False) for m in (edited, message))
        self.tell(
            {
                "type": "message",
                "subtype": "message_changed",
                "hidden": True,
                "channel": channel.id,
                "channel_type": channel.kind.value,
                "ts": self.now_ts(),
                "event_ts": self.now_ts(),
                "message": now,
                "previous_message": before,
            }
        )
        for event in _events(edited, channel, self.workspace):
            if event["type"] == "app_mention":  # as new, but for the moment of the edit
                self.tell({**event, "edited": now["edited"]})

    def remove(self, channel: Channel, message: Message) -> None:
        """Take a message out of its channel and tell the app, where it is in that channel."""
        self.workspace.remove(message)
        if self.workspace.bot.id in channel.members and message.only_for is None:
            self.tell(
                {
                    "type": "message",
                    "subtype": "message_deleted",
                    "hidden": True,
                    "channel": channel.id,
                    "channel_type": channel.kind.value,
                    "ts": self.now_ts(),
                    "event_ts": self.now_ts(),
                    "deleted_ts": message.ts,
                    "previous_message": message_object(message, self.workspace, metadata=False),
                }
            )

    def joined(self, channel: Channel, user: str, inviter: str) -> None:
        """Let a user into a channel and tell the app, if it is there as well."""
        channel.members.append(user)
        self.workspace.changes.note()
        if self.workspace.bot.id in channel.members:
            letter = {Kind.PUBLIC: "C", Kind.PRIVATE: "G"}.get(channel.kind, "D")
            self.tell(
                {
                    "type": "member_joined_channel",
                    "user": user,
                    "channel": channel.id,
                    "channel_type": letter,
                    "team": self.workspace.users[user].team,
                    "inviter": inviter,
                    "event_ts": self.now_ts(),
                }
            )

    def tell(self, event: Mapping[str, Any]) -> Delivery:
        """Send one event of the Events API."""
        workspace = self.workspace
        return self.deliveries.send(
            "events_api",
            {
                "team_id": workspace.team,
                "context_team_id": workspace.team,
                "api_app_id": workspace.app_id,
                "type": "event_callback",
                "event": event,
                "event_id": workspace.new_id("Ev"),
                "event_time": int(self.clock.now().timestamp()),
                "is_ext_shared_channel": False,
                "authorizations": [
                    {
                        "enterprise_id": workspace.enterprise or None,
                        "team_id": workspace.team,
                        "user_id": workspace.bot.id,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
            },
        )

    def now_ts(self) -> str:
        return f"{self.clock.now().timestamp():.6f}"


def open_office(workspace: Workspace, clock: Clock, timing: Timing, faults: Faults) -> Office:
    """The parts of one Slack, joined; the app is told through sockets, unless it is changed."""
    changes = workspace.changes
    sockets = Sockets(
        app_id=workspace.app_id, timing=timing, changes=changes, clock=clock, faults=faults
    )
    deliveries = Deliveries(carrier=sockets, timing=timing, changes=changes, faults=faults)
    return Office(
        workspace=workspace,
        clock=clock,
        sockets=sockets,
        deliveries=deliveries,
        triggers=Triggers(clock),
        processing=timing.processing,
    )


def _events(
    message: Message, channel: Channel, workspace: Workspace
) -> Iterator[Mapping[str, Any]]:
    """Both twins for a mention in a channel, as Slack sends them; one event otherwise."""
    author = workspace.users.get(message.user)
    said: dict[str, Any] = {
        "text": message.text,
        "ts": message.ts,
        "event_ts": message.ts,
        "channel": channel.id,
        "team": author.team if author else workspace.team,
    }
    if author is not None:
        said["user"] = author.id
    if message.blocks:
        said["blocks"] = list(message.blocks)
    if message.thread is not None:
        said |= {"thread_ts": message.thread}
    if message.bot:
        said["bot_id"] = message.bot
    if message.app:
        said["app_id"] = message.app
    if message.bot and not message.app:
        said |= {"subtype": "bot_message", "username": message.name}
    mentioned = f"<@{workspace.bot.id}>" in message.text and message.user != workspace.bot.id
    if mentioned and channel.kind is not Kind.DIRECT:
        yield {"type": "app_mention", **said}
    yield {"type": "message", "channel_type": channel.kind.value, **said}
