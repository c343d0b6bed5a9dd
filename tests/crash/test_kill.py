"""kill -9 at each stage of the story and at random moments: it goes on, and nothing twice."""

import asyncio
import os
import random
import time

import pytest
from rig import GOES_ON_S, STORY_S, rigged

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
STORIES = int(os.environ.get("STORIES", "2"))
STAGES = (
    "Opened",
    "ScopeSet",
    "HypothesesRanked",
    "PlanProposed",
    "ActionRequested",
    "Approved",
    "ActionFinished",
    "Verified",
    "Closed",
    "PostmortemWritten",
    "RunbookDrafted",
    "Remembered",
    "RunbookAccepted",
)


async def test_killed_after_each_record_it_goes_on(tmp_path):
    async with rigged(tmp_path) as rig, asyncio.TaskGroup() as tasks:
        people = tasks.create_task(rig.people())
        for stage in STAGES:
            await rig.until(lambda s=stage: s in rig.state()[1], STORY_S, stage)
            await rig.kill()
            await rig.start()
        await people
        await rig.until(rig.over, GOES_ON_S, "the end")
        rig.check()
        assert rig.kills == len(STAGES)
        assert rig.slowest < GOES_ON_S


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_in_the_act_it_looks_and_does_nothing_twice(tmp_path, moment):
    async with rigged(tmp_path) as rig, asyncio.TaskGroup() as tasks:
        rig.system.hold = moment
        people = tasks.create_task(rig.people())
        await asyncio.wait_for(rig.system.held.wait(), STORY_S)
        await rig.kill()
        await rig.start()
        await people
        rig.check()
        _, names = rig.state()
        assert names.count("ActionUnknown") == 1
        assert names.count("ActionStarted") == (2 if moment == "before" else 1)


@pytest.mark.parametrize("seed", range(11, 11 + STORIES))
async def test_killed_at_ten_random_moments_it_goes_on(tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311 — moments, not secrets
    async with rigged(tmp_path) as rig, asyncio.TaskGroup() as tasks:
        people = tasks.create_task(rig.people())
        for _ in range(10):
            give_up = time.monotonic() + chance.uniform(0.05, 2.0)
            await rig.until(lambda t=give_up: time.monotonic() > t, 5, "a random moment")
            await rig.kill()
            await rig.start()
        await people
        rig.check()
        assert rig.kills == 10
        assert rig.slowest < GOES_ON_S
