"""Socket Mode when something goes wrong: late answers, lost sockets, no socket at all."""

import asyncio

import aiohttp
import pytest

from assistant.slack.local import deliveries
from assistant.slack.local.deliveries import State, Timing

ONCE_MORE = Timing(ack=1.0, retries=(0.0, 0.0, 0.0))


class Raw:
    """A socket held by hand: acknowledges only when it is told to."""

    def __init__(self, socket):
        self.socket = socket

    async def envelope(self):
        return await self.socket.receive_json(timeout=60)

    async def ack(self, envelope):
        await self.socket.send_json({"envelope_id": envelope["envelope_id"]})


@pytest.fixture
async def dial(slack):
    """Open sockets as a client does, without Bolt."""
    async with aiohttp.ClientSession() as session:

        async def dial():
            headers = {"Authorization": f"Bearer {slack.app_token}"}
            async with session.post(
                f"{slack.api_url}apps.connections.open", headers=headers
            ) as answer:
                url = (await answer.json())["url"]
            return Raw(await session.ws_connect(url))

        yield dial


@pytest.mark.parametrize("timing", [ONCE_MORE])
@pytest.mark.breaks("acknowledged")
async def test_an_event_without_an_answer_is_delivered_again_with_its_id(slack, dial):
    raw = await dial()
    assert (await raw.envelope())["type"] == "hello"
    await slack.person("ana").say("#incidents", "hello")
    first = await raw.envelope()
    again = await raw.envelope()
    await raw.ack(again)
    await slack.settled()
    assert first["payload"]["event_id"] == again["payload"]["event_id"]
    assert first["envelope_id"] != again["envelope_id"]
    assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert slack.broken_rules() == [
        "events_api message took 2 deliveries, one acknowledged late or never."
    ]


@pytest.mark.parametrize("timing", [Timing(ack=0.05, retries=(0.0, 0.0, 0.0))])
@pytest.mark.breaks("acknowledged")
async def test_an_event_is_given_up_after_three_further_deliveries(slack, dial):
    raw = await dial()
    await raw.envelope()
    await slack.person("ana").say("#incidents", "hello")
    await slack.settled()
    seen = [(await raw.envelope())["retry_attempt"] for _ in range(4)]
    assert seen == [0, 1, 2, 3]
    assert slack.broken_rules() == ["events_api message was never acknowledged (failed)."]


@pytest.mark.parametrize("timing", [ONCE_MORE])
@pytest.mark.breaks("acknowledged")
async def test_a_late_answer_counts_as_late(slack, dial):
    raw = await dial()
    await raw.envelope()
    await slack.person("ana").say("#incidents", "hello")
    first = await raw.envelope()
    again = await raw.envelope()
    await raw.ack(first)
    await raw.ack(again)
    await slack.settled()
    assert slack.deliveries.all[0].late


async def test_each_event_goes_to_one_of_the_open_sockets(slack, dial):
    pair = [await dial(), await dial()]
    assert [(await raw.envelope())["num_connections"] for raw in pair] == [1, 2]
    heard = []

    async def listen(index):
        while True:
            envelope = await pair[index].socket.receive_json()
            heard.append(index)
            await pair[index].ack(envelope)

    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(listen(index)) for index in range(2)]
        for number in range(40):
            await slack.person("ana").say("#incidents", f"{number}")
        await slack.settled()
        for task in listening:
            task.cancel()
    assert len(heard) == 40
    assert set(heard) == {0, 1}


async def test_the_eleventh_socket_is_turned_away(slack, dial):
    raws = [await dial() for _ in range(11)]
    said = [await raw.envelope() for raw in raws]
    assert [envelope["type"] for envelope in said] == ["hello"] * 10 + ["disconnect"]
    assert said[-1]["reason"] == "too_many_websockets"


async def test_a_link_opens_one_socket_only(slack):
    url = f"{slack.base_url}/link/{slack.sockets.ticket()}"
    async with aiohttp.ClientSession() as session:
        await session.ws_connect(url)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(url)


async def test_events_wait_for_the_first_socket(slack, app, run):
    heard = []

    @app.event("message")
    async def message(event):
        heard.append(event["text"])

    await slack.person("ana").say("#incidents", "nobody is here")
    async with run(app):
        await slack.settled()
        await slack.wait_for(lambda: heard)
    assert heard == ["nobody is here"]
    assert slack.broken_rules() == []


@pytest.mark.breaks("acknowledged")
async def test_what_does_not_fit_the_backlog_is_dropped(slack):
    for _ in range(deliveries.BACKLOG + 1):
        slack.office.tell({"type": "message"})
    assert slack.deliveries.all[-1].state is State.DROPPED
    assert slack.deliveries.all[-2].state is State.WAITING
    assert len(slack.broken_rules()) == 1


@pytest.mark.parametrize("how", ["refresh_requested", "link_disabled", "abort"])
async def test_the_app_comes_back_and_hears_what_was_said_meanwhile(slack, app, run, how):
    heard = []

    @app.event("message")
    async def message(event):
        heard.append(event["text"])

    async with run(app):
        before = slack.sockets.links[0]
        if how == "abort":
            slack.sockets.abort()
        else:
            await slack.sockets.disconnect(how)
        await slack.person("ana").say("#incidents", "meanwhile")
        await slack.wait_for(lambda: heard)
        await slack.wait_for(lambda: slack.sockets.links and slack.sockets.links[-1] is not before)
    assert set(heard) == {"meanwhile"}
