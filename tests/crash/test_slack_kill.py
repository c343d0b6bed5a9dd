"""kill -9 once at a random moment, while Slack fails as well: judged as the simulation is.

The Slack is the one on loopback and lives in the test; firstline is a process of its own.
"""

import asyncio
import os
import random
from contextlib import closing, suppress

import pytest
from rig import STORY_S, Rig, rigged
from slack_oracle import End, wrongs

from assistant.clock import SystemClock
from assistant.journal.sql import SqlJournal
from assistant.slack.local.faults import Failure, Fault
from assistant.store.database import open_for_reading

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
KILLS = int(os.environ.get("KILLS", "1"))
QUIET_S = 40.0
STAGES = (
    None,
    "Opened",
    "HypothesesRanked",
    "PlanProposed",
    "ActionRequested",
    "Approved",
    "ActionStarted",
    "ActionFinished",
    "Verified",
    "Closed",
    "PostmortemWritten",
)
# Not auth.test: where that fails at the start firstline ends with a sentence.
CALLS = ("chat.postMessage", "chat.update", "users.info", "usergroups.users.list")


class Town(Rig):
    """People of whom the wrong ones press too, and the right ones twice."""

    patience_s = 60.0  # how long it takes is looked at elsewhere
    chance: random.Random

    async def _press(self, name, label):
        if label == "Approve":
            wrong = self.chance.choice(("ana", "cleo", "gus", None))
            if wrong is not None:  # ana has asked
                await super()._press(wrong, label)
            pressed = await asyncio.gather(super()._press(name, label), super()._press(name, label))
            return any(pressed)
        return await super()._press(name, label)

    def end(self):
        """Return what there is to judge."""
        with closing(open_for_reading(self.database)) as database:
            records = list(SqlJournal(database, SystemClock()).records())
        channel = self.slack.workspace.channel_named("incidents")
        bot = f"<@{self.slack.workspace.bot.id}>"
        asked = [m for m in channel.messages.values() if bot in m.text and m.thread is None]
        return End(
            records=records,
            journal=self.database,
            office=self.slack.office,
            mentions=[(m.text, channel.id, m.ts) for m in asked],
            effects=self.system.moments,
            deliveries=list(self.slack.deliveries.all),
        )


def failures(chance):
    """Draw what goes wrong with calls."""
    for _ in range(chance.choice((0, 2, 6))):
        yield Fault(
            method=chance.choice(CALLS),
            failure=chance.choice(tuple(Failure)),
            status=chance.choice((500, 503)),
        )


@pytest.mark.parametrize("seed", range(KILLS))
async def test_killed_at_a_random_moment_nothing_is_lost_or_twice(tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311 — moments, not secrets
    async with rigged(tmp_path, Town) as rig, asyncio.TaskGroup() as tasks:
        rig.chance = chance
        rig.slack.faults.add(*failures(chance))
        people = tasks.create_task(rig.people())
        stage = chance.choice(STAGES)
        if stage is not None:
            await rig.until(lambda: stage in rig.state()[1], STORY_S, stage)
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        await rig.kill()
        await rig.start()
        await people
        with suppress(AssertionError):  # the last edits are under way
            await rig.until(lambda: wrongs(rig.end()) == [], QUIET_S, "the end")
        assert wrongs(rig.end()) == []
        assert len(rig.system.moments) >= 1
