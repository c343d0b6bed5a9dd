"""Attacks by the clock: an hour ahead, an hour back, and right again."""

from datetime import timedelta

import pytest
from book import Outcome, attack
from desk import Desk
from scene import (
    Everybody,
    Restless,
    asked,
    fresh,
    left_with_a_yes,
    nobody_objects,
    ran,
)
from world import BEN, CLEO, Clock

from assistant.domain.action import Status
from assistant.domain.events import ActionFinished, Expired
from assistant.domain.people import FIRSTLINE
from assistant.journal.verify import State, verify

HOUR = timedelta(hours=1)
LONG = 100  # looks at the clock


def by_the_wall(request, now):
    """Ask only whether it is late."""
    return now >= request.expires


async def if_it_is_late(self, incident, request):
    """Close a request whose time is over only if the clock says so as well."""
    tracked, now = self.incident(incident).requests[request], self._sources.clock.now()
    if tracked.status is Status.PENDING and by_the_wall(tracked.request, now):
        await self._append(incident, FIRSTLINE, Expired(request=request, at=now))


@attack(
    "30",
    "the clock is an hour ahead when a yes comes, then right again, and another yes comes",
    "what has expired stays so",
    told="expired already",
    guards={
        "assistant.admission.lapsed": lambda *_: False,
        "assistant.service.Service._expire": nobody_objects,
    },
)
async def ahead_and_right(folder):
    async with asked(folder) as (desk, incident, tracked):
        desk.clock.at += HOUR
        await desk.approve(incident, tracked, BEN)
        desk.clock.at -= HOUR
        return ran(desk, incident, await desk.approve(incident, tracked, CLEO))


@attack(
    "30b",
    "the clock is set back by an hour after a request, so that it seems to be young",
    "refused, and the request is closed",
    told="expired already",
    guards={
        "assistant.actions.approval.lapsed": by_the_wall,
        "assistant.admission.lapsed": by_the_wall,
    },
)
async def set_back(folder):
    async with asked(folder) as (desk, incident, tracked):
        desk.clock.at -= HOUR
        await desk.approve(incident, tracked, BEN)
        desk.clock.at += HOUR  # an hour later, the request is young once more
        return ran(desk, incident, await desk.approve(incident, tracked, CLEO))


@attack(
    "30c",
    "the clock is set back by an hour, and nobody says anything until it is as late again",
    "it has expired when its time was over",
    told="expired already",
    guards={"assistant.service.Service._expire": if_it_is_late},
)
async def as_late_again(folder):
    waiting = []

    def later(lanes, _seconds, key, work):
        waiting.append((lanes, key, work))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.runtime.Lanes.later", later)
        async with asked(folder) as (desk, incident, tracked):
            desk.clock.at -= HOUR
            for lanes, key, work in waiting:  # a quarter of an hour has passed
                lanes.submit(key, work)
            await desk.service.settled(incident)
            desk.clock.at = tracked.request.created
            return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "30d",
    "firstline was down when the yes came to count, and the clock is an hour back at the start",
    "not started",
    told="has expired",
    guards={"assistant.actions.approval.lapsed": by_the_wall},
)
async def set_back_while_down(folder):
    return await left_with_a_yes(folder, -HOUR)


@attack(
    "30e",
    "records are written after the clock was set back by an hour",
    "none is dated before the one before it",
    told="the journal is sound",
    guards={"assistant.journal.sql._dated": lambda _, now: now},
)
async def dated_back(folder):
    async with fresh(folder) as (desk, incident):
        desk.clock.at -= HOUR
        await desk.requested(incident)
        dates = [record.at for record in desk.journal.records()]
    report = verify(folder / "firstline.db")
    sound = report.state is State.SOUND and dates == sorted(dates)
    return Outcome(None if sound else report.why, f"the journal is {report.state.value}")


class Watch(Clock):
    """Somebody sets it back by an hour, and right again once it was looked at for long."""

    def __init__(self):
        super().__init__()
        self.passed, self.wrong = 0, None

    def set_back(self):
        self.at -= HOUR
        self.wrong = 0

    def now(self):
        self.passed += 1
        if self.wrong is not None:
            self.wrong += 1
            if self.wrong == LONG:
                self.at += HOUR
        return super().now()

    def monotonic(self):
        return float(self.passed)


@attack(
    "30f",
    "the clock is set back by an hour before the effect is measured",
    "measured for as long as ever, and nobody in the incident waits for an hour",
    told="",
    guards={"clocks.Watch.monotonic": lambda _: 0.0},
)
async def measured_for_an_hour(folder):
    desk = Desk(folder / "firstline.db", approvers=Everybody(), kind=Restless, seen=False)
    desk.clock = Watch()

    async def watcher(_incident, event, _state):
        if isinstance(event, ActionFinished):
            desk.clock.set_back()

    async with desk.open():
        desk.service.watch(watcher)
        incident, _ = await desk.opened()
        await desk.requested(incident)
        await desk.approve(incident, desk.last(incident))
        tracked = desk.last(incident)
        waited = desk.clock.wrong >= LONG or tracked.status is not Status.VERIFIED
        return Outcome("everybody waited until the clock was right" if waited else None, "")
