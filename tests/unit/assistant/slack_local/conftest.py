"""A loopback Slack, and Slack's own clients connected to it."""

from contextlib import asynccontextmanager

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slackrig import ACK_S, judged

from assistant.slack.local.cast import SCOPES
from assistant.slack.local.deliveries import Timing


def client_of(slack):
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


@asynccontextmanager
async def running(app, slack):
    """A Bolt app in Socket Mode."""
    # It gives a connection up after four pings without an answer, as a busy machine may let pass.
    handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=2.0)
    await handler.connect_async()
    await slack.connected()
    try:
        yield handler
    finally:
        await handler.close_async()


@pytest.fixture
def timing():
    """Patient with the machine; a test that waits for a missing answer parametrizes it."""
    return Timing(ack=ACK_S, retries=(0.0, 0.0, 0.0))


@pytest.fixture
async def slack(timing, request):
    breaks = [name for mark in request.node.iter_markers("breaks") for name in mark.args]
    async with judged(timing=timing, scopes=SCOPES, burst=10, breaks=breaks) as slack:
        yield slack


@pytest.fixture
def client(slack):
    return client_of(slack)


@pytest.fixture
def app(client):
    return AsyncApp(client=client)


@pytest.fixture
def run(slack):
    """Connects an app to the Slack of this test, for as long as a block lasts."""
    return lambda app: running(app, slack)


@pytest.fixture
def channel(slack):
    """The id of #incidents."""
    return slack.workspace.channel_named("incidents").id


@pytest.fixture
def quiet():
    """What every post of ours says."""
    return {"unfurl_links": False, "unfurl_media": False}
