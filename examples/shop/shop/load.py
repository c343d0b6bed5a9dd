"""The shoppers: an open loop of seeded journeys, and the watch over what they experience."""

import asyncio
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from shop import lifeline, webhook
from shop.slo import Sample, Symptom, Watch

JOURNEYS_PER_S = 11.0
_USERS = 500
_CATEGORIES = ("books", "garden", "kitchen", "music", "toys", "travel")
_SETTLE_S = 20.0  # nothing is judged before the shop is warm
_TICK_S = 0.5

# (weight, the requests of one visit); each request: route as the objective names it
JOURNEYS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.28, ("GET /", "GET /p/{sku}")),
    (0.24, ("GET /search", "GET /p/{sku}")),
    (0.24, ("POST /basket/items", "GET /basket")),
    (0.24, ("GET /basket", "POST /order")),
)
LIMITS_S = {
    "GET /": 0.25,
    "GET /search": 0.25,
    "GET /p/{sku}": 0.25,
    "GET /basket": 0.25,
    "POST /basket/items": 0.25,
    "POST /order": 0.3,
}


@dataclass(slots=True, kw_only=True)
class _Shoppers:
    session: aiohttp.ClientSession
    watch: Watch
    rng: random.Random
    targets: list[str] = field(default_factory=list)
    rate: float = 1.0
    turn: int = 0

    async def arrive(self) -> None:
        """Send visitors in at random times, whatever becomes of those before them."""
        async with asyncio.TaskGroup() as visits:
            while True:
                await asyncio.sleep(self.rng.expovariate(JOURNEYS_PER_S * self.rate))
                if self.targets:
                    visits.create_task(self._visit())

    async def _visit(self) -> None:
        rng = self.rng
        facts = {
            "user": f"u-{rng.randrange(_USERS):04d}",
            "sku": f"sku-{rng.randrange(200):04d}",
            "category": rng.choice(_CATEGORIES),
        }
        weights, journeys = zip(*JOURNEYS, strict=True)
        for route in rng.choices(journeys, weights)[0]:
            await self._request(route, facts)
            await asyncio.sleep(rng.uniform(0.05, 0.3))

    async def _request(self, route: str, facts: Mapping[str, str]) -> None:
        method, _, path = route.partition(" ")
        self.turn += 1
        url = self.targets[self.turn % len(self.targets)] + path.format_map(facts)
        started = time.monotonic()
        try:
            async with self.session.request(method, url, params=facts) as response:
                await response.read()
                failed = response.status >= 500
        except (aiohttp.ClientError, TimeoutError):
            failed = True
        now = time.monotonic()
        self.watch.add(route, Sample(at=now, seconds=now - started, failed=failed))


@dataclass(slots=True, kw_only=True)
class _Pager:
    """Turns symptoms into alerts and delivers them, in order."""

    session: aiohttp.ClientSession
    channel: lifeline.Channel
    url: str
    service: str
    link: str
    firing: dict[tuple[str, str], webhook.Alert] = field(default_factory=dict)

    async def page(self, symptoms: list[Symptom]) -> None:
        now = datetime.now(UTC)
        for symptom in symptoms:
            key = (symptom.name, symptom.route)
            begun = self.firing.get(key)
            self.firing[key] = webhook.Alert(
                name=symptom.name,
                service=self.service,
                route=symptom.route,
                summary=f"{self.service} {symptom.text}",
                starts=begun.starts if begun else now,
                ends=None if symptom.firing else now,
                link=self.link,
            )
            self.channel.send(
                {
                    "about": f"{symptom.name} {symptom.route}",
                    "symptom": symptom.text,
                    "firing": symptom.firing,
                    "at": now.isoformat(),
                }
            )
        for name in sorted({symptom.name for symptom in symptoms}):
            group = [alert for alert in self.firing.values() if alert.name == name]
            await webhook.deliver(self.session, self.url, group)
        self.firing = {key: alert for key, alert in self.firing.items() if alert.ends is None}


async def _judge(watch: Watch, pager: _Pager) -> None:
    await asyncio.sleep(_SETTLE_S)
    while True:
        await asyncio.sleep(_TICK_S)
        if symptoms := watch.evaluate(time.monotonic()):
            await pager.page(symptoms)


async def run(channel: lifeline.Channel, spec: Mapping[str, Any]) -> None:
    """Send load until told to stop; `spec` is what `shop.demo` sends."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as session:
        watch = Watch(LIMITS_S)
        shoppers = _Shoppers(session=session, watch=watch, rng=random.Random(spec["seed"]))
        pager = _Pager(
            session=session,
            channel=channel,
            url=spec["webhook"],
            service=spec["entry"],
            link=spec["link"],
        )
        tasks = [
            asyncio.create_task(shoppers.arrive()),
            asyncio.create_task(_judge(watch, pager)),
        ]
        channel.send({"ready": {"pid": os.getpid(), "url": ""}})
        async for order in channel.orders():
            shoppers.targets = order["targets"]
            shoppers.rate = order["rate"]
        lifeline.exit_soon()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
