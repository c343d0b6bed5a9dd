"""One instance of one service: a web server that does what its parent tells it."""

import asyncio
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from shop import handlers, lifeline
from shop.burn import Burner
from shop.client import Client, Routing
from shop.defects import Defect, Loop
from shop.model import Service, rename
from shop.pool import SIZE, Pool
from shop.services import SERVICES
from shop.telemetry import Telemetry

_POOL_WAITING = 32


async def run(channel: lifeline.Channel, spec: Mapping[str, Any]) -> None:
    """Serve until told to stop; `spec` is what `shop.control` sends."""
    names: dict[str, str] = spec["names"]
    service = rename(SERVICES, names)[spec["service"]]
    telemetry = Telemetry(
        endpoint=spec["otlp"],
        service=service.name,
        instance=spec["instance"],
        version=spec["version"],
    )
    rng = random.Random(spec["seed"])
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        instance = handlers.Instance(
            service=service,
            telemetry=telemetry,
            client=Client(session, telemetry.tracer, rng),
            rng=rng,
            defect=Defect(**spec["defect"]) if spec["defect"] else None,
            loop=Loop(**spec["loop"]) if spec["loop"] else None,
            pool=_pool(service, spec["database"], telemetry),
        )
        runner = web.AppRunner(
            handlers.application(instance), access_log=None, shutdown_timeout=0.5
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        channel.send({"ready": {"pid": os.getpid(), "url": f"http://127.0.0.1:{port}"}})
        burner = Burner()
        jobs = [asyncio.create_task(handlers.repeat(instance, job)) for job in service.jobs]
        async for order in channel.orders():
            _obey(instance, burner, order)
        lifeline.exit_soon()
        burner.stop()
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await runner.cleanup()
    await asyncio.to_thread(telemetry.close)


def _pool(service: Service, path: str, telemetry: Telemetry) -> Pool | None:
    if not service.database:
        return None
    file = Path(path)
    waited = telemetry.pool_wait(file.stem)
    pool = Pool(file, size=SIZE, max_waiting=_POOL_WAITING, waited=waited)
    telemetry.watch_pool(file.stem, pool)
    return pool


def _obey(instance: handlers.Instance, burner: Burner, order: Mapping[str, Any]) -> None:
    """Take over a new state of the world, or start to burn."""
    if "burn" in order:
        burner.start(switch_ms=order["burn"])
        return
    config: dict[str, str] = order["config"]
    instance.flags = frozenset(order["flags"])
    instance.telemetry.log.setLevel(config["log_level"])
    if instance.pool is not None:
        instance.pool.resize(int(config["pool_size"]))
    instance.client.routing = Routing(
        peers=order["peers"],
        slow=order["slow"],
        broken=frozenset(order["broken"]),
        timeout_s=int(config["client_timeout_ms"]) / 1000,
    )
