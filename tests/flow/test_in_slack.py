"""From a mention to Stop, through Slack and back: with the service, and the tables on disk."""

from contextlib import asynccontextmanager

import pytest
from desk import Desk
from office import connected, on_call
from slackrig import judged
from test_stopping import Blocked

from assistant.clock import SystemClock
from assistant.domain.events import Stopped

PATIENCE_S = 60
SOURCES = (("world", "changes"), ("world", "spans"))


class Then(SystemClock):
    """Slack's clock says what the world's clock says."""

    def __init__(self, desk):
        self.desk = desk

    def now(self):
        return self.desk.clock.at


@asynccontextmanager
async def watching(slack, desk):
    """Be on call in a Slack on loopback, for a world of which one half does not answer."""
    async with on_call(desk, connected(slack, streaming=True), sources=SOURCES):
        await desk.service.resume()
        yield


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "firstline.db", kind=Blocked)


@pytest.fixture
async def slack(desk):
    async with judged(None, Then(desk), burst=None) as slack:
        yield slack


def seen(slack, ts, words):
    """Return the newest message of a thread that shows some words."""
    messages = slack.person("ana").messages("incidents", ts)
    shown = [m for m in messages if words in f"{m.text} {m.blocks} {m.stream}"]
    return shown[-1] if shown else None


@pytest.mark.parametrize("how", ["Slack's own", "words"])
async def test_what_is_under_way_is_stopped_from_slack_and_goes_on_when_it_is_told_to(
    slack, desk, how
):
    ana = slack.person("ana")
    async with watching(slack, desk):
        ts = await ana.say("incidents", "@firstline front is slow")
        await slack.wait_for(lambda: seen(slack, ts, "changes (world) · 0 rows"))
        if how == "words":
            await ana.say("incidents", "@firstline stop", thread=ts)
        else:
            place = slack.workspace.channel_named("incidents").id
            await slack.wait_for(lambda: slack.workspace.sessions.get((place, ts)) == "processing")
            await ana.stop("incidents", ts)
        await slack.wait_for(lambda: seen(slack, ts, "(stopped by ana)"))
        told = await slack.wait_for(lambda: seen(slack, ts, "Read so far"))
        assert told.only_for == ana.id
        assert desk.world.cut_off == 1
        assert desk.events(Stopped)[0].actor.id == ana.id
        await slack.settled()
    desk.world.asked.clear()
    desk.world.open.set()
    async with watching(slack, desk):
        assert not desk.world.asked.is_set()
        await ana.say("incidents", "@firstline go on", thread=ts)
        await slack.wait_for(lambda: desk.service.incident("INC-1").finding, PATIENCE_S)
        await slack.wait_for(lambda: seen(slack, ts, "(open)"))
        await slack.settled()
