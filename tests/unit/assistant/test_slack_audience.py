"""Who can read along in a channel, and when more people can than did."""

import pytest
from slackdesk import LOOKS
from slackrig import judged

from assistant.actions.audience import widened
from assistant.slack.audience import SlackAudience
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.people import Kind
from assistant.slack.transports import web_client


@pytest.fixture
async def slack():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield slack


async def readers(slack, **said):
    channel = slack.workspace.channel_named("incidents")
    for name, value in said.items():
        setattr(channel, name, value)
    audience = SlackAudience(web_client(slack.bot_token, slack.api_url), channel.id)
    return await audience.readers(f"{channel.id}/1.0")


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({}, "public"),
        ({"kind": Kind.PRIVATE}, "private"),
        ({"shared": True}, "shared"),
        ({"foreign": True}, "foreign"),
        ({"kind": Kind.PRIVATE, "foreign": True}, "foreign"),
    ],
)
async def test_slack_says_who_can_read_along(slack, said, word):
    assert await readers(slack, **said) == word


async def test_where_slack_does_not_answer_nobody_knows(slack):
    slack.faults.add(Fault(method="conversations.info", failure=Failure.ERROR))
    assert await readers(slack) == ""


async def test_direct_messages_are_read_by_two_and_slack_is_not_asked(slack):
    client = web_client(slack.bot_token, slack.api_url)
    assert await SlackAudience(client, "C1").readers("D1/1.0") == "private"
    assert not slack.office.calls


@pytest.mark.parametrize(
    ("then", "now", "why"),
    [
        ("private", "public", "public since the request"),
        ("public", "shared", "shared with other workspaces"),
        ("shared", "foreign", "shared with another organisation"),
        ("public", "", "nobody says"),
        ("public", "public", None),
        ("public", "private", None),
        ("foreign", "public", None),
    ],
)
def test_only_more_readers_than_before_are_a_reason(then, now, why):
    told = widened(then, now)
    assert told is None if why is None else why in told
