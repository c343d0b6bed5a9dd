"""firstline on call in a Slack on loopback, for a world that acts, with its real tables."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from desk import Desk
from world import ANA, World

from assistant.clock import SystemClock
from assistant.domain.people import Actor
from assistant.slack.audience import SlackAudience
from assistant.slack.authz import SlackApprovers
from assistant.slack.letters import Looks
from assistant.slack.local.slack import PATIENCE_S
from assistant.slack.people import People
from assistant.slack.serve import Connection, Slack, Tables
from assistant.slack.transports import web_client
from assistant.store.buttons import Buttons
from assistant.store.inbox import Inbox
from assistant.store.messages import Messages


class Watched(Inbox):
    """Knows without the disk what is not dealt with; `note` is called when something is."""

    def __init__(self, database, note):
        super().__init__(database)
        self.note, self.loop, self.left = note, asyncio.get_running_loop(), set()

    def claim(self, key, body, now):
        new = super().claim(key, body, now)
        if new:
            self.left.add(key)
        return new

    def done(self, key):
        super().done(key)
        self.left.discard(key)
        self.loop.call_soon_threadsafe(self.note)


@asynccontextmanager
async def on_call(desk, connection, inbox=Inbox, **more):
    """Be on call as one process; several, one after the other, share the data and the Slack.

    `inbox` makes the inbox, of the database.
    """
    async with desk.open():
        known = {"looks": Looks(), "clock": SystemClock()}
        whole = Slack(
            connection=connection,
            desk=desk.service,
            tables=Tables(
                buttons=Buttons(desk.database),
                inbox=inbox(desk.database),
                messages=Messages(desk.database),
            ),
            **known | more,
        )
        task = asyncio.create_task(whole.run())
        try:
            await asyncio.wait_for(whole.ready.wait(), PATIENCE_S)
            yield whole
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def connected(slack, **more):
    """Return how a Slack on loopback is reached; no pace is kept."""
    client = web_client(slack.bot_token, slack.api_url)
    people = People(client, SystemClock(), simulated=True)
    return Connection(client=client, app_token=slack.app_token, people=people, pace_s=0.0, **more)


class Office:
    """`desk` is what is behind it, `slack` what people see."""

    def __init__(self, folder, slack, policy=None, kind=World):
        path = folder / "policy.yaml" if policy else None
        if path is not None:
            path.write_text(policy)
        self.slack, self.reached = slack, connected(slack)
        self.client, self.people = self.reached.client, self.reached.people
        approvers = SlackApprovers(self.client, SystemClock(), self.people, "sre")
        self.desk = Desk(
            folder / "f.db",
            approvers=approvers,
            audience=SlackAudience(self.client, self.channel.id),
            kind=kind,
            seen=False,
            policy=path,
        )

    @property
    def channel(self):
        return self.slack.workspace.channel_named("incidents")

    @asynccontextmanager
    async def running(self):
        looks = Looks(offered=frozenset(s.name for s in World.specs), approvers="@sre")
        reached, note = self.connection(self.channel.id), self.slack.workspace.changes.note
        watched = partial(Watched, note=note)
        async with on_call(self.desk, reached, watched, looks=looks) as whole:
            self.inbox = whole.tables.inbox
            yield

    def connection(self, channel):
        return replace(self.reached, channel=channel)

    def messages(self, name):
        person = self.slack.person(name)
        top = person.messages("incidents")
        return [m for t in top for m in (t, *person.messages("incidents", t.ts))]

    async def card(self, incident, **more):
        """Have an action asked for; returns the message in which it is approved."""
        ana = self.slack.person("ana").user
        asking = Actor(kind=ANA.kind, id=ana.id, name="ana", team=ana.team, simulated=True)
        await self.desk.requested(incident, asking, **more)
        return await self.slack.wait_for(partial(self.waiting, "ben"))

    def waiting(self, name):
        return next((m for m in self.messages(name) if "Approval needed" in m.text), None)

    async def over(self, incident):
        """Wait until all that was said and pressed has come to an end."""
        await self.slack.settled()
        await self.slack.wait_for(lambda: not self.inbox.left)
        while under_way := set(self.desk.service._submissions):  # noqa: SLF001
            await asyncio.wait(under_way)
        await self.desk.service.settled(incident)

    def shown(self):
        """Return what firstline shows to everybody."""
        bot = self.slack.workspace.bot.id
        return " ".join(m.text for m in self.messages("ana") if m.user == bot)

    def whispers(self, name):
        return " ".join(m.text for m in self.messages(name) if m.only_for)
