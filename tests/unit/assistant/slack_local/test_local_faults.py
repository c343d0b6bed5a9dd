"""What stands until it is lifted: an outage, envelopes that misbehave, a revoked token."""

from datetime import UTC, datetime

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slackrig import judged

from assistant.slack.local.deliveries import Timing
from assistant.slack.local.faults import Envelopes


class Stopwatch:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return datetime.fromtimestamp(1_760_000_000 + self.seconds, UTC)

    def monotonic(self):
        return self.seconds


async def hears(slack, app):
    """Have the app note what it hears; returns the list."""
    heard = []

    @app.event("message")
    async def message(event):
        heard.append(event["text"])
        slack.workspace.changes.note()

    return heard


async def test_in_an_outage_every_call_fails_until_it_is_lifted(slack, client):
    with slack.away(), pytest.raises(SlackApiError, match="503"):
        await client.auth_test()
    assert (await client.auth_test())["ok"]


async def test_some_methods_can_be_away_alone(slack, client, channel, quiet, app, run):
    heard = await hears(slack, app)
    async with run(app):
        with slack.away("chat.postMessage"):
            with pytest.raises(SlackApiError, match="503"):
                await client.chat_postMessage(channel=channel, text="x", **quiet)
            assert (await client.auth_test())["ok"]
            await slack.person("ana").say("#incidents", "told all the same")
            await slack.wait_for(lambda: heard)


async def test_in_an_outage_sockets_are_cut_and_what_is_said_is_told_afterwards(slack, app, run):
    heard = await hears(slack, app)
    async with run(app):
        with slack.away():
            await slack.wait_for(lambda: not slack.sockets.links)
            await slack.person("ana").say("#incidents", "meanwhile")
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                    await session.ws_connect(f"{slack.base_url}/link/{slack.sockets.ticket()}")
            assert heard == []
        await slack.wait_for(lambda: heard)
    assert heard == ["meanwhile"]


async def test_a_ticket_is_good_for_half_a_minute():
    clock = Stopwatch()
    async with judged(None, clock) as slack, aiohttp.ClientSession() as session:
        old, fresh = slack.sockets.ticket(), None
        clock.seconds = 31
        fresh = slack.sockets.ticket()
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(f"{slack.base_url}/link/{old}")
        assert (await (await session.ws_connect(f"{slack.base_url}/link/{fresh}")).receive_json())[
            "type"
        ] == "hello"


@pytest.mark.parametrize("timing", [Timing(goodbye=1.0)])
async def test_a_socket_that_was_warned_works_on_and_is_closed_a_little_later(slack):
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{slack.base_url}/link/{slack.sockets.ticket()}")
        assert (await socket.receive_json())["type"] == "hello"
        await slack.sockets.disconnect("warning")
        assert (await socket.receive_json()) == {"type": "disconnect", "reason": "warning"}
        slack.office.tell({"type": "team_join"})
        told = await socket.receive_json()
        await socket.send_json({"envelope_id": told["envelope_id"]})
        await slack.settled()
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_envelopes_come_twice(slack, app, run):
    heard = await hears(slack, app)
    slack.faults.envelopes = Envelopes(copies=2)
    async with run(app):
        await slack.person("ana").say("#incidents", "again")
        await slack.wait_for(lambda: len(heard) == 2)
    assert len({delivery.payload["event_id"] for delivery in slack.deliveries.all}) == 1


async def test_envelopes_overtake_each_other(slack, app, run):
    heard = await hears(slack, app)
    slack.faults.envelopes = Envelopes(held_s=0.3)
    async with run(app):
        for word in ("one", "two"):
            await slack.person("ana").say("#incidents", word)
        await slack.wait_for(lambda: len(heard) == 2)
    assert heard == ["two", "one"]


@pytest.mark.breaks("acknowledged")
@pytest.mark.parametrize("timing", [Timing(ack=0.2, retries=(0.0,))])
async def test_an_acknowledgement_that_travels_too_long_is_none(slack, app, run):
    heard = await hears(slack, app)
    slack.faults.envelopes = Envelopes(ack_s=1.0)
    async with run(app):
        await slack.person("ana").say("#incidents", "hello")
        await slack.wait_for(lambda: len(heard) == 2)
        slack.faults.envelopes = Envelopes()
        await slack.settled()
    assert heard == ["hello", "hello"]


async def test_a_revoked_token_is_refused_everywhere(slack, client):
    slack.faults.revoked = True
    for call in (client.auth_test(), client.apps_connections_open(app_token=slack.app_token)):
        with pytest.raises(SlackApiError, match="invalid_auth"):
            await call
