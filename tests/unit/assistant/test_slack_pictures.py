"""Pictures of the evidence in Slack: one an answer, and nothing else suffers where none comes."""

import asyncio
from dataclasses import replace

import pytest
from acting import BEN
from conversing import explained, find
from slackdesk import LOOKS, Rig
from slackrig import judged

from assistant.domain.shown import Moved
from assistant.pictures import Picture
from assistant.slack.local.faults import Failure, Fault

ALT = "Errors of ledger: 0 % before, 30 % after. <!channel>"
START, END = "files.getUploadURLExternal", "files.completeUploadExternal"


class Album:
    """Pictures by incident; `asked` once somebody has asked for one."""

    def __init__(self):
        self.pictures, self.listeners, self.asked = {}, [], asyncio.Event()

    def of(self, incident):
        self.asked.set()
        return self.pictures.get(incident)

    def watch(self, listener):
        self.listeners.append(listener)

    def put(self, image=b"\x89PNG one"):
        self.pictures["INC-1"] = Picture(image=image, alt=ALT)
        for listener in self.listeners:
            listener("INC-1")


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        rig = Rig(slack)
        rig.album = Album()
        yield rig


def shown(rig, ts):
    return [m for m in rig.messages(thread=ts) if m.text.startswith("Picture of INC-1")]


def calls(rig, method):
    return [made for made in rig.slack.office.calls if made.method == method]


async def test_it_is_shown_in_the_thread_with_what_it_shows_in_words(rig):
    async with rig.running():
        ts, _ = await explained(rig)
        rig.album.put()
        (message,) = await rig.slack.wait_for(lambda: shown(rig, ts))
        (block,) = message.blocks
        file = rig.slack.workspace.files[block["slack_file"]["id"]]
        assert (file.content, file.alt, block["alt_text"]) == (b"\x89PNG one", ALT, ALT)
        assert "&lt;!channel&gt;" in message.text


async def test_after_a_restart_it_is_not_posted_again_and_a_missing_one_is(rig):
    async with rig.running():
        ts, _ = await explained(rig)
        rig.album.put()
        await rig.slack.wait_for(lambda: shown(rig, ts))
        await rig.slack.person("ana").say("incidents", "@firstline status")
        await rig.slack.wait_for(lambda: rig.whispers("ana"))  # all before is noted by now
        await rig.settled()
    rig.desk.watchers.clear()
    rig.album.listeners.clear()
    async with rig.running():
        rig.album.put()  # the same once more
        rig.album.put(b"\x89PNG two")  # another answer
        await rig.slack.wait_for(lambda: len(shown(rig, ts)) == 2)
    assert len(calls(rig, START)) == 2


async def test_it_follows_an_incident_into_a_channel_of_its_own(rig):
    people = rig.slack.workspace
    own = people.add_channel("inc-001", [people.user_named("ana"), people.bot])
    async with rig.running():
        ts, _ = await explained(rig)
        rig.album.put()
        await rig.slack.wait_for(lambda: shown(rig, ts))
        await rig.desk.happen("INC-1", Moved(by=BEN, place=own.id, shown="#inc-001"))
        await rig.slack.wait_for(lambda: pictured(rig, "inc-001"))
        assert len(shown(rig, ts)) == 1


async def test_it_is_shown_where_the_incident_is_once_it_is_uploaded(rig):
    people = rig.slack.workspace
    own = people.add_channel("inc-001", [people.user_named("ana"), people.bot])
    async with rig.running():
        ts, _ = await explained(rig)
        await rig.settled()
        rig.slack.faults.add(Fault(method=START, failure=Failure.SLOW, seconds=0.5))
        rig.album.put()
        await rig.album.asked.wait()  # the upload has begun by now
        await rig.desk.happen("INC-1", Moved(by=BEN, place=own.id, shown="#inc-001"))
        await rig.slack.wait_for(lambda: pictured(rig, "inc-001"))
        assert shown(rig, ts) == []


def pictured(rig, channel):
    """Return the pictures in a channel, each under its card."""
    ana = rig.slack.person("ana")
    threads = [ana.messages(channel, m.ts) for m in ana.messages(channel) if m.thread is None]
    return [m for thread in threads for m in thread if m.text.startswith("Picture of INC-1")]


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(rig):
    async with rig.running():
        ts, _ = await explained(rig)
        await rig.settled()
        rig.slack.faults.add(Fault(method="chat.postMessage", failure=Failure.LOST_ANSWER))
        rig.album.put()
        await rig.slack.wait_for(lambda: calls(rig, "chat.update") and shown(rig, ts))
        assert len(shown(rig, ts)) == 1


async def test_a_picture_that_slack_has_not_processed_yet_is_shown_once_it_has(rig):
    rig.slack.office.processing = 3600.0
    async with rig.running():
        ts, _ = await explained(rig)
        rig.album.put()
        await rig.slack.wait_for(lambda: refused(rig))
        await rig.slack.person("ana").say("incidents", "@firstline status")
        await rig.slack.wait_for(lambda: rig.whispers("ana"))
        assert shown(rig, ts) == []
        rig.slack.office.processing = 0.0
        (message,) = await rig.slack.wait_for(lambda: shown(rig, ts))
        assert [block["type"] for block in message.blocks] == ["image"]
    assert len(calls(rig, START)) == 1


def refused(rig):
    return [made for made in calls(rig, "chat.postMessage") if made.error == "invalid_blocks"]


async def test_where_uploading_is_not_allowed_the_card_is_as_it_was(rig):
    tokens, ours = rig.slack.workspace.tokens, rig.slack.bot_token
    allowed = tokens[ours]
    tokens[ours] = replace(allowed, scopes=allowed.scopes - {"files:write"})
    async with rig.running():
        ts, card = await explained(rig)
        rig.album.put()
        await rig.slack.person("ana").say("incidents", "@firstline status")
        await rig.slack.wait_for(lambda: rig.whispers("ana") and calls(rig, START))
        assert calls(rig, START)[0].error == "missing_scope"
        assert find(rig.messages(thread=ts), "Likely").ts == card.ts
        tokens[ours] = allowed
        rig.album.put(b"\x89PNG two")
        await rig.slack.wait_for(lambda: len(shown(rig, ts)) == 1)
