"""What the steps of a plan would do now, looked at without asking for anything."""

from dataclasses import replace

from world import Clock, World
from written import PLAN, incident

from assistant.actions.catalogue import Catalogue
from assistant.domain.plan import RemediationStep
from assistant.flow import Sources
from assistant.rehearsal import rehearse


def step(**more):
    fields = {
        "kind": "action",
        "text": "Send the calls another way.",
        "action": "reroute",
        "args": (("service", "front"), ("peer", "back")),
        "command": None,
    }
    return RemediationStep(**{**fields, **more})


async def rehearsed(world, *steps):
    plan = replace(PLAN, steps=steps)
    sources = Sources(connectors={}, clock=world.clock, catalogue=Catalogue({"world": world}))
    return await rehearse("INC-1", incident(plan=plan), sources)


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
