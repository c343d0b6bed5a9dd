"""The approval and action machine under a seeded scheduler: any order, any crash, and an oracle.

It is the real admission, the real flow, the real fold and the real policy, with a journal that is a
list. A seed decides who does what next, who leaves, what changes and where the process dies. The
oracle looks at each effect in the moment that it happens, knows only the journal and the world, and
uses nothing of the code that decides.
"""

import asyncio
import random
from datetime import timedelta
from functools import cache

from scene import DAN, ONE, TWO, Restless
from world import ANA, BEN, CLEO, T0, Clock

from assistant.actions.catalogue import Catalogue
from assistant.actions.judge import Judge
from assistant.admission import Admission
from assistant.commands import Approve, Deny, RequestAction, RequestUndo
from assistant.domain.action import Status
from assistant.domain.board import busy_targets, started_on, waiting
from assistant.domain.brake import Frozen, Thawed
from assistant.domain.desk import Desk, settle
from assistant.domain.events import (
    ActionRequested,
    ActionStarted,
    Approved,
    Denied,
    Expired,
    HypothesesRanked,
    Opened,
    Verified,
)
from assistant.domain.incident import IllegalEvent, apply
from assistant.domain.recovery import Effect, Recovery
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from assistant.flow import Sources, Stage, Timing, due, run
from assistant.policy.rules import parse
from assistant.requesting import Requesting

PEOPLE = (ANA, BEN, CLEO, DAN)
POLICIES = {1: parse(ONE, "one"), 2: parse(TWO, "two")}
UNMEASURED = Recovery(effect=Effect.NOT_MEASURED, why="nobody looked", measures=(), seconds=0.0)
WAYS = ("back", "ledger")
STEPS = 30
DONE = (Status.FINISHED, Status.VERIFIED)


@cache
def nothing():
    """What is found where nothing can be seen."""
    return diagnose(Telemetry.empty(), Question(at=T0, horizon=T0))


class Died(BaseException):
    """The process was killed; it passes every `except Exception` on its way out."""


class System(Restless):
    """What is acted on. `dies` is where the next run kills the process, null where it does not."""

    dies = None

    async def run(self, call, key):
        if self.dies == "before":
            self.dies = None
            raise Died
        self.machine.watch_effect(key)
        outcome = await super().run(call, key)
        self.state = f"{self.state}+"
        if self.dies == "after":
            self.dies = None
            raise Died
        return outcome


class Machine:
    """One seed's worth of incidents, people and accidents; `wrong` is what the oracle saw."""

    def __init__(self, seed):
        self.rng = random.Random(seed)  # noqa: S311 — it has to be repeatable
        self.clock = Clock()
        self.world = System(self.clock)
        self.world.machine = self
        self.members = {p.id for p in (ANA, BEN, CLEO)}
        self.needed = self.rng.choice((1, 1, 2))
        self.log, self.wrong, self.effects = [], [], {}
        self.count = 0
        for name in ("INC-1", "INC-2"):
            at = self.clock.now()
            opened = Opened(at=at, text="it is slow", service="front", horizon=at)
            self.log += [(name, opened), (name, HypothesesRanked(finding=nothing(), seconds=0.1))]
        self.start()

    def start(self):
        """Be a new process: know what the journal says and nothing else."""
        self.incidents, self.desk, self.intended = {}, Desk(), set()
        for incident, event in self.log:
            self.fold(incident, event)
        self.sources = Sources(
            connectors={},
            clock=self.clock,
            catalogue=Catalogue({"world": self.world}),
            approvers=self,
            judge=Judge(policy=lambda: POLICIES[self.needed]),
            desk=lambda: self.desk,
            recent=lambda target, now: started_on(self.incidents, target, now - timedelta(hours=1)),
            timing=Timing(grace_s=0),  # what is done is there at once
        )
        requesting = Requesting(
            sources=self.sources,
            new_id=self.new_id,
            busy=lambda incident: busy_targets(self.incidents, incident),
            waiting=lambda: waiting(self.incidents),
        )
        self.admission = Admission(sources=self.sources, requesting=requesting)

    def new_id(self):
        self.count += 1
        return f"r{self.count}"

    async def refusal(self, actor, *, group=None, fresh=False):
        """Be the approvers' port: who may approve at this moment."""
        return None if actor.id in self.members else f"{actor.name} is no member"

    def fold(self, incident, event):
        if isinstance(event, ActionStarted):
            self.intended.add(event.request)
        if incident:
            self.incidents[incident] = apply(self.incidents.get(incident), event)
        else:
            self.desk = settle(self.desk, event)

    def append(self, incident, *events):
        """Write down and fold; a second intent for a request is refused, as the table does."""
        for event in events:
            if isinstance(event, ActionStarted) and event.request in self.intended:
                return False
            self.fold(incident, event)
            self.log.append((incident, event))
        return True

    # what happens

    async def live(self):
        """Let things happen, then let everything come to rest."""
        for _ in range(STEPS):
            try:
                await self.rng.choice(self.HAPPENINGS)(self)
            except Died:
                self.start()
        self.world.dies = None
        for _ in range(2):
            self.start()
            for incident in self.incidents:
                await self.advance(incident)
        self.watch_rest()
        return self.wrong

    async def ask(self):
        incident, actor = self.rng.choice(list(self.incidents)), self.rng.choice(PEOPLE)
        done = [t for t in self.requests(incident) if t.status in DONE]
        if done and self.rng.random() < 0.3:
            command = RequestUndo(incident=incident, request=done[-1].request.id)
        else:
            args = {"service": "front", "peer": self.rng.choice(WAYS)}
            command = RequestAction(incident=incident, action="reroute", args=args)
        await self.submit(command, actor)

    async def approve(self):
        for tracked in self.some_request():
            digest = tracked.request.digest
            if self.rng.random() < 0.1:
                digest = self.rng.choice([t.request.digest for t in self.all_requests()])
            incident = tracked.request.incident
            command = Approve(incident=incident, request=tracked.request.id, digest=digest)
            actor = self.rng.choice(PEOPLE)
            for _ in range(self.rng.choice((1, 1, 1, 2))):  # Slack delivers twice at times
                await self.submit(command, actor)

    async def deny(self):
        for tracked in self.some_request():
            command = Deny(incident=tracked.request.incident, request=tracked.request.id)
            await self.submit(command, self.rng.choice(PEOPLE))

    async def submit(self, command, actor):
        state = self.incidents[command.incident]
        decision = await self.admission.decide(command, actor, command.incident, state)
        if self.rng.random() < 0.05:
            raise Died
        self.append(command.incident, *decision.events)
        await self.advance(command.incident, dies=self.rng.choice((None, None, 1, 2, 3)))

    async def advance(self, incident, dies=None):
        """Do what is due, and die before the event with this number is written."""
        before, number = None, 0
        while (now := due(self.incidents[incident])) is not None:
            stage, tracked = now
            if tracked is None or (stage, tracked.request.id) == before:
                return
            before = (stage, tracked.request.id)
            if stage is Stage.VERIFY:  # measuring is no part of the machine
                self.append(incident, Verified(request=tracked.request.id, recovery=UNMEASURED))
                continue
            state = self.incidents[incident]
            async for event in run(stage, incident, state, tracked, self.sources):
                number += 1
                if number == dies and self.rng.random() < 0.5:
                    raise Died
                if not self.append(incident, event):
                    return

    async def switch(self):
        """Somebody freezes or thaws, joins or leaves; the policy or the target changes."""
        what = self.rng.randrange(6)
        if what == 0:
            self.append("", Frozen(by=CLEO, reason="") if not self.desk.frozen else Thawed(by=CLEO))
        elif what == 1:
            self.members ^= {self.rng.choice((BEN, CLEO)).id}
        elif what == 2:
            self.needed = 3 - self.needed
        elif what == 3:
            self.world.state = f"{self.world.state}!"
        elif what == 4:
            self.world.touches += 1
        else:
            self.world.dies = self.rng.choice(("before", "after"))

    async def wait(self):
        self.clock.at += timedelta(minutes=self.rng.choice((1, 6, 16)))
        for incident in self.incidents:
            for tracked in self.requests(incident):
                late = self.clock.at >= tracked.request.expires
                if tracked.status is Status.PENDING and late and self.rng.random() < 0.5:
                    self.append(incident, Expired(request=tracked.request.id, at=self.clock.at))

    async def die(self):
        raise Died

    HAPPENINGS = (ask, ask, ask, approve, approve, approve, approve, deny, switch, wait, die)

    def requests(self, incident):
        return list(self.incidents[incident].requests.values())

    def all_requests(self):
        return [t for incident in self.incidents for t in self.requests(incident)]

    def some_request(self):
        known = self.all_requests()
        waiting = [t for t in known if t.status in (Status.PENDING, Status.APPROVED)]
        pool = waiting if waiting and self.rng.random() < 0.9 else known
        return [self.rng.choice(pool)] if pool else []

    # what must never happen

    def watch_effect(self, key):
        """Look at an effect in the moment that it happens, knowing only journal and world."""
        asked = next((e for _, e in self.log if isinstance(e, ActionRequested)
                      and e.request.id == key), None)  # fmt: skip
        self.effects[key] = self.effects.get(key, 0) + 1
        if asked is None:
            self.wrong.append(f"{key}: nobody asked for it")
            return
        request = asked.request
        frozen = [e for i, e in self.log if not i and isinstance(e, Frozen | Thawed)]
        yes = {
            a.approval.by.id
            for _, a in self.log
            if isinstance(a, Approved) and a.request == key and a.approval.digest == asked.digest
        }
        counted = (yes & self.members) - {request.requested_by.id}
        checks = {
            "twice": self.effects[key] == 1,
            "no start on record": any(
                isinstance(e, ActionStarted) and e.request == key for _, e in self.log
            ),
            "too few yeses": len(counted) >= max(self.needed, 1),
            "after a no": not any(isinstance(e, Denied) and e.request == key for _, e in self.log),
            "frozen": not (frozen and isinstance(frozen[-1], Frozen)),
            "expired": self.clock.at < request.expires,
            "another state": self.world.state == request.state,
            "wider than shown": self.world.touches == request.touches,
        }
        self.wrong += [f"{key}: {what}" for what, held in checks.items() if not held]

    def watch_rest(self):
        """Look at what is left once all has come to rest."""
        for tracked in self.all_requests():
            key, did = tracked.request.id, self.effects.get(tracked.request.id, 0)
            if tracked.status in (Status.STARTED, Status.UNKNOWN, Status.APPROVED):
                self.wrong.append(f"{key}: it is still {tracked.status.value}")
            if tracked.status in DONE and did != 1:
                self.wrong.append(f"{key}: finished, and done {did} times")
            if tracked.status is Status.FAILED and did:
                self.wrong.append(f"{key}: failed, and it was done")


def simulate(seeds):
    """Return what the oracle saw wrong, by seed."""

    async def all_of_them():
        return {seed: wrong for seed in seeds if (wrong := await _one(seed))}

    return asyncio.run(all_of_them())


async def _one(seed):
    machine = Machine(seed)
    try:
        return await machine.live()
    except IllegalEvent as error:
        return [f"the fold refused: {error}"]
