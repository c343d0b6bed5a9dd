"""A control plane that runs nothing, and a way to serve it: its record and its rules work."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from shop.children import Zygote
from shop.control import ControlPlane, Site
from shop.services import SERVICES


def idle_plane(folder: Path) -> ControlPlane:
    names = {name: name for name in SERVICES}
    site = Site(system=SERVICES, names=names, folder=folder, otlp="http://127.0.0.1:1")
    return ControlPlane(site, Zygote(folder), random.Random(1))  # noqa: S311


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
