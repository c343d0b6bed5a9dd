"""Being on call without a Slack that anybody can reach is not being on call."""

import asyncio
import re
from contextlib import AsyncExitStack, closing

import aiohttp
import pytest
from slackrig import judged

from assistant.clock import SystemClock
from assistant.config import Settings, SlackSettings
from assistant.oncall import Parts, _connected, inbound, on_slack
from assistant.slack.errors import SlackError
from assistant.slack.granted import missing
from assistant.slack.intents import HELP
from assistant.slack.manifest import OPTIONAL_SCOPES, PATH, SCOPES
from assistant.slack.text import escape
from retrieval.index import open_index


class Slack:
    """A connection that ends when it is told to, with what it is told."""

    def __init__(self):
        self.ready, self.end, self.error = asyncio.Event(), asyncio.Event(), None
        self.away = asyncio.Event()

    async def run(self):
        self.ready.set()
        await self.end.wait()
        raise self.error


async def test_when_slack_ends_so_does_what_stays_on_call():
    slack = Slack()
    slack.error = OSError("the disk is full")

    async def serve():
        async with _connected(slack):
            slack.end.set()
            await asyncio.Event().wait()

    with pytest.raises(SlackError, match="has ended: the disk is full"):
        await asyncio.wait_for(serve(), 60)


async def test_an_end_of_its_own_is_an_end_and_no_interruption():
    async with _connected(Slack()):
        pass
    await asyncio.sleep(0)
    assert not asyncio.current_task().cancelling()


async def test_an_interruption_stays_one():
    async def serve():
        async with _connected(Slack()):
            await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def told(slack, folder, **more):
    """Return settings for a Slack that posts to us."""
    said = SlackSettings(
        bot_token=slack.bot_token,
        signing_secret=slack.signing_secret,
        api_url=slack.api_url,
        **more,
    )
    return Settings(data=folder / "data", slack=said, listen="127.0.0.1:0")


@pytest.fixture
def parts(tmp_path):
    with closing(open_index(tmp_path / "index", embed=False)) as index:
        yield Parts(connectors={}, actuators={}, index=index, receivers={})


async def test_slack_may_post_to_the_port_on_which_webhooks_are_served(parts, tmp_path):
    async with judged() as slack:
        settings = told(slack, tmp_path)
        async with (
            on_slack(parts, settings, SystemClock()) as here,
            inbound(here, parts, settings, SystemClock()) as url,
        ):
            await slack.deliver_to(f"{url}{PATH}")
            ana = slack.person("ana")
            await ana.say("incidents", "@firstline help")
            shown = await slack.wait_for(
                lambda: [m.text for m in ana.messages("incidents") if m.only_for]
            )
            assert shown == [escape(HELP)]
            await slack.settled()


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ({"users:read"}, "the scope users:read is missing"),
        ({"im:history", "channels:read"}, "the scopes channels:read, im:history are missing"),
    ],
)
async def test_a_scope_that_is_needed_and_was_not_granted_ends_the_start(
    parts, tmp_path, lacks, said
):
    async with judged(scopes=SCOPES - lacks) as slack:
        with pytest.raises(SlackError, match=rf"{said}: update the app .* install it again\.$"):
            async with on_slack(parts, told(slack, tmp_path), SystemClock()):
                pass


@pytest.fixture
async def ask():
    async with aiohttp.ClientSession() as session:

        async def get(url):
            async with session.get(url) as answer:
                return answer.status, (await answer.json())["why"]

        yield get


def by_sockets(slack, folder):
    said = SlackSettings(
        bot_token=slack.bot_token, app_token=slack.app_token, api_url=slack.api_url
    )
    return Settings(data=folder / "data", slack=said, listen="127.0.0.1:0")


@pytest.mark.parametrize("how", [told, by_sockets])
async def test_an_outage_at_the_start_is_waited_for_with_webhooks_open(parts, tmp_path, ask, how):
    async with judged(burst=None) as slack:
        settings = how(slack, tmp_path)
        async with on_slack(parts, settings, SystemClock()) as here:
            assert here.slack.contact.why is None  # it has learnt which channel is meant
        async with AsyncExitStack() as stack:
            with slack.away():
                here = await stack.enter_async_context(on_slack(parts, settings, SystemClock()))
                url = await stack.enter_async_context(inbound(here, parts, settings, SystemClock()))
                status, why = await ask(f"{url}/readyz")
                assert status == 503
                assert re.fullmatch(r"Slack is not connected since \S+ UTC: Slack is .+\.", why)
                assert "Error" not in why
            async with asyncio.timeout(20):
                await here.slack.ready.wait()
            assert await ask(f"{url}/readyz") == (200, None)
            if how is told:
                await slack.deliver_to(f"{url}{PATH}")
            ana = slack.person("ana")
            await ana.say("incidents", "@firstline help")
            await slack.wait_for(lambda: [m for m in ana.messages("incidents") if m.only_for])
            await slack.settled()


async def test_the_first_start_in_an_outage_waits_until_slack_names_the_channel(parts, tmp_path):
    async with judged(burst=None) as slack:
        settings = by_sockets(slack, tmp_path)

        async def start():
            async with on_slack(parts, settings, SystemClock()) as here:
                return here.slack.connection.channel

        with slack.away():
            starting = asyncio.create_task(start())
            done, _ = await asyncio.wait([starting], timeout=0.3)
            assert not done
        assert await starting == slack.workspace.channel_named("incidents").id


async def test_a_refused_token_ends_the_start_all_the_same(parts, tmp_path):
    async with judged(burst=None) as slack:
        async with on_slack(parts, by_sockets(slack, tmp_path), SystemClock()):
            pass
        slack.workspace.tokens.clear()
        with pytest.raises(SlackError, match="refuses the token"):
            async with on_slack(parts, by_sockets(slack, tmp_path), SystemClock()):
                pass


async def test_a_start_needs_no_scope_that_can_be_refused(parts, tmp_path):
    async with (
        judged(scopes=SCOPES - {*OPTIONAL_SCOPES}) as slack,
        on_slack(parts, told(slack, tmp_path), SystemClock()) as here,
    ):
        assert here.slack.contact.why is None


def test_where_slack_names_no_scopes_nothing_is_concluded():
    assert missing({}) == ()
