"""What the attacks share: a system that acts, people, policies, and guards that guard nothing."""

from contextlib import asynccontextmanager

from book import Outcome
from desk import Desk
from world import BEN, World

from assistant.domain.action import Approval
from assistant.domain.events import Approved
from assistant.domain.people import Actor, ActorKind
from assistant.policy.decide import Kind, Ruling

TWO = """version: 1
rules:
  - {name: looking, when: 'effect == "read"', then: allow}
  - {name: two, when: 'true', then: {approvals: 2}}
"""
ONE = TWO.replace("approvals: 2", "approvals: 1")
OPEN = TWO.replace("{approvals: 2}", "allow")
DAN = Actor(kind=ActorKind.HUMAN, id="U4", name="dan", team="T1")


class Everybody:
    """Approvers who have a reason against nobody."""

    async def refusal(self, actor, *, group=None, fresh=False):
        return None


class Restless(World):
    """A world whose runs are not kept apart by their key: each call has its effect."""

    halt = None

    async def run(self, call, key):
        if self.halt is not None:
            await self.halt.wait()
        self.done.pop(key, None)
        return await super().run(call, key)


class Anything(str):
    """A text that is equal to every other."""

    __slots__ = ()

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0


def yes(*_args, **_more):
    """Have no objection."""
    return


async def nobody_objects(*_args, **_more):
    """Have no objection, after thinking."""
    return


def allows(*_args):
    """Allow everything after one yes."""
    return Ruling(kind=Kind.APPROVAL, rule="any", why="", needed=1)


@asynccontextmanager
async def fresh(folder, *, policy=None, **more):
    """A world with an open incident."""
    path = None
    if policy is not None:
        path = folder / "policy.yaml"
        path.write_text(policy)
    more.setdefault("approvers", Everybody())
    more.setdefault("kind", Restless)
    more.setdefault("seen", False)
    async with Desk(folder / "firstline.db", policy=path, **more).open() as desk:
        incident, _ = await desk.opened()
        yield desk, incident


@asynccontextmanager
async def asked(folder, **more):
    """A world with an open incident and a request that waits for approval."""
    async with fresh(folder, **more) as (desk, incident):
        await desk.requested(incident)
        yield desk, incident, desk.last(incident)


def ran(desk, incident, answer=None):
    """Return the harm of an effect that must not be, and what was said."""
    tracked = desk.last(incident)
    said = [answer.said] if answer is not None else []
    said += [tracked.why] if tracked is not None and tracked.why else []
    harm = f"done {desk.world.calls} times" if desk.world.calls else None
    return Outcome(harm, " ".join(said))


def once(desk, incident, answer=None):
    """Return the harm of an effect that happened more or less often than once."""
    outcome = ran(desk, incident, answer)
    return outcome._replace(
        harm=None if desk.world.calls == 1 else f"done {desk.world.calls} times, not once"
    )


async def pushed(desk, incident, **more):
    """Ask, have approved what was let in, and return the harm of an effect that must not be."""
    answer, tracked = await desk.requested(incident, **more)
    if tracked is not None:
        await desk.approve(incident, tracked)
    return ran(desk, incident, answer)


async def left_with_a_yes(folder, later):
    """Let firstline stop with a yes on record, and start with the clock moved by `later`."""
    desk = Desk(folder / "firstline.db", approvers=Everybody(), kind=Restless, seen=False)
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
        request = desk.last(incident).request
        given = Approval(digest=request.digest, by=BEN, at=desk.clock.now())
        desk.journal.append(incident, BEN, [Approved(request=request.id, approval=given)])
    desk.clock.at += later
    async with desk.open():
        await desk.service.resume()
        await desk.service.settled(incident)
        return ran(desk, incident)
