"""What an app did that it never should is found at the end of a test."""

import pytest
from slack_sdk.http_retry import FixedValueRetryIntervalCalculator
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.local.faults import Failure, Fault

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "wake up <!here>"}}
LITERAL = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "log: <!here>"}]}
    ],
}
SHOUT = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}
    ],
}
KEYED = {"event_type": "card", "event_payload": {"key": "incident-1"}}


async def test_a_good_post_breaks_no_rule(slack, client, channel, quiet):
    await client.chat_postMessage(channel=channel, text="x", blocks=[LITERAL], **quiet)
    assert slack.broken_rules() == []


@pytest.mark.parametrize(
    "post", [{"text": "<!channel> x"}, {"text": "x", "blocks": [SECTION]}, {"blocks": [SHOUT]}]
)
async def test_calling_everybody_is_found(slack, client, channel, quiet, post):
    await client.chat_postMessage(channel=channel, **{"text": "x"} | post, **quiet)
    assert slack.broken_rules() == [f"chat.postMessage in {channel} called everybody."]


LINK = {"type": "link", "url": "https://traces.example/t1"}
LED = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [LINK]}],
}
BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "go",
            "text": {"type": "plain_text", "text": "Go"},
            "url": "https://traces.example/t1",
        }
    ],
}


@pytest.mark.parametrize(
    "post", [{"blocks": [LED]}, {"blocks": [BUTTON]}, {"text": "<https://traces.example/t1|t1>"}]
)
async def test_an_address_that_nobody_allowed_is_found(slack, client, channel, quiet, post):
    await client.chat_postMessage(channel=channel, **{"text": "x"} | post, **quiet)
    assert slack.broken_rules(hosts={"traces.example"}) == []
    assert slack.broken_rules() == [
        "chat.postMessage leads to https://traces.example/t1, which nobody allowed."
    ]


async def test_previews_must_be_refused_each_time(slack, client, channel):
    await client.chat_postMessage(channel=channel, text="x", unfurl_links=False)
    assert slack.broken_rules() == [
        f"chat.postMessage in {channel} did not say unfurl_media=False."
    ]


async def test_a_message_that_was_posted_twice_is_found_by_its_key(slack, channel, quiet):
    slack.faults.add(Fault(method="chat.postMessage", failure=Failure.LOST_ANSWER))
    at_once = AsyncConnectionErrorRetryHandler(
        interval_calculator=FixedValueRetryIntervalCalculator(0.0)
    )
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[at_once])
    await client.chat_postMessage(channel=channel, text="x", metadata=KEYED, **quiet)
    assert len(slack.person("ana").messages("#incidents")) == 2
    assert slack.broken_rules() == ["The message with the key incident-1 was posted 2 times."]


async def test_more_than_a_post_a_second_is_found_where_it_lasts(slack, client, channel, quiet):
    for _ in range(4):
        await client.chat_postMessage(channel=channel, text="x", **quiet)
    assert slack.broken_rules(burst=4) == []
    assert slack.broken_rules(burst=2) == [f"{channel} was given more than 1 post a second."]
    assert slack.broken_rules(burst=None) == []
