"""A third party: an HTTP service that the shop calls and knows nothing of.

It sends no telemetry: all that is seen of it is what its callers see.
"""

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from shop import lifeline

WELL, REFUSES, SILENT = "well", "refuses", "silent"
_MS = 9.0
_SPREAD = 0.25


async def run(
    channel: lifeline.Channel,
    spec: Mapping[str, Any],
    ending: Callable[[], None] = lifeline.exit_soon,
) -> None:
    """Answer until told to stop; an order `mode` says whether calls are answered."""
    rng = random.Random(spec["seed"])
    answers = asyncio.Event()
    answers.set()

    async def answer(_: web.Request) -> web.Response:
        await answers.wait()
        await asyncio.sleep(_MS * rng.lognormvariate(0, _SPREAD) / 1000)
        response = web.json_response({"accepted": True})
        response.force_close()  # each call connects anew, and so finds a closed door
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    channel.send({"ready": {"pid": os.getpid(), "url": f"http://127.0.0.1:{port}"}})
    async for order in channel.orders():
        mode = order["mode"]
        (answers.clear if mode == SILENT else answers.set)()
        if mode == REFUSES and site in runner.sites:
            await site.stop()
        elif mode != REFUSES and site not in runner.sites:
            site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
            await site.start()
    ending()
    answers.set()
    await runner.cleanup()
