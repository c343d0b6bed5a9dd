"""The whole of Slack in one seed: people, a firstline that dies, and a Slack that fails.

Everything of firstline is real: what listens, decides, writes down, shows and acts; only the engine
is replaced by its one answer. Time is virtual, so hours pass in a tenth of a second.
`simulated.py SEED` tells the story of a seed.
"""

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

from scene import ONE, Restless
from slack_oracle import End, wrongs
from townsfolk import Thread
from virtual import Loop, LoopClock, Process
from weather import END_S, Weather
from wire import Link, Pump, Session
from world import T0, World
from world import Clock as WorldClock

import assistant.flow
from assistant.actions.catalogue import Catalogue
from assistant.actions.judge import Judge
from assistant.domain.plan import RemediationPlan, RemediationStep
from assistant.domain.recovery import Effect, Recovery
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from assistant.flow import Sources, Timing
from assistant.journal.sql import SqlJournal
from assistant.policy.rules import parse
from assistant.runtime import lanes
from assistant.service import Service
from assistant.slack.authz import SlackApprovers
from assistant.slack.errors import SlackError
from assistant.slack.letters import Looks
from assistant.slack.local.cast import demo_workspace, issue
from assistant.slack.local.office import Office
from assistant.slack.local.triggers import Triggers
from assistant.slack.manifest import SCOPES
from assistant.slack.people import People
from assistant.slack.serve import Connection, Slack, Tables
from assistant.slack.transports import LOOK_S, web_client
from assistant.store.buttons import Buttons
from assistant.store.database import open_database
from assistant.store.inbox import Inbox
from assistant.store.messages import Messages
from assistant.store.pen import take
from connectors.api import Ask, Capability, Window

QUIET_S, LONGEST_S = 900.0, END_S + 1_800.0
POLICY = parse(ONE, "one")
TIMING = Timing(look_after_s=0.5, settle_s=1, every_s=1, patience_s=60, grace_s=30)
RECOVERED = Recovery(effect=Effect.RECOVERED, why="as before", measures=(), seconds=2.0)
STEP = RemediationStep(
    kind="action",
    text="Send the calls another way",
    action="reroute",
    args=(("peer", "back"), ("service", "front")),
    command=None,
)
PLAN = RemediationPlan(runbook="r", title="Another way", match=1.0, why=("it fits",), steps=(STEP,))


@cache
def finding():
    """What the engine says of the small world, asked once."""
    clock = WorldClock()
    world = World(clock)
    window = Window(start=T0, end=T0 + timedelta(minutes=3))

    async def page():
        ask = Ask(capability=Capability.SPANS, window=window, deadline_s=1.0)
        return await anext(world.fetch(ask))

    telemetry = replace(Telemetry.empty(), spans=asyncio.run(page()).frame)
    question = Question(at=window.end, horizon=window.end, text="front is slow", service="front")
    return diagnose(telemetry, question)


@contextmanager
def one_answer():
    """Have the engine say the same of everything, and that every action helped."""
    asked, measured = assistant.flow.diagnose, assistant.flow.recovery
    assistant.flow.diagnose = lambda *_: finding()
    assistant.flow.recovery = lambda *_: RECOVERED
    try:
        yield
    finally:
        assistant.flow.diagnose, assistant.flow.recovery = asked, measured


class Known:
    """Finds the one runbook, and writes short postmortems."""

    def similar(self, _incident, _finding):
        return ()

    def plan(self, _finding):
        return PLAN

    def postmortem(self, incident, _state):
        return f"# {incident}"

    def draft(self, _incident, _state):
        return None

    def remember(self, _incident, _state):
        return None


class System(Restless):
    """What is acted on: it outlives firstline, and notes when each effect happened."""

    def __init__(self, scene):
        super().__init__(scene.clock)
        self.scene, self.effects = scene, []

    async def run(self, call, key):
        await asyncio.sleep(self.scene.weather.latency())
        await self.scene.moment("before the effect")
        if key in (done for done, _ in self.effects):
            self.scene.fail(f"{self.scene.named(key)} was done again")
        self.effects.append((key, self.scene.clock.at))
        self.scene.tell(f"effect for {self.scene.named(key)}")
        outcome = await super().run(call, key)
        await self.scene.moment("after the effect")
        await asyncio.sleep(self.scene.weather.latency())
        return outcome


class Scene:
    """One seed. `wrong` is what was seen to be wrong, `told` the story in lines."""

    def __init__(self, loop, weather):
        self.loop, self.weather = loop, weather
        self.clock = LoopClock(loop)
        self.told, self.wrong, self.heard, self.names = [], [], [], {}
        self.failed = asyncio.Event()
        self.pump = Pump(self)
        workspace = demo_workspace()
        people = [workspace.user_named(name) for name in ("ana", "ben", "cleo", "gus")]
        workspace.add_channel("payments", [*people, workspace.bot])
        self.office = Office(
            workspace=workspace,
            clock=self.clock,
            sockets=self.pump,
            deliveries=self.pump,
            triggers=Triggers(self.clock),
            base_url="http://slack.test",
        )
        self.bot_token = issue(workspace, "bot", SCOPES)
        self.app_token = issue(workspace, "app", frozenset({"connections:write"}))
        self.session = Session(self)
        self.world = System(self)
        self.database = open_database(None)
        self.process, self.turns, self.death = None, 0, None
        rng = self.weather.rng
        self.threads = [Thread(self, number) for number in range(rng.choice((1, 2, 2, 3)))]

    @property
    def now(self):
        return self.loop.time()

    def tell(self, line):
        self.told.append(f"{self.now:9.2f}  {line}")

    def fail(self, what):
        """Say what is wrong while it happens; the story ends there."""
        self.tell(what)
        self.wrong.append(what)
        self.failed.set()

    def named(self, key):
        """Return a name for something unguessable, so that a story reads the same again."""
        return self.names.setdefault(key, f"request {len(self.names) + 1}")

    async def moment(self, name):
        """Die here, if this is where the process was to die."""
        if self.death is not None and self.death.moment == name:
            self.turns += 1
            if self.turns == self.death.turn:
                self.tell(f"killed: {name}")
                self.process.kill()
                await asyncio.sleep(0)  # and nothing comes after it

    # firstline, again and again

    async def on_call(self):
        number = 0
        while not self.failed.is_set():
            number += 1
            self.death, self.turns = self.weather.death(self.now), 0
            self.process = Process(number, self.death.steps if self.death else None)
            self.tell(f"firstline {number} starts")
            task = self.loop.spawn(self.process, self._live())
            task.add_done_callback(partial(self._ended, self.process))
            if self.death is not None and self.death.asked is not None:
                self.loop.call_later(self.death.asked, task.cancel)
            await self.process.ended.wait()
            self.tell(f"firstline {number} has ended")
            self.pump.cut()
            await asyncio.sleep(self.weather.rng.uniform(0.5, 20.0))

    def _ended(self, process, task):
        process.kill()
        if not task.cancelled() and task.exception() is not None:
            self.tell(f"firstline ended by itself: {task.exception()!r}")
            if not isinstance(task.exception(), SlackError):
                self.fail(f"firstline ended by itself: {task.exception()!r}")

    async def _live(self):
        """Do what `oncall` does: the journal, the service, Slack, and what was left undone."""
        pen = take(self.database)
        journal = SqlJournal(self.database, self.clock, pen)
        client = web_client(self.bot_token, "http://slack.test/api/")
        client.session = self.session
        people = People(client, self.clock, simulated=True)
        approvers = SlackApprovers(client, self.clock, people, "sre")
        known = Known()
        sources = Sources(
            connectors={},
            clock=self.clock,
            catalogue=Catalogue({"world": self.world}),
            approvers=approvers,
            judge=Judge(policy=lambda: POLICY),
            ours=pen.lost,
            found=known,
            memory=known,
            timing=TIMING,
        )
        async with lanes() as made:
            service = Service(sources, journal, made)
            service.watch(self._written)
            slack = Slack(
                connection=Connection(
                    client=client,
                    people=people,
                    channel=self.office.workspace.channel_named("incidents").id,
                    transport=Link(self, client, self.app_token, LOOK_S),
                    streaming=True,
                ),
                desk=service,
                tables=Tables(
                    buttons=Buttons(self.database),
                    inbox=Inbox(self.database),
                    messages=Messages(self.database),
                ),
                looks=Looks(offered=service.catalogue_names, approvers=approvers.said),
                clock=self.clock,
            )
            running = asyncio.create_task(slack.run())
            ready = asyncio.create_task(slack.ready.wait())
            try:
                await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
                if not running.done():
                    await service.resume()
                await running
            finally:
                for task in (ready, running):
                    task.cancel()
                await asyncio.gather(ready, running, return_exceptions=True)

    async def _written(self, _incident, event, _state):
        await self.moment(f"written {type(event).__name__}")

    async def live(self):
        """Let the story happen, then time pass, and look at what is there."""
        self.loop.spawn(None, self.on_call())
        acting = [self.loop.spawn(None, thread.live()) for thread in self.threads]
        people = self.loop.spawn(None, asyncio.wait(acting, timeout=LONGEST_S))
        failed = self.loop.spawn(None, self.failed.wait())
        await asyncio.wait({people, failed}, return_when=asyncio.FIRST_COMPLETED)
        if self.failed.is_set():
            return
        for thread, task in zip(self.threads, acting, strict=True):
            if task.done():
                task.result()
            else:
                self.wrong.append(f"the story of {thread.text!r} stands still")
        await asyncio.sleep(max(END_S - self.now, 0.0) + QUIET_S)
        self.wrong += self.wrongs()

    def wrongs(self):
        """Ask the oracle, with a copy of the journal as a killed process leaves it."""
        channels = self.office.workspace
        with tempfile.TemporaryDirectory() as folder:
            journal = Path(folder) / "copy.db"
            with closing(sqlite3.connect(journal)) as copy:
                self.database._connection.backup(copy)  # noqa: SLF001 — it is in memory
            end = End(
                records=list(SqlJournal(self.database, self.clock).records()),
                journal=journal,
                office=self.office,
                mentions=[
                    (t.text, channels.channel_named(t.channel).id, t.ts) for t in self.threads
                ],
                effects=self.world.effects,
                deliveries=list(self.pump.all),
                heard=self.heard,
                names=self.names,
            )
            return wrongs(end)


def play(seed, *, storm=False):
    """Return the scene of a seed after its end; in a storm more goes wrong than usual."""
    finding()
    loop = Loop()
    try:
        with one_answer():
            scene = loop.run_until_complete(_played(loop, Weather(seed, storm)))
    finally:
        loop.finish()
    scene.database.close()
    return scene


async def _played(loop, weather):
    scene = Scene(loop, weather)
    await scene.live()
    return scene


def simulate(seeds, *, storm=False):
    """Return what is wrong, by seed."""
    return {seed: scene.wrong for seed in seeds if (scene := play(seed, storm=storm)).wrong}


if __name__ == "__main__":
    last = play(int(sys.argv[1]))
    print(*last.told, *(f"WRONG: {what}" for what in last.wrong), sep="\n")  # noqa: T201
    sys.exit(bool(last.wrong))
