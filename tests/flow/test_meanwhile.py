"""People are heard while something is under way that takes its time."""

import asyncio

from desk import Desk
from world import BEN, CLEO, World

from assistant.commands import Approve, Steer
from assistant.domain.action import Status
from assistant.domain.recovery import Effect
from connectors.errors import Unavailable


class Measured(World):
    """Says when its effect is first looked at."""

    def __init__(self, clock, **more):
        super().__init__(clock, **more)
        self.looked = asyncio.Event()

    async def fetch(self, ask):
        if self.runs:
            self.looked.set()
        async for page in super().fetch(ask):
            yield page


async def test_whoever_speaks_while_an_effect_is_measured_is_answered_meanwhile():
    async with Desk(helps=False, kind=Measured).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        request = tracked.request
        yes = Approve(incident=incident, request=request.id, digest=request.digest)
        await desk.service.submit(yes, BEN)
        await asyncio.wait_for(desk.world.looked.wait(), 60)
        steer = Steer(incident=incident, text="since 03:02")
        answer = await desk.service.submit(steer, CLEO)
        assert not answer.refused
        assert desk.last(incident).status is Status.FINISHED
        await desk.service.settled(incident)
        assert desk.last(incident).recovery.effect is Effect.NO_EFFECT


class Unread(World):
    """Answers until something was done, and fails from then on."""

    async def fetch(self, ask):
        if self.runs:
            raise Unavailable("The store of traces is down.")
        async for page in super().fetch(ask):
            yield page


async def test_an_effect_that_could_not_be_looked_at_is_told_as_that_and_not_as_few_requests():
    async with Desk(kind=Unread).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        await desk.approve(incident, tracked)
        recovery = desk.last(incident).recovery
        assert recovery.effect is Effect.NOT_MEASURED
        assert recovery.why == "spans (world) not looked at: The store of traces is down"
