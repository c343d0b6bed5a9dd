"""Slack, put together: what comes in, what goes out, and both ends until it is stopped."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from assistant.actions.approval import Approvers
from assistant.clock import Clock
from assistant.slack.alarm import Alarm
from assistant.slack.app import build_app
from assistant.slack.contact import Contact
from assistant.slack.errors import SlackAway, SlackError
from assistant.slack.hometab import PACES, Audit, HomeTabs
from assistant.slack.ingress import Ingress
from assistant.slack.keeper import Keeper
from assistant.slack.letters import Looks
from assistant.slack.line import Pace
from assistant.slack.outbox import PACE_S, Outbox
from assistant.slack.parts import Parts
from assistant.slack.people import People
from assistant.slack.pictures import Album, Gallery
from assistant.slack.places import Places
from assistant.slack.ports import Buttons, Desk, Inbox, Messages
from assistant.slack.rooms import Rooms
from assistant.slack.sight import Sight
from assistant.slack.stream import How, Streams
from assistant.slack.surface import SlackSurface, Ways
from assistant.slack.transports import LOOK_S, SocketMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables that outlive the process."""

    buttons: Buttons
    inbox: Inbox
    messages: Messages


class Transport(Protocol):
    """What brings that which Slack tells to the ingress."""

    async def check(self) -> None:
        """Raise `SlackError` where a token does not work."""
        ...

    async def run(
        self, ingress: Ingress, contact: Contact, clock: Clock, ready: asyncio.Event
    ) -> None:
        """Set `ready` once Slack can reach us, and take what it tells until cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How Slack is reached. `client` is one of `transports.web_client`.

    Slack tells us through `transport` (null: Socket Mode, by `app_token`).
    `channel` is the id of the channel for incidents that nobody opened in Slack (null: not shown);
    `own_channels` tells whether an incident may have one of its own; in those `watched` (ids) other
    apps' messages are alerts. With `streaming`, who asks sees what is read in a message that grows,
    where Slack allows it.
    """

    client: AsyncWebClient
    people: People
    app_token: str = ""
    transport: Transport | None = None
    channel: str | None = None
    streaming: bool = False
    own_channels: bool = False
    watched: frozenset[str] = frozenset()
    pace_s: float = PACE_S
    look_s: float = LOOK_S
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Everything that Slack needs; `run` once.

    `approvers` say whom a request waits for (null: nobody), `audit` how the journal stands.
    `sources` are those that are asked, by name and by what they give, `album` has pictures of the
    evidence.
    """

    connection: Connection
    desk: Desk
    tables: Tables
    looks: Looks
    clock: Clock
    approvers: Approvers | None = None
    audit: Audit = tuple
    sources: tuple[tuple[str, str], ...] = ()
    album: Album | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    away: asyncio.Event = field(default_factory=asyncio.Event)
    contact: Contact = field(default_factory=Contact)

    async def run(self) -> None:
        """Show incidents and take commands until cancelled; raises `SlackError`.

        `ready` is set once Slack is connected, `away` where it does not answer at the start.
        """
        reached, tables = self.connection, self.tables
        places = Places(self.desk, tables.messages, reached.channel)
        self.desk.watch(places.watched)
        outbox = Outbox(reached.client, tables.messages, pace_s=reached.pace_s)
        keeper, streams = Keeper(reached.client, tables.messages), self._streams()
        ways = Ways(outbox=outbox, streams=streams, keeper=keeper)
        surface = SlackSurface(self.desk, tables.buttons, places, self.looks, ways)
        parts = self._parts(places, streams, surface)
        tabs = HomeTabs(
            parts,
            reached.client,
            self.clock,
            self.approvers,
            self.audit,
            pace_s=PACES * reached.pace_s,
        )
        app = build_app(parts, reached.client, tabs)
        ingress = Ingress(app, tables.inbox, self.clock, places.own)
        transport = reached.transport or SocketMode(
            reached.client, reached.app_token, look_s=reached.look_s, pace=reached.pace
        )
        try:
            await transport.check()
        except SlackAway as away:  # it is tried again as after any outage
            self.contact.lost(self.clock.now(), str(away))
            self.away.set()
        self.desk.watch(surface.watched)
        self.desk.watch(tabs.watched)
        self.desk.warn(Alarm(reached.client, self.desk, places).raised)
        surface.resume(self.clock.now())
        known = list(self.desk.incidents())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(outbox.run())
                tasks.create_task(keeper.run())
                tasks.create_task(streams.run(known, surface.again))
                tasks.create_task(transport.run(ingress, self.contact, self.clock, self.ready))
                tasks.create_task(tabs.run())
                if self.album is not None:
                    gallery = Gallery(reached.client, self.desk, places, outbox, self.album)
                    self.desk.watch(gallery.watched)
                    tasks.create_task(gallery.run())
        except BaseExceptionGroup as group:
            found = group.subgroup(SlackError)
            if found is None:
                raise
            raise SlackError(str(_leaf(found))) from group

    def _streams(self) -> Streams:
        reached = self.connection
        how = How(
            on=reached.streaming,
            sources=self.sources,
            hosts=self.looks.hosts,
            pace_s=reached.pace_s,
        )
        return Streams(reached.client, self.tables.messages, self.clock, how)

    def _parts(self, places: Places, streams: Streams, surface: SlackSurface) -> Parts:
        reached, messages = self.connection, self.tables.messages
        return Parts(
            desk=self.desk,
            buttons=self.tables.buttons,
            people=reached.people,
            places=places,
            sight=Sight(reached.client, places, self.clock),
            looks=self.looks,
            streams=streams,
            look_again=surface.look_again,
            invited=surface.invited,
            clock=self.clock,
            rooms=Rooms(
                reached.client,
                self.desk,
                messages,
                places,
                reached.people,
                allowed=reached.own_channels,
            ),
            watched=reached.watched,
        )


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
