"""The running shop is acted on: a repair ends the alert, the fault comes back, a key is kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from shop.actuator import build
from shop.demo import Shop

from connectors.actions import ActionCall
from connectors.demo import DemoRun

pytestmark = pytest.mark.e2e


@pytest.fixture
async def sink() -> AsyncIterator[str]:
    """The address of something that takes telemetry and alerts, and forgets them."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def _run(sink: str, folder: Path, *, fault: str | None, seed: int) -> DemoRun:
    return DemoRun(
        otlp_endpoint=sink, alert_webhook=f"{sink}/alerts", folder=folder, seed=seed, fault=fault
    )


async def _until(condition: Callable[[], object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - told by another process
            await asyncio.sleep(0.1)


@pytest.mark.timeout(200)
async def test_a_repair_ends_the_alert_and_the_same_fault_comes_back(sink: str, tmp_path: Path):
    firing: dict[str, bool] = {}
    fired: list[str] = []

    def hear(message: dict[str, object]) -> None:
        firing[str(message["about"])] = bool(message["firing"])
        fired.extend([str(message["about"])] * bool(message["firing"]))

    shop = Shop(hear, warm_up_s=15)
    async with shop.start(_run(sink, tmp_path, fault="bad-release", seed=5)) as session:
        await session.play()
        await _until(lambda: any(firing.values()), 30)
        first = await session.truth()
        actuator = build(session.system.actuators["shop"])
        args = {"service": str(first.service), "change": str(first.change)}
        await actuator.run(ActionCall(action="rollback_deploy", args=args), "repair-1")
        await actuator.aclose()
        await _until(lambda: not any(firing.values()), 30)
        heard = len(fired)
        await session.recur()
        await _until(lambda: len(fired) > heard, 20)
        second = await session.truth()
    assert second.service == first.service
    assert second.change not in {None, first.change}
    assert str(second.onset) > str(first.onset)


async def test_an_instance_is_replaced_once_for_a_key(sink: str, tmp_path: Path):
    async with Shop().start(_run(sink, tmp_path, fault=None, seed=1)) as session:
        control = session.control
        actuator = build(session.system.actuators["shop"])
        instance, sibling = control.instances("catalog")
        order = ActionCall(
            action="restart_instance", args={"service": "catalog", "instance": instance}
        )
        shown = await actuator.preview(order)
        first = await actuator.run(order, "k")
        replaced = control.instances("catalog")
        assert await actuator.run(order, "k") == await actuator.probe("k") == first
        assert control.instances("catalog") == replaced
        await actuator.aclose()
    assert shown.undo is None
    assert shown.blast.startswith("1 of 2 instances")
    assert instance not in replaced
    assert sibling in replaced
