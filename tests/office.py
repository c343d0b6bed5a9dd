"""firstline on call in a Slack on loopback, for a world that acts, with its real tables."""

import asyncio
from contextlib import asynccontextmanager, suppress
from functools import partial

from desk import Desk
from world import ANA, World

from assistant.clock import SystemClock
from assistant.domain.people import Actor
from assistant.slack.authz import SlackApprovers
from assistant.slack.letters import Looks
from assistant.slack.people import People
from assistant.slack.serve import Connection, Slack, Tables
from assistant.slack.transports import web_client
from assistant.store.buttons import Buttons
from assistant.store.inbox import Inbox
from assistant.store.messages import Messages


class Office:
    """`desk` is what is behind it, `slack` what people see."""

    def __init__(self, folder, slack, kind=World):
        self.slack, self.client = slack, web_client(slack.bot_token, slack.api_url)
        self.people = People(self.client, SystemClock(), simulated=True)
        approvers = SlackApprovers(self.client, SystemClock(), self.people, "sre")
        self.desk = Desk(folder / "f.db", approvers=approvers, kind=kind, seen=False)

    @asynccontextmanager
    async def running(self):
        desk, channel = self.desk, self.slack.workspace.channel_named("incidents").id
        async with desk.open():
            whole = Slack(
                connection=Connection(
                    client=self.client,
                    app_token=self.slack.app_token,
                    people=self.people,
                    channel=channel,
                    pace_s=0.0,
                ),
                desk=desk.service,
                tables=Tables(
                    buttons=Buttons(desk.database),
                    inbox=Inbox(desk.database),
                    messages=Messages(desk.database),
                ),
                looks=Looks(offered=desk.service.catalogue_names, approvers="@sre"),
                clock=SystemClock(),
            )
            task = asyncio.create_task(whole.run())
            await asyncio.wait_for(whole.ready.wait(), 5)
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def messages(self, name):
        person = self.slack.person(name)
        top = person.messages("incidents")
        return [m for t in top for m in (t, *person.messages("incidents", t.ts))]

    async def card(self, incident):
        """Have an action asked for; returns the message in which it is approved."""
        ana = self.slack.person("ana").user
        asking = Actor(kind=ANA.kind, id=ana.id, name="ana", team=ana.team, simulated=True)
        await self.desk.requested(incident, asking)
        return await self.slack.wait_for(partial(self._waiting, "ben"))

    def _waiting(self, name):
        return next((m for m in self.messages(name) if "Approval needed" in m.text), None)

    async def over(self, incident):
        """Wait until all that was pressed has come to an end."""
        await self.slack.settled()
        await self.slack.wait_for(lambda: not self.desk.service._submissions)  # noqa: SLF001
        await self.desk.service.settled(incident)

    def shown(self):
        """Return what firstline shows to everybody."""
        bot = self.slack.workspace.bot.id
        return " ".join(m.text for m in self.messages("ana") if m.user == bot)

    def whispers(self, name):
        return " ".join(m.text for m in self.messages(name) if m.only_for)
