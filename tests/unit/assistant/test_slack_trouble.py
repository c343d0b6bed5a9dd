"""What is done behind everybody's back outlives a disk that is full, and a Slack that is slower."""

import pytest
from conversing import explained, find, words
from slackdesk import LOOKS, Rig
from slackrig import judged
from test_slack_home import asked as waits_for_approval
from test_slack_pictures import Album, shown
from test_slack_stream import RANKED, asked, streamed

from assistant.domain.events import ReadFailed
from assistant.slack.local.faults import Failure, Fault

FAILED = ReadFailed(source="loki", capability="logs", seconds=1.0, reason="It is down.")


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack)


def at_home(rig, who):
    view = rig.slack.person(who).home()
    return words(view.content) if view is not None else ""


async def looking(rig, *who):
    """Have these people look at their home tabs."""
    for name in who:
        await rig.slack.person(name).open_home()
        await rig.slack.wait_for(lambda name=name: at_home(rig, name))


async def test_a_card_that_waited_for_its_stream_is_shown_though_the_disk_was_full(rig):
    rig.streaming = True
    async with rig.running():
        ts = await asked(rig)
        await rig.slack.wait_for(lambda: streamed(rig, ts))
        await rig.desk.happen("INC-1", RANKED)
        rig.tables.buttons.full = 2
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Likely"))
        assert rig.tables.buttons.full == 0


async def test_a_home_tab_is_written_though_the_disk_was_full(rig):
    async with rig.running():
        await waits_for_approval(rig)
        await looking(rig, "ben")
        await rig.settled()
        await rig.desk.happen("INC-1", FAILED)
        rig.tables.buttons.full = 1
        await rig.slack.wait_for(lambda: "loki logs" in at_home(rig, "ben"))
        assert rig.tables.buttons.full == 0


async def test_pictures_go_on_though_the_disk_was_full(rig):
    rig.album = Album()
    async with rig.running():
        ts, _ = await explained(rig)
        await rig.settled()
        rig.tables.messages.full = 1
        rig.album.put()
        await rig.slack.wait_for(lambda: not rig.tables.messages.full)
        rig.album.put(b"\x89PNG two")
        await rig.slack.wait_for(lambda: shown(rig, ts))


async def test_every_home_tab_shows_the_last_change_though_slack_takes_them_slower(rig):
    async with rig.running():
        await explained(rig)
        await looking(rig, "ana", "ben", "cleo")
        await rig.settled()
        slower = Fault(method="views.publish", failure=Failure.RATE_LIMITED)
        rig.slack.faults.add(slower, slower)
        await rig.desk.happen("INC-1", FAILED)
        for name in ("ana", "ben", "cleo"):
            await rig.slack.wait_for(lambda name=name: "loki logs" in at_home(rig, name))


async def test_a_home_tab_that_was_not_written_when_it_was_opened_is_written_then(rig):
    async with rig.running():
        rig.slack.faults.add(Fault(method="views.publish", failure=Failure.ERROR))
        await looking(rig, "ana")
