"""What is said to whoever watches over firstline: whether it can work, and why not."""

import re

import aiohttp
import pytest
from slackdesk import Rig
from slackrig import judged

from assistant.inbound import Inbound
from assistant.slack.line import Pace


@pytest.fixture
async def ask():
    async with aiohttp.ClientSession() as session:

        async def get(url):
            async with session.get(url) as answer:
                return answer.status, await answer.json()

        yield get


async def test_readiness_tells_since_when_slack_is_not_connected(ask):
    async with judged(burst=None, excused=["acknowledged"]) as slack:
        rig = Rig(slack)
        rig.pace = Pace(first_s=0.02, longest_s=0.1)
        whole = rig.build()
        server = Inbound("127.0.0.1", 0, lambda: whole.contact.why)
        url = await server.start()
        try:
            early = {"ok": False, "why": "Slack is not connected: it has not been reached yet"}
            assert await ask(f"{url}/readyz") == (503, early)
            async with rig.run(whole):
                assert await ask(f"{url}/readyz") == (200, {"ok": True, "why": None})
                with slack.away():
                    await slack.wait_for(lambda: whole.contact.why)
                    status, said = await ask(f"{url}/readyz")
                    assert status == 503
                    assert re.match(
                        r"Slack is not connected since \d\d:\d\d:\d\d UTC: ", said["why"]
                    )
                    assert (await ask(f"{url}/healthz"))[0] == 200
                await slack.person("ana").open_home()  # is heard through a new connection
                assert (await ask(f"{url}/readyz"))[0] == 200
        finally:
            await server.aclose()


async def test_a_compressed_alert_is_refused_before_it_is_unpacked():
    server = Inbound("127.0.0.1", 0, lambda: None)

    async def receive(_, body):
        return 200, {"bytes": len(body)}

    server.add("alerts", receive)
    url = f"{await server.start()}/webhooks/alerts"
    try:
        async with aiohttp.ClientSession() as session:
            async with session.post(url, data=b"{}") as answer:
                assert (answer.status, await answer.json()) == (200, {"bytes": 2})
            packed = {"Content-Encoding": "gzip"}
            async with session.post(url, data=b"no gzip", headers=packed) as answer:
                assert (answer.status, await answer.json()) == (
                    415,
                    {"error": "send it uncompressed"},
                )
    finally:
        await server.aclose()
