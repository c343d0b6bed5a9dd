"""The control plane: starts instances, rolls releases out and back, switches flags, restarts.

What it does to the running shop is a recorded change. What goes wrong by itself (a slow wire, a
process that burns CPU) is put in here too, and is no change.
"""

import asyncio
import random
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from shop import pool
from shop.changes import ChangeLog
from shop.children import Child, ShopError, Zygote
from shop.defects import Defect
from shop.model import System, entry

SKUS = 200
CONFIG = {"log_level": "INFO", "client_timeout_ms": "3000"}
_ALLOWED = {
    "log_level": "DEBUG|INFO|WARNING|ERROR",
    "client_timeout_ms": "[1-9][0-9]{1,4}",
    "route": "primary|standby",
}
_DRAIN_S = 0.3


@dataclass(slots=True, kw_only=True)
class _Running:
    id: str
    version: str
    child: Child


@dataclass(slots=True, kw_only=True)
class Site:
    """What every process of one run is told: names, folder, and where telemetry goes."""

    system: System
    names: Mapping[str, str]
    folder: Path
    otlp: str


class ControlPlane:
    """Holds what runs; `changes` is the record of what was done to it."""

    def __init__(self, site: Site, zygote: Zygote, rng: random.Random) -> None:
        self.changes = ChangeLog()
        self.system = site.system
        self._site = site
        self._zygote = zygote
        self._rng = rng
        self._running: dict[str, list[_Running]] = {name: [] for name in site.system}
        self._versions = {
            name: [f"{rng.randrange(1, 5)}.{rng.randrange(20)}.{rng.randrange(9)}"]
            for name in site.system
        }
        self._defects: dict[tuple[str, str], Defect] = {}
        self._flags: dict[str, set[str]] = defaultdict(set)
        self._config = {name: dict(CONFIG) for name in site.system}
        self._slow: dict[str, dict[str, float]] = defaultdict(dict)
        self._locks = {name: asyncio.Lock() for name in site.system}
        self._shoppers: Child | None = None
        self._rate = 1.0

    async def start(self) -> None:
        """Start every instance of every service, and tell each where the others are."""
        await asyncio.to_thread(pool.create, self._database, SKUS)
        names = [name for name, service in self.system.items() for _ in range(service.instances)]
        for name, started in zip(
            names, await asyncio.gather(*(self._start(name) for name in names)), strict=True
        ):
            self._running[name].append(started)
        await self._publish()

    async def admit(self, shoppers: Child) -> None:
        """Open the entry to the load generator, and keep telling it where the entry is."""
        self._shoppers = shoppers
        await self._publish()

    async def crowd(self, rate: float) -> None:
        """Let `rate` times as many shoppers come as usual."""
        self._rate = rate
        await self._publish()

    def instances(self, service: str) -> tuple[str, ...]:
        return tuple(running.id for running in self._running[self._known(service)])

    def status(self) -> dict[str, object]:
        """What runs now, for people."""
        return {
            name: {
                "version": self._versions[name][-1],
                "instances": {
                    r.id: {"version": r.version, "pid": r.child.pid} for r in self._running[name]
                },
                "flags": sorted(self._flags[name]),
                "config": self._config[name],
            }
            for name in self.system
        }

    def next_version(self, service: str) -> str:
        """The version that a patch release of `service` would have."""
        head, _, patch = self._versions[self._known(service)][-1].rpartition(".")
        return f"{head}.{int(patch) + 1}"

    async def deploy(
        self, service: str, *, actor: str, summary: str, defect: Defect | None = None
    ) -> str:
        """Roll a patch release out, one instance after the other; the change's ref."""
        async with self._locks[self._known(service)]:
            version = self.next_version(service)
            carried = defect or self._defects.get((service, self._versions[service][-1]))
            if carried:
                self._defects[service, version] = carried
            self._versions[service].append(version)
            return await self._roll(service, f"Deploy {service} {version}: {summary}", actor)

    async def roll_back(self, service: str, *, actor: str) -> str:
        """Return to the release before the current one; raises `ShopError` if there is none."""
        async with self._locks[self._known(service)]:
            if len(self._versions[service]) < 2:
                raise ShopError(f"{service} has no earlier release to return to.")
            self._versions[service].pop()
            version = self._versions[service][-1]
            return await self._roll(service, f"Roll {service} back to {version}", actor)

    async def restart(self, instance: str, *, actor: str) -> str:
        """Replace one instance by a new one of the same release."""
        service = next(
            (name for name, all_ in self._running.items() if instance in {r.id for r in all_}), None
        )
        if service is None:
            raise ShopError(f"No instance is called {instance}.")
        async with self._locks[service]:
            change = self.changes.begin(
                kind="infra",
                target=service,
                ref=f"restart/{instance}",
                actor=actor,
                summary=f"Restart {instance}",
            )
            await self._replace(service, instance)
            self.changes.end(change)
            return f"restart/{instance}"

    async def switch(self, service: str, flag: str, *, on: bool, actor: str) -> str:
        """Switch a flag of a service."""
        if flag not in self.system[self._known(service)].flags:
            raise ShopError(f"{service} has no flag {flag}.")
        (self._flags[service].add if on else self._flags[service].discard)(flag)
        state = "on" if on else "off"
        return await self._instant(
            "flag", service, f"{flag}={state}", actor, f"Flag {flag} {state}"
        )

    async def configure(self, service: str, key: str, value: str, *, actor: str) -> str:
        """Set one configuration value: log_level, client_timeout_ms or route.CALLEE."""
        allowed = _ALLOWED.get("route" if key.startswith("route.") else key)
        if allowed is None or not re.fullmatch(allowed, value):
            raise ShopError(f"{service} has no setting {key} that could be {value}.")
        before = self._config[self._known(service)].get(key, "primary")
        self._config[service][key] = value
        summary = f"{service}: {key} {before} -> {value}"
        return await self._instant("config", service, f"{key}={value}", actor, summary)

    async def slow_edge(self, caller: str, callee: str, ms: float) -> None:
        """Make the wire from one service to another slow. No change: it happens by itself."""
        self._slow[caller][callee] = ms
        await self._publish()

    async def burn(self, service: str, index: int, switch_ms: float) -> str:
        """Burn CPU inside one instance; its id. No change: it happens by itself."""
        running = self._running[service][index]
        await running.child.tell({"burn": switch_ms})
        return running.id

    @property
    def _database(self) -> Path:
        return self._site.folder / "stock.db"

    def _known(self, service: str) -> str:
        if service not in self.system:
            raise ShopError(f"No service is called {service}.")
        return service

    async def _instant(self, kind: str, service: str, what: str, actor: str, summary: str) -> str:
        ref = f"{kind}/{service}/{what}"
        self.changes.begin(kind=kind, target=service, ref=ref, actor=actor, summary=summary)
        await self._publish()
        return ref

    async def _roll(self, service: str, summary: str, actor: str) -> str:
        ref = f"{service}@{self._versions[service][-1]}"
        change = self.changes.begin(
            kind="deploy", target=service, ref=ref, actor=actor, summary=summary
        )
        for instance in self.instances(service):
            await self._replace(service, instance)
        self.changes.end(change)
        return ref

    async def _replace(self, service: str, instance: str) -> None:
        """Start the new one, send requests to it instead, let the old one finish, stop it."""
        new = await self._start(service)
        running = self._running[service]
        index = next(i for i, r in enumerate(running) if r.id == instance)
        old, running[index] = running[index], new
        await self._publish()
        await asyncio.sleep(_DRAIN_S)
        await self._zygote.end(old.child)

    async def _start(self, service: str) -> _Running:
        version = self._versions[service][-1]
        identity = f"{service}-{self._rng.randrange(16**5):05x}"
        defect = self._defects.get((service, version))
        child = await self._zygote.fork(
            identity,
            {
                "role": "service",
                "names": self._site.names,
                "service": service,
                "instance": identity,
                "version": version,
                "otlp": self._site.otlp,
                "seed": self._rng.randrange(2**32),
                "defect": asdict(defect) if defect else None,
                "database": str(self._database),
            },
        )
        return _Running(id=identity, version=version, child=child)

    async def _publish(self) -> None:
        """Tell every process the state of the world."""
        peers = {name: [r.child.url for r in all_] for name, all_ in self._running.items()}
        if self._shoppers:
            await self._shoppers.tell({"targets": peers[entry(self.system)], "rate": self._rate})
        await asyncio.gather(
            *(
                running.child.tell(
                    {
                        "peers": peers,
                        "flags": sorted(self._flags[name]),
                        "config": self._config[name],
                        "slow": self._slow[name],
                        "standby": [
                            callee
                            for callee in self.system
                            if self._config[name].get(f"route.{callee}") == "standby"
                        ],
                    }
                )
                for name, all_ in self._running.items()
                for running in all_
            )
        )
