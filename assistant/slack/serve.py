"""Slack, put together: what comes in, what goes out, and both ends until it is stopped."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.slack.alarm import Alarm
from assistant.slack.app import build_app
from assistant.slack.errors import SlackError
from assistant.slack.ingress import Ingress
from assistant.slack.letters import Looks
from assistant.slack.outbox import PACE_S, Outbox
from assistant.slack.parts import Parts
from assistant.slack.people import People
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk, Inbox, Messages
from assistant.slack.surface import SlackSurface
from assistant.slack.transports import LOOK_S, SocketMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables that outlive the process."""

    buttons: Buttons
    inbox: Inbox
    messages: Messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How Slack is reached. `client` is one of `transports.web_client`.

    `channel` is the id of the channel for incidents that nobody opened in Slack (null: not shown).
    `socket` makes what brings Slack's envelopes.
    """

    client: AsyncWebClient
    app_token: str
    people: People
    channel: str | None = None
    pace_s: float = PACE_S
    look_s: float = LOOK_S
    socket: Callable[[Ingress, AsyncWebClient, str, float], SocketMode] = SocketMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Everything that Slack needs; `run` once."""

    connection: Connection
    desk: Desk
    tables: Tables
    looks: Looks
    clock: Clock
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Show incidents and take commands until cancelled; raises `SlackError`.

        `ready` is set once Slack is connected.
        """
        reached, tables = self.connection, self.tables
        places = Places(self.desk, tables.messages, reached.channel)
        parts = Parts(desk=self.desk, buttons=tables.buttons, people=reached.people, places=places)
        outbox = Outbox(reached.client, tables.messages, pace_s=reached.pace_s)
        surface = SlackSurface(self.desk, tables.buttons, places, outbox, self.looks)
        ingress = Ingress(build_app(parts, reached.client), tables.inbox, self.clock)
        socket = reached.socket(ingress, reached.client, reached.app_token, reached.look_s)
        url = await socket.check()
        self.desk.watch(surface.watched)
        self.desk.warn(Alarm(reached.client, self.desk, places).raised)
        surface.resume(self.clock.now())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(outbox.run())
                tasks.create_task(socket.run(url, self.ready))
        except BaseExceptionGroup as group:
            found = group.subgroup(SlackError)
            if found is None:
                raise
            raise SlackError(str(_leaf(found))) from group


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
