"""The shop's alerts: Alertmanager's payload, delivered even to a receiver that comes up late."""

import asyncio
from datetime import UTC, datetime

import aiohttp
from aiohttp import web
from shop.webhook import Alert, deliver, payload

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _alert(*, route: str = "GET /", ends: datetime | None = None) -> Alert:
    return Alert(
        name="HighLatency",
        service="front",
        route=route,
        summary=f"front {route}: p95 latency is 600 ms",
        starts=AT,
        ends=ends,
        link="http://127.0.0.1:9/status",
    )


def test_a_payload_has_the_fields_of_version_4():
    sent = payload([_alert(), _alert(route="GET /p", ends=AT)])
    assert sent["version"] == "4"
    assert sent["status"] == "firing"
    assert sent["commonLabels"] == {
        "alertname": "HighLatency",
        "service": "front",
        "severity": "page",
    }
    first, second = sent["alerts"]  # type: ignore[misc]
    assert first["labels"]["route"] == "GET /"
    assert (first["status"], second["status"]) == ("firing", "resolved")
    assert first["endsAt"] == "0001-01-01T00:00:00Z"
    assert first["fingerprint"] != second["fingerprint"]


def test_an_alert_keeps_its_fingerprint_when_it_resolves():
    assert _alert().fingerprint == _alert(ends=AT).fingerprint
    assert payload([_alert(ends=AT)])["status"] == "resolved"


async def test_delivery_tries_again_until_the_receiver_takes_it():
    answers = [503, 429, 200]
    taken = []

    async def receive(request: web.Request) -> web.Response:
        status = answers.pop(0)
        if status == 200:
            taken.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        assert await deliver(session, url, [_alert()])
    assert [alert["receiver"] for alert in taken] == ["on-call"]
    await runner.cleanup()
