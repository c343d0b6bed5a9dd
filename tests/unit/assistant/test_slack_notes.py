"""Checkpoints in Slack's channel: few, the newest, and such that they can be checked."""

import html

import pytest
from slackrig import judged

from assistant.journal.checkpoint import Checkpoint, new_signer, opened
from assistant.slack.notes import Notes
from assistant.slack.transports import web_client

SIGNER = new_signer("test")


def made(size):
    checkpoint = Checkpoint(origin="firstline/log & more", size=size, root=bytes([size]) * 32)
    return checkpoint, SIGNER.sign(checkpoint.text())


@pytest.fixture
async def slack():
    async with judged() as slack:
        yield slack


def posted(slack):
    messages = slack.person("ana").messages("incidents")
    return [m.text for m in messages if m.text.startswith("Checkpoint")]


async def test_the_first_and_the_last_are_posted_and_what_is_copied_can_be_checked(slack):
    client = web_client(slack.bot_token, slack.api_url)
    channel = slack.workspace.channel_named("incidents").id
    notes = Notes(client, channel)
    async with notes.posted():
        notes.put(*made(3))
        await slack.wait_for(lambda: posted(slack))
        for size in (4, 5, 6):
            notes.put(*made(size))
    said = posted(slack)
    assert [text.splitlines()[0] for text in said] == [
        f"Checkpoint of my journal: {size} records." for size in (3, 6)
    ]
    copied = html.unescape(said[-1].split("```")[1]).strip() + "\n"
    assert opened(copied, [SIGNER.verifier]).size == 6


async def test_one_that_is_on_its_way_at_the_end_is_not_sent_again(slack):
    notes = Notes(
        web_client(slack.bot_token, slack.api_url), slack.workspace.channel_named("incidents").id
    )
    async with notes.posted():
        notes.put(*made(3))
        await slack.wait_for(lambda: posted(slack))  # its answer is still to come
    assert len(posted(slack)) == 1


async def test_what_slack_does_not_take_hinders_nothing(slack):
    notes = Notes(web_client(slack.bot_token, slack.api_url), "C000000")
    async with notes.posted():
        notes.put(*made(3))
    assert posted(slack) == []
