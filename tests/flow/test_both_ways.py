"""One alert that comes by webhook and in a watched channel, where both name it."""

import asyncio
import json
from functools import partial

import pytest
from desk import Desk
from office import connected, on_call
from slackrig import judged

from assistant.alerts import Alerts
from assistant.store.inbox import Inbox
from connectors.alertmanager import build

ONE, OTHER = "0123456789abcdef", "fedcba9876543210"


def payload(name, status="firing"):
    alert = {
        "status": status,
        "labels": {"alertname": "HighErrors", "service": f"s{name[0]}"},
        "startsAt": "2026-01-01T00:00:00Z",
        "fingerprint": name,
    }
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


def message(*names, mark="FIRING:1"):
    said = "\n".join(f"*Fingerprint:* `{name}`" for name in names)
    return f"[{mark}] HighErrors checkout (prod)\n{said}"


class Telling(Inbox):
    """Wakes whoever waits in a Slack once something is done."""

    def __init__(self, slack, database):
        super().__init__(database)
        self.note, self.loop = slack.workspace.changes.note, asyncio.get_running_loop()

    def done(self, key):
        super().done(key)
        self.loop.call_soon_threadsafe(self.note)


class Both:
    """firstline on call for a monitor that tells it in two ways; both name their alerts."""

    def __init__(self, slack, desk):
        self.slack, self.desk = slack, desk

    async def webhook(self, name, status="firing"):
        receive = Alerts(build({}), self.desk.service.submit, self.desk.clock).receive
        _, answer = await receive({}, payload(name, status))
        return answer["incidents"][0]

    async def channel(self, *names, **more):
        self.slack.post_as_bot("alertmanager", "incidents", message(*names, **more))
        await self.slack.settled()
        await self.slack.wait_for(lambda: not Inbox(self.desk.database).unfinished())

    @property
    def incidents(self):
        return self.desk.service.incidents()


@pytest.fixture
async def both(tmp_path):
    desk = Desk(tmp_path / "f.db", seen=False)
    async with judged(burst=None) as slack:
        watched = frozenset({slack.workspace.channel_named("incidents").id})
        reached = connected(slack, watched=watched)
        async with on_call(desk, reached, inbox=partial(Telling, slack)):
            yield Both(slack, desk)
            await slack.settled()


async def test_it_is_one_incident_and_one_end_when_the_webhook_comes_first(both):
    assert await both.webhook(ONE) == "INC-1"
    await both.channel(ONE)
    assert list(both.incidents) == ["INC-1"]
    await both.channel(ONE, mark="RESOLVED")
    assert both.incidents["INC-1"].silent == {ONE}


async def test_it_is_one_incident_and_one_end_when_the_message_comes_first(both):
    await both.channel(ONE)
    assert await both.webhook(ONE) == "INC-1"
    await both.webhook(ONE, "resolved")
    assert list(both.incidents) == ["INC-1"]
    assert both.incidents["INC-1"].silent == {ONE}


async def test_a_message_about_several_joins_the_one_that_is_known_and_ends_them_all(both):
    assert await both.webhook(ONE) == "INC-1"
    assert await both.webhook(OTHER) == "INC-2"
    await both.channel("0" * 16, OTHER, mark="FIRING:2")
    await both.channel(ONE, OTHER, mark="RESOLVED")
    assert {name: one.silent for name, one in both.incidents.items()} == {
        "INC-1": {ONE},
        "INC-2": {OTHER},
    }
