"""The channel for alerts, found by its name with nothing but what the manifest grants."""

import pytest
from slackrig import judged

from assistant.slack.channels import channel_id
from assistant.slack.errors import SlackError
from assistant.slack.transports import web_client


@pytest.fixture
async def slack():
    async with judged() as slack:
        yield slack


async def test_a_channel_is_found_by_its_name_and_by_its_id(slack):
    client = web_client(slack.bot_token, slack.api_url)
    known = slack.workspace.channel_named("incidents").id
    assert await channel_id(client, "#incidents") == known
    assert await channel_id(client, known) == known


async def test_a_channel_that_is_not_there_is_one_sentence(slack):
    client = web_client(slack.bot_token, slack.api_url)
    with pytest.raises(SlackError, match="no public channel #nowhere: create it"):
        await channel_id(client, "#nowhere")


async def test_a_wrong_token_is_one_sentence(slack):
    client = web_client("xoxb-wrong", slack.api_url)
    with pytest.raises(SlackError, match="invalid_auth"):
        await channel_id(client, "#incidents")
