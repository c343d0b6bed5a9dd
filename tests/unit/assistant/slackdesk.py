"""A desk and tables in memory, as strict as the real ones, and the whole of Slack around them."""

import asyncio
import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from assistant.answer import Answer
from assistant.clock import SystemClock
from assistant.domain.incident import apply
from assistant.slack.authz import SlackApprovers
from assistant.slack.letters import Looks
from assistant.slack.manifest import BOT_SCOPES
from assistant.slack.people import People
from assistant.slack.serve import Connection, Slack, Tables
from assistant.slack.transports import web_client

LOOKS = Looks(
    offered=frozenset({"rollback"}), approvers="@sre", hosts=frozenset({"traces.example"})
)


class Desk:
    """Takes every command, unless `answers` holds another answer for its type."""

    def __init__(self, note):
        self.note = note  # wakes whoever waits for something to be taken
        self.taken, self.answers, self.watchers, self._incidents = [], {}, [], {}
        self.alarms, self.rehearsed = [], {}

    async def submit(self, command, actor):
        self.taken.append((command, actor))
        self.note()
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


class Buttons:
    def __init__(self):
        self.known, self.tokens = {}, {}

    def token(self, command, incident):
        if (command, incident) not in self.tokens:
            token = secrets.token_urlsafe(16)
            self.tokens[command, incident] = token
            self.known[token] = command
        return self.tokens[command, incident]

    def command(self, token):
        return self.known.get(token)


class Inbox:
    def __init__(self):
        self.rows, self.finished = {}, set()

    def claim(self, key, body, now):
        assert now.tzinfo is not None
        if key in self.rows:
            return False
        self.rows[key] = body
        return True

    def done(self, key):
        assert key in self.rows
        self.finished.add(key)

    def unfinished(self):
        return [(key, body) for key, body in self.rows.items() if key not in self.finished]


@dataclass(frozen=True)
class Sent:
    channel: str
    thread: str | None
    digest: str
    state: str
    ts: str | None = None


class Messages:
    def __init__(self):
        self.rows = {}

    def get(self, slot):
        return self.rows.get(slot)

    def intend(self, slot, channel, thread, digest):
        ts = self.rows[slot].ts if slot in self.rows else None
        self.rows[slot] = Sent(channel, thread, digest, "ambiguous", ts)

    def sent(self, slot, ts, digest):
        self.rows[slot] = replace(self.rows[slot], ts=ts, digest=digest, state="sent")


class Rig:
    """Slack's own side (`slack`), ours (`desk`, `tables`), and what joins them."""

    look_s = 60.0

    def __init__(self, slack, *, channel=None):
        self.slack, self.desk = slack, Desk(slack.workspace.changes.note)
        self.tables = Tables(buttons=Buttons(), inbox=Inbox(), messages=Messages())
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
            people=people,
            channel=self.home,
            pace_s=0.0,
            look_s=self.look_s,
        )
        return Slack(
            connection=connection,
            desk=self.desk,
            tables=self.tables,
            looks=LOOKS,
            clock=self.clock,
            approvers=SlackApprovers(self.client, self.clock, people, "sre"),
            album=self.album,
            audit=lambda: ("7 records, head abc…, chain OK",),
        )

    @asynccontextmanager
    async def running(self):
        whole = self.build()
        task = asyncio.create_task(whole.run())
        ready = asyncio.create_task(whole.ready.wait())
        try:
            await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED, timeout=5)
            if task.done():
                task.result()
            await self.slack.connected()
            yield whole
        finally:
            ready.cancel()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def messages(self, who="ana", thread=None):
        return self.slack.person(who).messages("incidents", thread)

    def whispers(self, who):
        return [m.text for m in self.messages(who) if m.only_for] + [
            m.text
            for first in self.messages(who)
            for m in self.messages(who, first.ts)
            if m.only_for and m.thread
        ]


SCOPES = frozenset(BOT_SCOPES)
