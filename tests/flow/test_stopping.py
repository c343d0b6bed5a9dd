"""Stop cancels what is under way, at once and for good, and cuts off no action that has started."""

import asyncio

import pytest
from desk import Desk
from world import ANA, BEN, World

from assistant.commands import Close, Deny, GoOn, Investigate, Steer, Stop
from assistant.domain.action import Status
from assistant.domain.events import (
    ActionStarted,
    HypothesesRanked,
    ReadPerformed,
    Refused,
    Stopped,
    WentStale,
)
from assistant.domain.people import FIRSTLINE
from assistant.flow import due
from assistant.views import state as said_state
from connectors.api import Capability
from connectors.errors import Unavailable

SOON = 60  # the promise is a second, on a machine with nothing else to do


class Blocked(World):
    """Answers one kind of question and lets the other one wait, until `open` is set."""

    capabilities = frozenset({Capability.SPANS, Capability.CHANGES})

    def __init__(self, clock, **more):
        super().__init__(clock, **more)
        self.open, self.asked, self.cut_off = asyncio.Event(), asyncio.Event(), 0

    async def fetch(self, ask):
        if ask.capability is Capability.CHANGES:
            return
        self.asked.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cut_off += 1
            raise
        async for page in super().fetch(ask):
            yield page


class Acting(World):
    """Its action begins, and goes on until `end` is set."""

    def __init__(self, clock, **more):
        super().__init__(clock, **more)
        self.begun, self.end = asyncio.Event(), asyncio.Event()

    async def run(self, call, key):
        self.begun.set()
        await self.end.wait()
        return await super().run(call, key)


async def asked(desk):
    """Let ana ask, and wait until it is looked."""
    told = asyncio.Event()

    async def heard(_incident, event, _state):
        if isinstance(event, ReadPerformed):
            told.set()

    desk.service.watch(heard)
    ask = Investigate(text="front is slow", at=desk.clock.now(), service="front")
    answer = await desk.service.submit(ask, ANA)
    await asyncio.wait_for(desk.world.asked.wait(), SOON)
    await asyncio.wait_for(told.wait(), SOON)
    return answer.incident


async def stopped(desk, incident, actor=ANA):
    return await asyncio.wait_for(desk.service.submit(Stop(incident=incident), actor), SOON)


async def test_what_a_source_gave_is_told_while_another_one_has_not_answered():
    async with Desk(kind=Blocked).open() as desk:
        incident = await asked(desk)
        reads = desk.service.incident(incident).reads
        assert [read.capability for read in reads] == ["changes"]
        assert desk.service.incident(incident).finding is None


async def test_stop_cancels_the_reading_and_says_what_was_read():
    async with Desk(kind=Blocked).open() as desk:
        incident = await asked(desk)
        answer = await stopped(desk, incident)
        assert not answer.refused
        assert "Read so far: changes (world) 0 rows." in answer.said
        state = await asyncio.wait_for(desk.service.settled(incident), SOON)
        assert desk.world.cut_off == 1
        assert state.finding is None
        assert said_state(state) == "stopped by ana"
        assert desk.events(Stopped)[-1].actor == ANA


async def test_what_was_stopped_stays_so_after_a_restart_until_somebody_lets_it_go_on(tmp_path):
    desk = Desk(tmp_path / "firstline.db", kind=Blocked)
    async with desk.open():
        incident = await asked(desk)
        await stopped(desk, incident)
    desk.world.asked.clear()
    desk.world.open.set()
    async with desk.open():
        await desk.service.resume()
        state = await desk.service.settled(incident)
        assert due(state) is None
        assert not desk.world.asked.is_set()
        answer = await desk.service.submit(GoOn(incident=incident), BEN)
        assert not answer.refused
        state = await desk.service.settled(incident)
        assert state.finding.hypotheses[0].service == "back"
        assert said_state(state) == "open"


async def test_steering_looks_again_as_well():
    async with Desk(kind=Blocked).open() as desk:
        incident = await asked(desk)
        await stopped(desk, incident)
        desk.world.open.set()
        await desk.service.submit(Steer(incident=incident, text="since 03:02"), BEN)
        state = await desk.service.settled(incident)
        assert state.stopped is None
        assert len(desk.events(HypothesesRanked)) == 1


async def test_what_waits_behind_what_was_stopped_takes_its_turn():
    async with Desk(kind=Blocked).open() as desk:
        incident = await asked(desk)
        steer = asyncio.create_task(
            desk.service.submit(Steer(incident=incident, text="since 03:02"), BEN)
        )
        await asyncio.sleep(0)
        desk.world.asked.clear()
        await stopped(desk, incident)
        assert not (await asyncio.wait_for(steer, SOON)).refused
        await asyncio.wait_for(desk.world.asked.wait(), SOON)  # it was said after the stop


async def test_an_action_that_has_started_is_not_interrupted_and_the_answer_says_so():
    async with Desk(kind=Acting).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        approving = asyncio.create_task(desk.approve(incident, tracked))
        await asyncio.wait_for(desk.world.begun.wait(), SOON)
        answer = await stopped(desk, incident)
        assert f'The action "{tracked.request.summary}" has started' in answer.said
        desk.world.end.set()
        await approving
        assert desk.last(incident).status is Status.VERIFIED
        assert said_state(desk.service.incident(incident)) == "stopped by ana"
        assert desk.world.runs == 1
        assert len(desk.events(ActionStarted)) == 1


class Measured(World):
    """Lets whoever measures the effect of its action wait, until `open` is set."""

    def __init__(self, clock, **more):
        super().__init__(clock, **more)
        self.open, self.asked, self.cut_off = asyncio.Event(), asyncio.Event(), 0

    async def fetch(self, ask):
        if self.runs:
            self.asked.set()
            try:
                await self.open.wait()
            except asyncio.CancelledError:
                self.cut_off += 1
                raise
        async for page in super().fetch(ask):
            yield page


async def measured(desk):
    """Have an action done, and stop its incident while its effect is measured."""
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    approving = asyncio.create_task(desk.approve(incident, tracked))
    await asyncio.wait_for(desk.world.asked.wait(), SOON)
    return incident, await stopped(desk, incident), approving


async def test_what_was_done_is_still_measured_and_then_holds_up_nothing():
    async with Desk(kind=Measured).open() as desk:
        incident, answer, approving = await measured(desk)
        summary = desk.last(incident).request.summary
        assert f'What "{summary}" has changed is still measured.' in answer.said
        desk.world.open.set()
        await approving
        assert desk.world.cut_off == 0
        assert desk.last(incident).recovery is not None
        other, _ = await desk.opened()
        assert not (await desk.requested(other))[0].refused
        assert not (await desk.service.submit(Close(incident=incident), BEN)).refused


async def test_after_a_restart_what_was_done_is_measured_while_it_is_stopped(tmp_path):
    desk = Desk(tmp_path / "firstline.db", kind=Measured)
    async with desk.open():
        incident, _, approving = await measured(desk)
        approving.cancel()
    desk.world.open.set()
    async with desk.open():
        await desk.service.resume()
        state = await desk.service.settled(incident)
        assert desk.last(incident).status is Status.VERIFIED
        assert said_state(state) == "stopped by ana"


class Slow(World):
    """Previews once, and the second time waits: that is before the start."""

    def __init__(self, clock, **more):
        super().__init__(clock, **more)
        self.checking, self.previews = asyncio.Event(), 0

    async def preview(self, call):
        self.previews += 1
        if self.previews > 1:
            self.checking.set()
            await asyncio.Event().wait()
        return await super().preview(call)


async def test_an_action_that_was_approved_and_has_not_started_will_not(tmp_path):
    desk = Desk(tmp_path / "firstline.db", kind=Slow)
    async with desk.open():
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        approving = asyncio.create_task(desk.approve(incident, tracked))
        await asyncio.wait_for(desk.world.checking.wait(), SOON)
        await stopped(desk, incident)
        await asyncio.wait_for(approving, SOON)
        assert desk.last(incident).status is Status.STALE
        assert "ana stopped it" in desk.last(incident).why
        assert desk.events(WentStale)
    async with desk.open():
        await desk.service.resume()
        await desk.service.submit(GoOn(incident=incident), BEN)
        await desk.service.settled(incident)
    assert desk.world.runs == 0


def writable(desk, yes):
    """Let the database take records, or none."""
    with desk.database.reading() as connection:
        connection.execute(f"PRAGMA query_only = {int(not yes)}")


async def test_a_stop_that_cannot_be_written_down_is_refused_and_cuts_off_nothing():
    async with Desk(kind=Blocked).open() as desk:
        incident = await asked(desk)
        writable(desk, False)
        answer = await stopped(desk, incident)
        assert answer.refused
        assert answer.said.startswith("Not done, since it cannot be written down: the database")
        assert desk.world.cut_off == 0
        writable(desk, True)
        desk.world.open.set()
        state = await desk.service.settled(incident)
        assert state.finding.hypotheses[0].service == "back"
        assert not desk.events(Stopped)


async def test_a_stop_that_is_half_written_down_starts_nothing_later():
    async with Desk(kind=Slow).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        approving = asyncio.create_task(desk.approve(incident, tracked))
        await asyncio.wait_for(desk.world.checking.wait(), SOON)

        async def full(_incident, event, _state):
            if isinstance(event, Stopped | WentStale):
                writable(desk, False)

        desk.service.watch(full)
        assert (await stopped(desk, incident)).refused
        assert desk.service.incident(incident).stopped is None
        assert desk.last(incident).status is Status.STALE
        approving.cancel()


async def test_while_it_is_stopped_nothing_is_asked_for_or_approved():
    async with Desk(kind=Blocked).open() as desk:
        incident = await asked(desk)
        desk.world.open.set()
        await desk.service.settled(incident)
        _, tracked = await desk.requested(incident)
        desk.world.open.clear()
        desk.world.asked.clear()
        await desk.service.submit(Steer(incident=incident, text="since 03:02"), BEN)
        await asyncio.wait_for(desk.world.asked.wait(), SOON)
        await stopped(desk, incident)
        answer = await desk.approve(incident, tracked)
        assert 'ana has stopped this; say "@firstline go on" first' in answer.said
        assert (await desk.requested(incident, args={"service": "a", "peer": "b"}))[0].refused
        assert desk.last(incident).status is Status.PENDING


@pytest.mark.parametrize("who", ["firstline", "nobody needs it", "twice", "unknown"])
async def test_a_stop_that_may_not_be_is_refused(who):
    async with Desk(kind=Blocked).open() as desk:
        incident = await asked(desk)
        actor = FIRSTLINE if who == "firstline" else ANA
        if who == "nobody needs it":
            desk.world.open.set()
            await desk.service.settled(incident)
        if who == "twice":
            await stopped(desk, incident)
        answer = await stopped(desk, "INC-9" if who == "unknown" else incident, actor)
        assert answer.refused
        assert bool(desk.events(Refused)) == (who != "unknown")
        if who == "firstline":
            assert desk.world.cut_off == 0
        desk.world.open.set()


class Lost(World):
    """Nobody knows what became of its action."""

    async def run(self, call, key):
        raise Unavailable("The connection broke.")

    async def probe(self, key):
        raise Unavailable("The connection broke.")


@pytest.mark.parametrize("turns", range(8))
async def test_what_is_said_in_the_moment_of_a_stop_is_answered(turns):
    async with Desk(kind=Lost, seen=False).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        await desk.approve(incident, tracked)
        assert desk.last(incident).status is Status.UNKNOWN
        said, answering = Deny(incident=incident, request=tracked.request.id), []

        async def objected(_incident, event, _state):
            if isinstance(event, Stopped):
                answering.append(asyncio.create_task(desk.service.submit(said, BEN)))
                for _ in range(turns):
                    await asyncio.sleep(0)

        desk.service.watch(objected)
        assert not (await stopped(desk, incident)).refused
        answer = await asyncio.wait_for(answering[0], SOON)
        assert answer.said == "Not done: this request is unknown already."


async def test_going_on_with_what_nobody_stopped_is_refused():
    async with Desk().open() as desk:
        incident, _ = await desk.opened()
        answer = await desk.service.submit(GoOn(incident=incident), ANA)
        assert answer.refused
        assert len(desk.events(ReadPerformed)) == 1
