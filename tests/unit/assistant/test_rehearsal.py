"""What the steps of a plan would do now, looked at without asking for anything."""

from dataclasses import replace

import pytest
from world import ANA, T0, Clock, World
from written import PLAN, incident

from assistant.actions.audience import NOT_SAID
from assistant.actions.catalogue import Catalogue
from assistant.domain.brake import Frozen
from assistant.domain.desk import Desk
from assistant.domain.events import Stopped
from assistant.domain.plan import RemediationStep
from assistant.flow import Sources
from assistant.rehearsal import rehearse
from assistant.requesting import Requesting


def step(**more):
    fields = {
        "kind": "action",
        "text": "Send the calls another way.",
        "action": "reroute",
        "args": (("service", "front"), ("peer", "back")),
        "command": None,
    }
    return RemediationStep(**{**fields, **more})


async def rehearsed(world, *steps, busy=None, stopped=None, **more):
    plan = replace(PLAN, steps=steps)
    catalogue = Catalogue({"world": world})
    requesting = Requesting(
        sources=Sources(connectors={}, clock=world.clock, catalogue=catalogue, **more),
        new_id=lambda: "r1",
        busy=lambda _: busy or {},
        waiting=list,
    )
    state = replace(incident(plan=plan), stopped=stopped)
    return await rehearse("INC-1", state, requesting)


async def test_each_action_is_previewed_and_judged_and_nothing_is_done():
    world = World(Clock())
    told = await rehearsed(world, step(kind="check", action=None), step())
    assert list(told) == [1]
    assert told[1].preview.target == "service/front"
    assert told[1].decided.needed == 1
    assert told[1].why is None
    assert world.calls == 0


async def test_a_step_that_cannot_be_asked_for_says_why():
    world = World(Clock())
    told = await rehearsed(
        world,
        step(action="unheard-of"),
        step(args=(("service", "<service>"), ("peer", "back"))),
        step(args=(("service", "front"),)),
    )
    assert "No action is called unheard-of" in told[0].why
    assert told[1].why == "this step has no action of which everything is known"
    assert "peer" in told[2].why


async def test_a_step_whose_target_is_gone_says_so():
    world = World(Clock())
    world.gone = True
    told = await rehearsed(world, step())
    assert told[0].why == "There is no such way any more."
    assert told[0].preview is None


class Unsaid:
    """Nobody says who reads along."""

    async def readers(self, place):
        return ""


@pytest.mark.parametrize(
    ("hindered", "why"),
    [
        ({"desk": lambda: Desk(brake=Frozen(by=ANA, reason="audit"))}, "frozen by ana (audit)"),
        ({"stopped": Stopped(by=ANA, at=T0)}, 'ana has stopped this; say "@firstline go on"'),
        ({"audience": Unsaid()}, NOT_SAID),
        ({"busy": {"service/front": "INC-2"}}, "INC-2 works on service/front right now"),
    ],
    ids=["frozen", "stopped", "audience unknown", "busy"],
)
async def test_what_would_be_refused_says_so_beside_what_it_would_do(hindered, why):
    told = await rehearsed(World(Clock()), step(), **hindered)
    assert why in told[0].why
    assert told[0].preview.target == "service/front"


class Odd(World):
    """Its previews fail in a way that nobody foresaw."""

    async def preview(self, call):
        raise KeyError("a fault of its own")


async def test_a_step_whose_actuator_fails_in_an_odd_way_says_so(caplog):
    told = await rehearsed(Odd(Clock()), step())
    assert told[0].why == "world failed: KeyError; the log says more"
    assert "a fault of its own" in caplog.text
