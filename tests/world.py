"""A small world with a clock of its own: two services, one way between them that can be slow.

Its telemetry follows from its state, and its one action really mends it (or does not).
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fakes import request
from frames import spans
from pydantic import Field

from assistant.domain.people import Actor, ActorKind
from connectors.actions import (
    ActionCall,
    ActionSpec,
    Args,
    Effect,
    Outcome,
    Preview,
    Risk,
)
from connectors.api import Capability, Health, Page
from connectors.errors import Rejected, Unavailable

T0 = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ANA = Actor(kind=ActorKind.HUMAN, id="U1", name="ana", team="T1")
BEN = Actor(kind=ActorKind.HUMAN, id="U2", name="ben", team="T1")
CLEO = Actor(kind=ActorKind.HUMAN, id="U3", name="cleo", team="T1")


class Clock:
    """A second passes whenever somebody looks."""

    def __init__(self):
        self.at = T0 + timedelta(minutes=3)

    def now(self):
        self.at += timedelta(seconds=1)
        return self.at

    def monotonic(self):
        return self.at.timestamp()


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class Way(Args):
    service: Name
    peer: Name


def action(name, effect=Effect.MUTATE, risk=Risk.LOW):
    return ActionSpec(
        name=name,
        summary="send calls another way",
        effect=effect,
        args=Way,
        target="service",
        reversible=True,
        risk=risk,
        demo=True,
    )


class World:
    """Connector and actuator. `helps` says whether the action mends the way."""

    name = "world"
    capabilities = frozenset({Capability.SPANS})
    specs = (
        action("reroute"),
        action("return", risk=Risk.HIGH),
        action("look", effect=Effect.READ),
    )

    def __init__(self, clock, *, helps=True):
        self.clock, self.helps = clock, helps
        self.broken = [(T0 + timedelta(minutes=2), None)]
        self.done, self.runs, self.calls, self.state = {}, 0, 0, "primary"
        self.fails_after_doing = False
        self.gone = False
        self.touches, self.blast = 1, "all its calls"

    def _gap(self, at):
        broken = any(a <= at and (b is None or at < b) for a, b in self.broken)
        return 150.0 if broken else 2.0

    async def fetch(self, ask):
        rows, at, number = [], T0, 0
        end = min(ask.window.end, self.clock.at)
        while at < end:
            rows += request(f"t{number}", at, self._gap(at))
            at += timedelta(milliseconds=500)
            number += 1
        yield Page(capability=Capability.SPANS, frame=spans(rows), query="all")

    async def check(self):
        return Health(ok=True, message="fine")

    async def aclose(self):
        return None

    async def preview(self, call: ActionCall) -> Preview:
        if self.gone:
            raise Rejected("There is no such way any more.")
        return Preview(
            target=f"service/{call.args['service']}",
            state=self.state,
            summary=f"calls from {call.args['service']} to {call.args['peer']} go another way",
            diff=("- primary", "+ standby"),
            blast=self.blast,
            touches=self.touches,
            among=100,
            undo=ActionCall(action="reroute", args=call.args),
        )

    async def run(self, call: ActionCall, key: str) -> Outcome:
        self.calls += 1
        if key in self.done:
            return self.done[key]
        self.runs += 1
        self.done[key] = Outcome(summary="rerouted", ref="config/1")
        self.state = "standby"
        if self.helps:
            self.broken = [(a, b or self.clock.at) for a, b in self.broken]
        if self.fails_after_doing:
            raise Unavailable("The connection broke.")
        return self.done[key]

    async def probe(self, key: str) -> Outcome | None:
        return self.done.get(key)


class Approvers:
    """Ana and Ben may approve."""

    def __init__(self, *allowed):
        self.allowed = {a.id for a in allowed or (ANA, BEN)}

    async def refusal(self, actor, *, group=None, fresh=False):
        return None if actor.id in self.allowed else "you are not on call"
