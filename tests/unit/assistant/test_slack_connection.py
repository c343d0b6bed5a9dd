"""The connections to Slack: renewed without a gap, and back after an outage: all told, once."""

import asyncio
import threading
from dataclasses import replace
from itertools import islice

import aiohttp
import pytest
from slackdesk import LOOKS, Inbox, Rig
from slackrig import judged
from written import NOON

from assistant.domain.events import Opened
from assistant.slack.errors import SlackError
from assistant.slack.line import Pace
from assistant.slack.local.deliveries import State, Timing
from assistant.slack.local.faults import Envelopes, Outage
from assistant.slack.local.slack import PATIENCE_S
from assistant.slack.transports import LINES

QUICK = Pace(first_s=0.02, longest_s=0.1, linger_s=2.0)


@pytest.fixture
async def slack():
    timing = Timing(retries=(0.0, 0.1, 0.2))
    async with judged(
        hosts=LOOKS.hosts, burst=None, timing=timing, excused=["acknowledged"]
    ) as slack:
        yield slack


@pytest.fixture
def rig(slack):
    rig = Rig(slack)
    rig.pace = QUICK
    return rig


async def told(rig, count):
    """Wait until so many commands were taken; returns their texts."""
    await rig.slack.wait_for(lambda: len(rig.desk.taken) >= count)
    return [command.text for command, _ in rig.desk.taken]


def cards(rig, ts):
    """Return what firstline has posted in a thread."""
    bot = rig.slack.workspace.bot.id
    return [m for m in rig.messages(thread=ts) if m.user == bot and not m.only_for]


def links(slack):
    return frozenset(slack.sockets.links)


async def test_two_connections_are_held(rig, slack):
    async with rig.running() as whole:
        await slack.connected(2)
        assert whole.contact.why is None


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_refresh_of_both_leaves_no_moment_without_a_connection(rig, slack, reason):
    async with rig.running():
        await slack.connected(2)
        before, least = links(slack), 2

        async def count():
            nonlocal least
            async for _ in slack.changes():
                least = min(least, len(slack.sockets.links))

        counting = asyncio.create_task(count())
        await slack.sockets.disconnect(reason)
        for number in range(20):
            await slack.person("ana").say("incidents", f"@firstline question {number}")
        await told(rig, 20)
        await rig.settled()
        await slack.wait_for(lambda: len(links(slack) - before) == 2 and not links(slack) & before)
        counting.cancel()
    assert least == 2
    assert len(rig.desk.taken) == 20
    assert slack.broken_rules(burst=None, hosts=LOOKS.hosts) == []


@pytest.mark.parametrize("how", ["link_disabled", "abort"])
async def test_connections_that_are_closed_or_cut_are_opened_anew(rig, slack, how):
    async with rig.running():
        await slack.connected(2)
        before = links(slack)
        if how == "abort":
            slack.sockets.abort()
        else:
            await slack.sockets.disconnect(how)
        await slack.wait_for(lambda: len(links(slack) - before) == 2)
        await slack.person("ana").say("incidents", "@firstline booking fails")
        assert await told(rig, 1) == ["booking fails"]


async def test_an_address_that_was_tried_in_vain_is_not_tried_again(rig, slack):
    async with rig.running() as whole:
        await slack.connected(2)
        with slack.faults.standing(Outage(methods=frozenset())):
            slack.sockets.abort()  # addresses are given out, and no socket can be opened
            await slack.wait_for(lambda: "HTTP status" in (whole.contact.why or ""))
        await slack.connected(2)


async def test_after_an_outage_all_is_told_and_shown_once(rig, slack, caplog):
    async with rig.running() as whole:
        await slack.connected(2)
        ts = await slack.person("ana").say("incidents", "@firstline booking fails")
        await told(rig, 1)
        place = rig.desk.taken.pop()[0].place
        with slack.away():
            await slack.wait_for(lambda: whole.contact.why)
            assert whole.contact.why.startswith("Slack is not connected since ")
            await rig.desk.happen(
                "INC-1", Opened(at=NOON, text="booking fails", service="front", place=place)
            )
            await slack.person("ben").say("incidents", "@firstline not the database", thread=ts)
            await slack.person("cleo").say("incidents", "@firstline checkout is slow")
            assert cards(rig, ts) == []
        await slack.connected(2)
        assert sorted(await told(rig, 2)) == ["checkout is slow", "not the database"]
        await slack.wait_for(lambda: cards(rig, ts))
        await rig.settled()
        assert whole.contact.why is None
        assert len(rig.desk.taken) == 2
    said = [r.getMessage() for r in caplog.records if "connected" in r.getMessage()]
    assert [line.split(":")[0].split(",")[0] for line in said] == [
        "Slack is not connected",
        "Slack is connected again",
    ]
    assert len(cards(rig, ts)) == 1


async def test_one_connection_lost_is_no_loss_of_slack(rig, slack, caplog):
    async with rig.running():
        await slack.connected(2)
        first, second = slack.sockets.links
        await slack.sockets.disconnect("link_disabled", first)
        await slack.wait_for(lambda: first not in slack.sockets.links)
        await slack.connected(2)
        assert second in slack.sockets.links
    assert "not connected" not in caplog.text


async def test_an_app_token_that_is_revoked_ends_it_with_a_sentence(rig, slack):
    whole = rig.build()
    task = asyncio.create_task(whole.run())
    await asyncio.wait_for(whole.ready.wait(), PATIENCE_S)
    slack.workspace.tokens.pop(slack.app_token)
    slack.sockets.abort()
    with pytest.raises(SlackError, match=r"Slack refuses the token .*install the app again"):
        await asyncio.wait_for(task, PATIENCE_S)


@pytest.mark.parametrize(
    ("app", "says"), [("xapp-wrong", "install the app again"), ("bot", "swapped")]
)
async def test_an_app_token_that_does_not_work_is_said_in_a_sentence(rig, app, says):
    whole = rig.build()
    token = rig.slack.bot_token if app == "bot" else app
    whole = replace(whole, connection=replace(whole.connection, app_token=token))
    with pytest.raises(SlackError, match=says):
        await whole.run()


async def test_every_token_refused_ends_it_with_a_sentence(rig, slack):
    rig.look_s = 0.05
    whole = rig.build()
    task = asyncio.create_task(whole.run())
    await asyncio.wait_for(whole.ready.wait(), PATIENCE_S)
    slack.faults.revoked = True
    with pytest.raises(SlackError, match="install the app again"):
        await asyncio.wait_for(task, PATIENCE_S)


async def test_a_connection_on_which_nobody_greets_is_given_up(rig, slack):
    rig.pace = replace(QUICK, open_s=0.5)
    slack.faults.envelopes = Envelopes(greeting=False)
    whole = rig.build()
    task = asyncio.create_task(whole.run())
    await slack.wait_for(lambda: "did not greet" in (whole.contact.why or ""))
    assert not whole.ready.is_set()
    slack.faults.envelopes = Envelopes()
    await asyncio.wait_for(whole.ready.wait(), PATIENCE_S)
    task.cancel()


async def test_too_many_connections_are_said_and_waited_out(rig, slack):
    async with aiohttp.ClientSession() as session:
        held = [
            await session.ws_connect(f"{slack.base_url}/link/{slack.sockets.ticket()}")
            for _ in range(10)
        ]
        await slack.connected(10)
        whole = rig.build()
        task = asyncio.create_task(whole.run())
        await slack.wait_for(lambda: "stop its other processes" in (whole.contact.why or ""))
        assert not whole.ready.is_set()
        assert not any(socket.closed for socket in held)
    await asyncio.wait_for(whole.ready.wait(), PATIENCE_S)  # the others are gone
    task.cancel()


async def test_each_envelope_twice_is_one_command(rig, slack):
    slack.faults.envelopes = Envelopes(copies=2)
    async with rig.running():
        await slack.connected(2)
        await slack.person("ana").say("incidents", "@firstline booking fails")
        await rig.settled()
    assert len(slack.deliveries.all) == 4  # mention and message, each twice
    assert len(rig.desk.taken) == 1


async def test_lines_of_a_thread_that_overtake_each_other_are_taken_in_their_order(rig, slack):
    async with rig.running():
        ts = await slack.person("ana").say("incidents", "@firstline booking fails")
        await told(rig, 1)
        place = rig.desk.taken.pop()[0].place
        await rig.desk.happen("INC-1", Opened(at=NOON, text="x", service=None, place=place))
        await slack.settled()
        slack.faults.envelopes = Envelopes(held_s=0.05)
        for text in ("not the ledger", "look at the ledger"):
            await slack.person("ben").say("incidents", text, thread=ts)
        assert await told(rig, 2) == ["not the ledger", "look at the ledger"]


class Together(Inbox):
    """Keeps something only once so many others are being kept as well."""

    def __init__(self, note, count):
        super().__init__(note)
        self.barrier = threading.Barrier(count)

    def claim(self, key, body, now):
        self.barrier.wait(PATIENCE_S)
        return super().claim(key, body, now)


async def test_what_takes_long_to_be_kept_does_not_hold_up_what_comes_after_it(rig, slack):
    together = Together(slack.workspace.changes.note, LINES + 1)
    rig.tables = replace(rig.tables, inbox=together)
    async with rig.running():
        await slack.connected(LINES)
        for n in range(LINES + 1):
            slack.deliveries.send("events_api", {"event_id": f"Ev{n}", "event": {"type": "x"}})
        await slack.settled()
    assert {delivery.state for delivery in slack.deliveries.all} == {State.ACKED}


async def test_a_slow_acknowledgement_brings_the_event_again_and_it_is_one_command():
    timing = Timing(ack=0.3, retries=(0.0, 0.0, 0.0))
    async with judged(
        hosts=LOOKS.hosts, burst=None, timing=timing, excused=["acknowledged"]
    ) as slack:
        rig = Rig(slack)
        slack.faults.envelopes = Envelopes(ack_s=1.0)
        async with rig.running():
            await slack.person("ana").say("incidents", "@firstline booking fails")
            await rig.settled()
        assert {delivery.state for delivery in slack.deliveries.all} == {State.FAILED}
        assert len(rig.desk.taken) == 1


def test_waits_grow_with_chance_in_them_up_to_a_limit():
    pace = Pace(first_s=1.0, longest_s=30.0)
    runs = [list(islice(pace.waits(), 8)) for _ in range(20)]
    for waits in runs:
        for wait, most in zip(waits, (1, 2, 4, 8, 16, 30, 30, 30), strict=True):
            assert most / 2 <= wait <= most
    assert len({tuple(waits) for waits in runs}) == 20
