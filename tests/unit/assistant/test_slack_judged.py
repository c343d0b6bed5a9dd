"""The Slack of the tests fails a test that shows what none may show, or that says so idly."""

import asyncio
import json

import pytest
from slackrig import Broken, judged, left
from specimens import BAD

from assistant.clock import SystemClock
from assistant.slack.local.cast import demo_workspace
from assistant.slack.local.office import Made
from assistant.slack.transports import web_client

QUIET = {"unfurl_links": False, "unfurl_media": False}


async def said(slack, text, **more):
    client = web_client(slack.bot_token, slack.api_url)
    channel = slack.workspace.channel_named("incidents").id
    await client.chat_postMessage(channel=channel, text=text, **more)


def let_pass(slack, *blocks):
    """Note a post as a Slack would that looks at nothing."""
    args = {"channel": "C1", "text": "x", "blocks": list(blocks), **QUIET}
    slack.office.calls.append(Made(method="chat.postMessage", args=args, at=0.0, ts="1.0"))


async def test_what_is_fine_passes():
    async with judged() as slack:
        await said(slack, "fine", **QUIET)


@pytest.mark.parametrize("name", BAD)
async def test_a_message_that_is_wrong_fails_the_test_that_made_it(name):
    with pytest.raises(Broken, match=r"chat.postMessage in C1.* Slack would refuse"):
        async with judged() as slack:
            let_pass(slack, BAD[name])


async def test_a_rule_that_is_broken_on_purpose_is_named():
    async with judged(breaks=["previews"]) as slack:
        await said(slack, "look")


async def test_a_rule_that_is_named_and_not_broken_fails():
    with pytest.raises(Broken, match="says that it breaks the rule previews, and does not"):
        async with judged(breaks=["previews"]) as slack:
            await said(slack, "look", **QUIET)


async def test_a_name_that_is_no_rule_fails():
    with pytest.raises(KeyError, match="preview"):
        async with judged(breaks=["preview"]):
            pass


async def test_a_rule_that_chance_may_break_is_excused():
    for more in ({}, QUIET):
        async with judged(excused=["previews"]) as slack:
            await said(slack, "look", **more)


async def test_three_posts_at_once_are_too_fast_for_whoever_says_nothing_of_pace():
    async with judged(breaks=["pace"]) as slack:
        for _ in range(3):
            await said(slack, "x", **QUIET)


async def stopped(file):
    async with left(file, demo_workspace(), SystemClock()) as slack:
        assert not file.read_text()
        await said(slack, "look")
        raise asyncio.CancelledError


async def test_what_a_process_of_its_own_broke_is_left_in_its_file_even_where_it_was_stopped(
    tmp_path,
):
    file = tmp_path / "verdict"
    with pytest.raises(asyncio.CancelledError):
        await stopped(file)
    assert "did not say unfurl_links=False" in json.loads(file.read_text())[0]
