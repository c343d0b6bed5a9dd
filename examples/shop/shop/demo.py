"""The shop as a system that firstline can be on call for (`connectors.demo`).

A session owns every process of a run: leaving its context stops them all, and so does its own end,
however it comes (`shop.lifeline`).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from connectors.demo import DemoRun, DemoSystem, Fault, RunningSystem, Truth
from shop import feed, naming, webhook
from shop.children import ShopError, Zygote
from shop.control import ControlPlane, Site
from shop.lifeline import Message
from shop.model import entry, rename
from shop.outside import WELL
from shop.plan import (
    FAULTS,
    WARM_UP_S,
    BadRelease,
    Breakage,
    Burn,
    Innocent,
    Multiplied,
    Plan,
    SlowEdge,
    SmallPool,
    Unreachable,
    make,
)
from shop.services import SERVICES

_SUMMARIES = {
    "slow-dependency": "The way from one service to another becomes slow; nothing was changed.",
    "bad-release": "A new release of one service fails on one path.",
    "cpu-contention": "CPU is burnt inside one instance of a service.",
    "pool-exhaustion": "A setting leaves a service too few database connections.",
    "n-plus-one": "A flag lets one operation ask many times for what it needs once.",
    "third-party-unreachable": "Somebody outside, whom a service calls, stops answering.",
}
_TYPES: Mapping[type[Breakage], str] = {
    SlowEdge: "network",
    BadRelease: "code",
    Burn: "resource",
    SmallPool: "resource",
    Multiplied: "code",
    Unreachable: "network",
}
HEALTHY_S = 20.0  # between a repair and the recurrence: its alert resolves, and a baseline grows
_QUIET_S = 60.0
_FALSE_ALARM = "p95 latency is 268 ms (objective: at most 250 ms)"


def build() -> DemoSystem:
    """The entry point of `firstline.demos`."""
    return Shop()


class Shop:
    """The shop.

    `heard` is told each alert that its monitor raises or ends; `warm_up_s` is the least time
    before anything breaks.
    """

    name = "shop"
    faults = tuple(Fault(name=name, summary=_SUMMARIES[name]) for name in FAULTS)

    def __init__(
        self, heard: Callable[[Message], None] = lambda _: None, *, warm_up_s: float = WARM_UP_S
    ) -> None:
        self._heard = heard
        self._warm_up_s = warm_up_s

    @asynccontextmanager
    async def start(self, run: DemoRun) -> AsyncIterator["ShopSession"]:
        """Start all processes; raises `ShopError` where that cannot be."""
        if run.fault is not None and run.fault not in FAULTS:
            raise ShopError(f"No fault is called {run.fault}; there are: {', '.join(FAULTS)}.")
        await _must_answer(run.otlp_endpoint, "telemetry")
        await asyncio.to_thread(run.folder.mkdir, parents=True, exist_ok=True)
        names = {name: name for name in SERVICES}
        if run.rename:
            names = naming.invent(run.seed, SERVICES)
        system = rename(SERVICES, names)
        plan = make(system, run.seed, run.fault, warm_up_s=self._warm_up_s)
        site = Site(
            system=system,
            names=names,
            folder=run.folder,
            otlp=run.otlp_endpoint.rstrip("/"),
            loop=plan.breakage.loop if isinstance(plan.breakage, Multiplied) else None,
        )
        async with AsyncExitStack() as stack:
            zygote = Zygote(run.folder)
            stack.push_async_callback(zygote.close)
            await zygote.open()
            control = ControlPlane(site, zygote, random.Random(f"site {run.seed}"))
            await control.start()
            runner = web.AppRunner(feed.application(control), access_log=None)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            firing = Firing(self._heard)
            shoppers = await zygote.fork(
                "shoppers",
                {
                    "role": "load",
                    "seed": run.seed,
                    "webhook": run.alert_webhook,
                    "entry": entry(system),
                    "link": f"{url}/status",
                },
                firing.hear,
            )
            await control.admit(shoppers)
            session = ShopSession(run=run, plan=plan, control=control, url=url, firing=firing)
            stack.push_async_callback(session.close)
            yield session


class Firing:
    """Which symptoms the monitor reports now; passes on what it hears."""

    def __init__(self, heard: Callable[[Message], None]) -> None:
        self._heard = heard
        self._symptoms: set[str] = set()
        self.quiet = asyncio.Event()
        self.quiet.set()

    def hear(self, message: Message) -> None:
        (self._symptoms.add if message["firing"] else self._symptoms.discard)(message["about"])
        (self.quiet.clear if self._symptoms else self.quiet.set)()
        self._heard(message)


@dataclass(slots=True, kw_only=True)
class ShopSession:
    """One run of the shop."""

    run: DemoRun
    plan: Plan
    control: ControlPlane
    url: str
    firing: Firing
    _tasks: list["asyncio.Task[None]"] = field(init=False, default_factory=list)
    _innocent: list[str] = field(init=False, default_factory=list)
    _instance: str | None = field(init=False, default=None)
    _change: str | None = field(init=False, default=None)
    _onset: datetime | None = field(init=False, default=None)

    @property
    def system(self) -> RunningSystem:
        return RunningSystem(
            connectors={"shop": {"url": self.url}},
            actuators={"shop": {"url": self.url}},
            services=tuple(self.control.system),
        )

    async def play(self) -> None:
        """Let about half a minute of traffic pass, then break what the plan says."""
        plan = self.plan
        self._tasks += [
            asyncio.create_task(self._be_innocent(innocent, plan.onset_s + innocent.offset_s))
            for innocent in plan.innocents
        ]
        await asyncio.sleep(plan.onset_s)
        await self._break()

    async def recur(self) -> None:
        """Let a while of healthy traffic pass after the repair, then let the same happen again.

        Raises `ShopError` where the monitor still reports the first fault after that.
        """
        await self._let_calls_through()
        await asyncio.sleep(HEALTHY_S)
        try:
            async with asyncio.timeout(_QUIET_S):
                await self.firing.quiet.wait()
        except TimeoutError as error:
            raise ShopError(
                "The monitor still reports a symptom: repair the fault before it can recur."
            ) from error
        await self._break()

    async def _break(self) -> None:
        control = self.control
        self._onset = datetime.now(UTC)
        match self.plan.breakage:
            case SlowEdge(caller=caller, callee=callee, ms=ms):
                await control.slow_edge(caller, callee, ms)
            case BadRelease() as bad:
                self._change = await control.deploy(
                    bad.service, actor=bad.actor, summary=bad.summary, defect=bad.defect
                )
            case Burn(service=service, index=index, switch_ms=switch_ms):
                self._instance = await control.burn(service, index, switch_ms)
            case SmallPool(service=service, size=size, actor=actor):
                self._change = await control.configure(service, "pool_size", str(size), actor=actor)
            case Multiplied(loop=loop, actor=actor):
                self._change = await control.switch(loop.service, loop.flag, on=True, actor=actor)
            case Unreachable(party=party, mode=mode):
                await control.make_party(party, mode)
            case None:
                self._onset = None
                await control.crowd(self.plan.crowd)
                await self._false_alarm()

    async def _let_calls_through(self) -> None:
        """What failed by itself is well again, and somebody closes the breaker in front of it."""
        match self.plan.breakage:
            case Unreachable(caller=caller, party=callee):
                await self.control.make_party(callee, WELL)
            case SlowEdge(caller=caller, callee=callee):
                await self.control.slow_edge(caller, callee, 0.0)
            case _:
                return
        key = f"breaker.{callee}"
        if self.control.setting(caller, key) == "open":
            actor = self.plan.innocents[0].actor
            self._innocent.append(await self.control.configure(caller, key, "closed", actor=actor))

    async def truth(self) -> Truth:
        """What really happened last; waits for changes that are still under way."""
        await asyncio.gather(*self._tasks)
        breakage = self.plan.breakage
        return Truth(
            service=self.plan.service,
            instance=self._instance,
            type=_TYPES[type(breakage)] if breakage else None,
            change=self._change,
            innocent=tuple(self._innocent),
            onset=self._onset.isoformat() if self._onset else None,
        )

    async def close(self) -> None:
        """Give up what has not happened yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _be_innocent(self, innocent: Innocent, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        control, service, actor = self.control, innocent.service, innocent.actor
        match innocent.kind:
            case "deploy":
                ref = await control.deploy(service, actor=actor, summary=innocent.summary)
            case "restart":
                instance = random.Random(self.run.seed).choice(control.instances(service))
                ref = await control.restart(instance, actor=actor)
            case "config":
                key, _, value = innocent.detail.partition("=")
                ref = await control.configure(service, key, value, actor=actor)
            case _:
                ref = await control.switch(service, innocent.detail, on=True, actor=actor)
        self._innocent.append(ref)

    async def _false_alarm(self) -> None:
        """Raise an alert although nothing is wrong, as monitors do."""
        alert = webhook.Alert(
            name="HighLatency",
            service=entry(self.control.system),
            route="GET /search",
            summary=f"{entry(self.control.system)} GET /search: {_FALSE_ALARM}",
            starts=datetime.now(UTC),
            ends=None,
            link=f"{self.url}/status",
        )
        async with aiohttp.ClientSession() as session:
            if not await webhook.deliver(session, self.run.alert_webhook, [alert]):
                raise ShopError(f"Nothing takes alerts at {self.run.alert_webhook}.")


async def _must_answer(url: str, what: str) -> None:
    """Raise `ShopError` unless something listens at `url`."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ShopError(f"The address for {what} must look like http://127.0.0.1:4318, not {url}.")
    try:
        async with asyncio.timeout(3):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    except (OSError, TimeoutError) as error:
        raise ShopError(f"Nothing takes {what} at {url}; start it first.") from error
    writer.close()
    await writer.wait_closed()
