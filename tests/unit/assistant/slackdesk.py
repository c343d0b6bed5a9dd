"""A desk and tables in memory, as strict as the real ones, and the whole of Slack around them."""

import asyncio
import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from assistant.answer import Answer
from assistant.clock import SystemClock
from assistant.commands import Steer
from assistant.domain.incident import apply
from assistant.inbound import Inbound
from assistant.slack import manifest
from assistant.slack.authz import SlackApprovers
from assistant.slack.http import HttpMode
from assistant.slack.letters import Looks
from assistant.slack.line import Pace
from assistant.slack.local.faults import Outage
from assistant.slack.local.slack import PATIENCE_S
from assistant.slack.people import People
from assistant.slack.serve import Connection, Slack, Tables
from assistant.slack.transports import web_client
from assistant.store.database import StoreError

SCOPES = manifest.SCOPES
LOOKS = Looks(
    offered=frozenset({"rollback"}), approvers="@sre", hosts=frozenset({"traces.example"})
)


SOURCES = (("otlp", "logs"), ("otlp", "spans"))


class Desk:
    """Takes every command, unless `answers` holds another answer for its type.

    What steers is answered once `hold` is set, if it is there.
    """

    def __init__(self, note):
        self.note = note  # wakes whoever waits for something to be taken
        self.taken, self.answers, self.watchers, self._incidents = [], {}, [], {}
        self.alarms, self.rehearsed, self.accounts, self.hold = [], {}, {}, None

    async def submit(self, command, actor):
        self.taken.append((command, actor))
        self.note()
        if self.hold is not None and isinstance(command, Steer):
            await self.hold.wait()
        answer = self.answers.get(type(command), Answer(incident="INC-1", said=""))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def incident(self, incident):
        return self._incidents.get(incident)

    def incidents(self):
        return self._incidents

    async def rehearse(self, incident):
        return self.rehearsed

    def account(self, incident):
        return self.accounts.get(incident)

    def watch(self, watcher):
        self.watchers.append(watcher)

    def warn(self, alarm):
        self.alarms.append(alarm)

    async def happen(self, incident, *events):
        for event in events:
            state = apply(self._incidents.get(incident), event)
            self._incidents[incident] = state
            for watcher in self.watchers:
                await watcher(incident, event, state)


class Table:
    """A table on a disk that is full as often as `full` says; `note` is called each time."""

    full = 0

    def __init__(self, note=lambda: None):
        self.note = note

    def reach(self):
        if self.full:
            self.full -= 1
            self.note()
            raise StoreError("The disk is full: make room.")


class Buttons(Table):
    def __init__(self):
        super().__init__()
        self.known, self.tokens = {}, {}

    def token(self, command, incident):
        self.reach()
        kept = (repr(command), incident)  # some hold what cannot be hashed
        if kept not in self.tokens:
            token = secrets.token_urlsafe(16)
            self.tokens[kept] = token
            self.known[token] = command
        return self.tokens[kept]

    def command(self, token):
        return self.known.get(token)


class Inbox:
    def __init__(self, note):
        self.rows, self.finished = {}, set()
        self.note, self.loop = note, None  # threads ask; whoever waits is in the loop

    def claim(self, key, body, now):
        assert now.tzinfo is not None
        if key in self.rows:
            return False
        self.rows[key] = body
        return True

    def done(self, key):
        assert key in self.rows
        self.finished.add(key)
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.note)

    def unfinished(self):
        return [(key, body) for key, body in self.rows.items() if key not in self.finished]


@dataclass(frozen=True)
class Sent:
    channel: str
    thread: str | None
    digest: str
    state: str
    ts: str | None = None


class Messages(Table):
    def __init__(self, note=lambda: None):
        super().__init__(note)
        self.rows = {}

    def get(self, slot):
        self.reach()
        return self.rows.get(slot)

    def intend(self, slot, channel, thread, digest):
        ts = self.rows[slot].ts if slot in self.rows else None
        self.rows[slot] = Sent(channel, thread, digest, "ambiguous", ts)

    def sent(self, slot, ts, digest):
        self.rows[slot] = replace(self.rows[slot], ts=ts, digest=digest, state="sent")
        self.note()


class Rig:
    """Slack's own side (`slack`), ours (`desk`, `tables`), and what joins them."""

    look_s = 60.0
    pace = Pace()
    http = None
    streaming = False
    looks = LOOKS

    def __init__(self, slack, *, channel=None):
        self.slack, self.desk = slack, Desk(slack.workspace.changes.note)
        messages = Messages(slack.workspace.changes.note)
        self.tables = Tables(
            buttons=Buttons(), inbox=Inbox(self.slack.workspace.changes.note), messages=messages
        )
        self.client = web_client(slack.bot_token, slack.api_url)
        self.home, self.album = channel, None
        self.clock = SystemClock()

    @property
    def channel(self):
        return self.slack.workspace.channel_named("incidents").id

    def build(self):
        people = People(self.client, self.clock, simulated=True)
        connection = Connection(
            client=self.client,
            app_token=self.slack.app_token,
            transport=self.http,
            people=people,
            channel=self.home,
            streaming=self.streaming,
            pace_s=0.0,
            look_s=self.look_s,
            pace=self.pace,
        )
        return Slack(
            connection=connection,
            desk=self.desk,
            tables=self.tables,
            looks=self.looks,
            clock=self.clock,
            approvers=SlackApprovers(self.client, self.clock, people, "sre"),
            album=self.album,
            audit=lambda: ("7 records, head abc…, chain OK",),
            sources=SOURCES,
        )

    @asynccontextmanager
    async def running(self):
        async with self.run(self.build()) as whole:
            yield whole

    @asynccontextmanager
    async def run(self, whole):
        self.tables.inbox.loop = asyncio.get_running_loop()
        if self.http is None:
            self.hush(None)
        task = asyncio.create_task(whole.run())
        ready = asyncio.create_task(whole.ready.wait())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            await self.reached()
            yield whole
            await self.slack.settled()
            self.hush(Outage(methods=frozenset()))  # what happens from now on waits for us
        finally:
            ready.cancel()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def hush(self, outage):
        self.slack.faults.outage = outage
        self.slack.workspace.changes.note()

    async def reached(self):
        """Wait until Slack can tell us things."""
        await self.slack.connected()

    async def settled(self):
        """Wait until all that was told is dealt with."""
        await self.slack.settled()
        await self.slack.wait_for(lambda: not self.tables.inbox.unfinished())

    def messages(self, who="ana", thread=None):
        return self.slack.person(who).messages("incidents", thread)

    def whispers(self, who):
        return [m.text for m in self.messages(who) if m.only_for] + [
            m.text
            for first in self.messages(who)
            for m in self.messages(who, first.ts)
            if m.only_for and m.thread
        ]


class HttpRig(Rig):
    """The same, told by signed requests to a port of ours."""

    @asynccontextmanager
    async def served(self):
        """Open the port and have Slack know of it."""
        server = Inbound("127.0.0.1", 0, lambda: None)
        server.mount(manifest.PATH, self.http.respond)
        try:
            self.url = f"{await server.start()}{manifest.PATH}"
            self.requests = await self.slack.deliver_to(self.url)
            yield self.requests
        finally:
            await server.aclose()

    @asynccontextmanager
    async def run(self, whole):
        async with self.served(), super().run(whole):
            yield whole

    def build(self):
        secret = self.slack.signing_secret
        self.http = HttpMode(self.client, secret, self.clock, look_s=self.look_s)
        return super().build()

    async def reached(self):
        """Let Slack tell what has waited."""
        self.hush(None)
