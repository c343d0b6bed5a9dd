"""What outlives firstline in these tests: a system over HTTP that can break and be mended.

The test process holds its state; firstline sees it and acts on it through the two classes at the
end, as it would through a connector and an actuator of a real backend.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import aiohttp
from aiohttp import web
from fakes import request
from frames import spans

from connectors.actions import ActionCall, ActionSpec, Args, Effect, Outcome, Preview, Risk
from connectors.api import Capability, Health, Page
from connectors.errors import Unavailable

ACTION = "reroute_traffic"
RATE = 4  # requests a second
HISTORY_S = 60


class System:
    """Slow between front and back until it is rerouted. `effects` counts, by key, what was done.

    `moments` are the keys with the time of each effect.

    `hold` may be before or after: the next order is never answered, undone or done.
    """

    def __init__(self):
        now = datetime.now(UTC)
        self.began = now - timedelta(seconds=HISTORY_S)
        self.broken = [[(now - timedelta(seconds=12)).isoformat(), None]]
        self.effects = Counter()
        self.moments = []
        self.done = {}
        self.hold = None
        self.held = asyncio.Event()

    async def __aenter__(self):
        app = web.Application()
        app.router.add_get("/state", self._state)
        app.router.add_post("/orders/{key}", self._order)
        app.router.add_get("/orders/{key}", self._look)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    async def _state(self, _):
        route = "primary" if self.broken[-1][1] is None else "standby"
        return web.json_response(
            {"began": self.began.isoformat(), "broken": self.broken, "route": route}
        )

    async def _order(self, request):
        key = request.match_info["key"]
        if self.hold == "before":
            await self._hang()
        if key not in self.done:
            self.effects[key] += 1
            self.moments.append((key, datetime.now(UTC)))
            self.done[key] = "rerouted"
            if self.broken[-1][1] is None:
                self.broken[-1][1] = datetime.now(UTC).isoformat()
        if self.hold == "after":
            await self._hang()
        return web.json_response({"summary": self.done[key]})

    async def _hang(self):
        self.hold = None
        self.held.set()
        await asyncio.Event().wait()

    async def _look(self, request):
        return web.json_response({"summary": self.done.get(request.match_info["key"])})


class Way(Args):
    service: str
    peer: str


class Seen:
    """The connector and the actuator of the system at `url`."""

    name = "system"
    capabilities = frozenset({Capability.SPANS})
    specs = (
        ActionSpec(
            name=ACTION,
            summary="send calls another way",
            effect=Effect.MUTATE,
            args=Way,
            target="service",
            reversible=True,
            risk=Risk.LOW,
        ),
    )

    def __init__(self, url):
        self._url = url

    async def _ask(self, method, path):
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, self._url + path) as answer,
            ):
                return await answer.json()
        except aiohttp.ClientError as error:
            raise Unavailable("The system does not answer.") from error

    async def fetch(self, ask):
        state = await self._ask("GET", "/state")
        broken = [
            (datetime.fromisoformat(a), datetime.fromisoformat(b) if b else None)
            for a, b in state["broken"]
        ]
        began, rows, number = datetime.fromisoformat(state["began"]), [], 0
        end = min(ask.window.end, datetime.now(UTC))
        while (at := began + timedelta(seconds=number / RATE)) < end:
            slow = any(a <= at and (b is None or at < b) for a, b in broken)
            rows += request(f"t{number}", at, 150.0 if slow else 2.0)
            number += 1
        yield Page(capability=Capability.SPANS, frame=spans(rows), query="all")

    async def check(self):
        return Health(ok=True, message="fine")

    async def aclose(self):
        return None

    async def preview(self, call: ActionCall) -> Preview:
        state = await self._ask("GET", "/state")
        return Preview(
            target=f"service/{call.args['service']}",
            state=state["route"],
            summary=f"Calls from {call.args['service']} to {call.args['peer']} go another way.",
            diff=("- primary", "+ standby"),
            blast="all its calls",
            touches=1,
            among=1,
            undo=ActionCall(action=ACTION, args=call.args),
        )

    async def run(self, call: ActionCall, key: str) -> Outcome:
        said = await self._ask("POST", f"/orders/{key}")
        return Outcome(summary=said["summary"])

    async def probe(self, key: str) -> Outcome | None:
        said = await self._ask("GET", f"/orders/{key}")
        return Outcome(summary=said["summary"]) if said["summary"] else None
