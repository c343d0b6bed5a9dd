"""What whoever does the work must keep: order, waits, timers, and nothing lost with a process.

The first half is the port (`assistant.runtime`), the second what the service promises on top of it
whatever stands behind. `tests/crash` kills real processes; here each wait is left by itself.
"""

import asyncio
from datetime import timedelta

import pytest
from desk import Desk
from world import World

from assistant.domain.action import Status
from assistant.domain.events import ActionStarted, Expired
from assistant.domain.people import FIRSTLINE
from assistant.flow import due
from assistant.runtime import lanes

SOON = 60  # on a busy machine


async def test_what_has_one_key_is_done_in_order_and_what_has_another_does_not_wait():
    done, hold = [], asyncio.Event()

    async def first():
        await hold.wait()
        done.append("first")

    async def note(name):
        done.append(name)

    async with lanes() as port:
        port.submit("INC-1", first)
        port.submit("INC-1", lambda: note("second"))
        port.submit("INC-2", lambda: note("other"))
        await port.idle("INC-2")
        assert done == ["other"]
        hold.set()
        await port.idle("INC-1")
    assert done == ["other", "first", "second"]


async def test_a_job_that_fails_stops_neither_its_key_nor_the_others(caplog):
    done = []

    async def fails():
        raise RuntimeError("no")

    async def works():
        done.append(1)

    async with lanes() as port:
        port.submit("INC-1", fails)
        port.submit("INC-1", works)
        await port.idle("INC-1")
    assert done == [1]
    assert "a job of INC-1 failed" in caplog.text


async def test_what_is_to_be_done_later_takes_its_turn_behind_its_key():
    done, hold = [], asyncio.Event()

    async def long():
        await hold.wait()
        done.append("long")

    async def late():
        done.append("late")
        finished.set()

    finished = asyncio.Event()
    async with lanes() as port:
        port.submit("INC-1", long)
        port.later(0, "INC-1", late)
        hold.set()
        await asyncio.wait_for(finished.wait(), SOON)
    assert done == ["long", "late"]


async def test_the_end_cancels_what_is_under_way_and_waits_for_it():
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async with lanes() as port:
        port.submit("INC-1", work)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert ended == ["work"]


async def test_what_is_cancelled_ends_and_what_waits_behind_it_takes_its_turn():
    done, begun = [], asyncio.Event()

    async def first():
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            done.append("cut off")

    async def note(name):
        done.append(name)

    async with lanes() as port:
        port.cancel("INC-1")  # nothing is under way
        port.submit("INC-1", first)
        port.submit("INC-1", lambda: note("second"))
        await asyncio.wait_for(begun.wait(), SOON)
        port.cancel("INC-2")
        port.cancel("INC-1")
        await asyncio.wait_for(port.idle("INC-1"), SOON)
        port.cancel("INC-1")
        port.submit("INC-1", lambda: note("third"))
        await asyncio.wait_for(port.idle("INC-1"), SOON)
    assert done == ["cut off", "second", "third"]


async def test_what_is_whole_is_done_before_its_work_is_cut_off():
    done, begun, hold = [], asyncio.Event(), asyncio.Event()

    async def work():
        with port.whole("INC-1"):
            begun.set()
            await hold.wait()
            done.append("whole")
        await asyncio.Event().wait()

    async with lanes() as port:
        port.submit("INC-1", work)
        await asyncio.wait_for(begun.wait(), SOON)
        port.cancel("INC-1")
        hold.set()
        await asyncio.wait_for(port.idle("INC-1"), SOON)
    assert done == ["whole"]


@pytest.mark.parametrize("turns", range(5))
async def test_what_is_taken_up_in_the_moment_of_a_cancel_is_begun_whichever_came_first(turns):
    done = []

    async def work():
        done.append("begun")
        await asyncio.sleep(0)
        done.append("whole")

    async with lanes() as port:
        port.submit("INC-1", work)
        for _ in range(turns):
            await asyncio.sleep(0)
        port.cancel("INC-1")
        await asyncio.wait_for(port.idle("INC-1"), SOON)
    assert done[0] == "begun"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "firstline.db")


async def gone_on(desk, incident):
    """Start as a new process does, and wait until nothing is due."""
    await desk.service.resume()
    return await desk.service.settled(incident)


async def test_a_request_that_waited_still_waits(desk):
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
    async with desk.open():
        state = await gone_on(desk, incident)
        assert [t.status for t in state.requests.values()] == [Status.PENDING]
        await desk.approve(incident, desk.last(incident))
        assert desk.last(incident).status is Status.VERIFIED
    assert desk.world.runs == 1


async def test_a_timer_that_ran_out_while_nobody_was_there_is_found(desk):
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
    desk.clock.at = desk.last(incident).request.expires + timedelta(hours=1)
    told = asyncio.Event()

    async def heard(_incident, event, _state):
        if isinstance(event, Expired):
            told.set()

    async with desk.open():
        desk.service.watch(heard)
        await desk.service.resume()
        await asyncio.wait_for(told.wait(), SOON)
        assert desk.last(incident).status is Status.EXPIRED
    assert desk.world.runs == 0


class Endless(World):
    """Never gets to the end of what it does."""

    begun = None

    async def run(self, call, key):
        if self.begun is not None:
            self.begun.set()
            await asyncio.Event().wait()
        return await super().run(call, key)


async def test_what_was_left_in_the_act_is_looked_up_and_not_done_again(tmp_path):
    desk = Desk(tmp_path / "firstline.db", kind=Endless)
    desk.world.begun = asyncio.Event()
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
        deciding = asyncio.create_task(desk.approve(incident, desk.last(incident)))
        await asyncio.wait_for(desk.world.begun.wait(), SOON)
        deciding.cancel()
    desk.world.begun = None
    async with desk.open():
        await gone_on(desk, incident)
        assert len(desk.events(ActionStarted)) == 1
        assert desk.last(incident).status is not Status.STARTED
    assert desk.world.calls == 0


async def test_an_investigation_left_at_any_record_comes_to_the_same_end(tmp_path):
    whole = Desk(tmp_path / "whole.db")
    async with whole.open():
        incident, wanted = await whole.opened()
        story = list(whole.journal.records(incident))
    for kept in range(1, len(story)):
        desk = Desk(tmp_path / f"{kept}.db")
        async with desk.open():
            for record in story[:kept]:
                desk.journal.append(incident, FIRSTLINE, [record.event])
        async with desk.open():
            desk.clock.at = whole.clock.at
            state = await gone_on(desk, incident)
        assert due(state) is None
        assert state.finding.hypotheses == wanted.finding.hypotheses, story[kept - 1].event


async def test_of_two_on_one_database_the_earlier_one_does_nothing_more(tmp_path):
    first, second = Desk(tmp_path / "firstline.db"), Desk(tmp_path / "firstline.db")
    second.world, second.clock = first.world, first.clock
    async with first.open():
        incident, _ = await first.opened()
        await first.requested(incident)
        async with second.open():
            answer = await first.approve(incident, first.last(incident))
            assert "another firstline has taken over" in answer.said
            await second.approve(incident, second.last(incident))
    assert first.world.runs == 1
