"""The control plane: starts instances, rolls releases out and back, switches flags, restarts.

What it does to the running shop is a recorded change. What goes wrong by itself (a slow wire, a
process that burns CPU) is put in here too, and is no change.
"""

import asyncio
import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from shop import pool
from shop.changes import ChangeLog
from shop.children import Child, ShopError, Zygote
from shop.defects import Defect, Loop
from shop.model import System, callees, entry, third_parties

SKUS = 200
CONFIG = {"log_level": "INFO", "client_timeout_ms": "3000"}
ROUTES = ("primary", "standby")
_ALLOWED = {
    "log_level": "DEBUG|INFO|WARNING|ERROR",
    "client_timeout_ms": "[1-9][0-9]{1,4}",
    "pool_size": "[1-9]|[1-5][0-9]|6[0-4]",
    "route": "primary|standby",
    "breaker": "closed|open",
}
_UNSET = {"route": ROUTES[0], "breaker": "closed"}
_DRAIN_S = 0.3


@dataclass(slots=True, kw_only=True)
class _Running:
    id: str
    version: str
    child: Child


@dataclass(slots=True, kw_only=True)
class Site:
    """What every process of one run is told: names, folder, and where telemetry goes.

    `loop` is a mistake that waits in the code behind its flag.
    """

    system: System
    names: Mapping[str, str]
    folder: Path
    otlp: str
    loop: Loop | None = None


class ControlPlane:
    """Holds what runs; `changes` is the record of what was done to it."""

    def __init__(self, site: Site, zygote: Zygote, rng: random.Random) -> None:
        self.changes = ChangeLog()
        self.system = site.system
        self._site = site
        self._zygote = zygote
        self._rng = rng
        self._running: dict[str, list[_Running]] = {name: [] for name in site.system}
        self._releases = {
            name: [f"{rng.randrange(1, 5)}.{rng.randrange(20)}.{rng.randrange(9)}"]
            for name in site.system
        }
        self._versions = {name: releases[0] for name, releases in self._releases.items()}
        self._defects: dict[tuple[str, str], Defect] = {}
        self._flags: dict[str, set[str]] = defaultdict(set)
        self._config = {
            name: {**CONFIG, "pool_size": str(pool.SIZE)} if service.database else dict(CONFIG)
            for name, service in site.system.items()
        }
        self._slow: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
        self._locks = {name: asyncio.Lock() for name in site.system}
        self._outside: dict[str, Child] = {}
        self._shoppers: Child | None = None
        self._rate = 1.0

    async def start(self) -> None:
        """Start every instance of every service, and tell each where the others are."""
        await asyncio.to_thread(pool.create, self._database, SKUS)
        for party in dict.fromkeys(party for _, party in third_parties(self.system)):
            spec = {"role": "outside", "seed": self._rng.randrange(2**32)}
            self._outside[party] = await self._zygote.fork(party, spec)
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
        return tuple(running.id for running in self._running[self.known(service)])

    def status(self) -> dict[str, object]:
        """What runs now, for people."""
        return {
            name: {
                "version": self._versions[name],
                "instances": {
                    r.id: {"version": r.version, "pid": r.child.pid} for r in self._running[name]
                },
                "flags": sorted(self._flags[name]),
                "config": self._config[name],
            }
            for name in self.system
        }

    def known(self, service: str) -> str:
        """The name itself; raises `ShopError` if there is no such service."""
        if service not in self.system:
            raise ShopError(f"No service is called {service}.")
        return service

    def version(self, service: str) -> str:
        """The release that `service` is to run."""
        return self._versions[self.known(service)]

    def releases(self, service: str) -> tuple[str, ...]:
        """Every release of `service` there has been, oldest first."""
        return tuple(self._releases[self.known(service)])

    def flag(self, service: str, flag: str) -> str:
        """Whether a flag is on or off; raises `ShopError` if there is no such flag."""
        if flag not in self.system[self.known(service)].flags:
            raise ShopError(f"{service} has no flag {flag}.")
        return "on" if flag in self._flags[service] else "off"

    def setting(self, service: str, key: str) -> str:
        """The present value of a setting; raises `ShopError` if there is no such setting."""
        kind, _, peer = key.partition(".")
        settings = self._config[self.known(service)]
        if kind in _UNSET and peer not in callees(self.system[service]):
            raise ShopError(f"{service} does not call {peer or 'that'}.")
        if kind == "route" and peer not in self.system:
            raise ShopError(f"There is one route to {peer} only.")
        if kind not in _UNSET and key not in settings:
            raise ShopError(f"{service} has no setting {key}.")
        return settings.get(key, _UNSET.get(kind, ""))

    def allowed(self, service: str, key: str, value: str) -> None:
        """Raise `ShopError` for a value that a setting cannot have."""
        if not re.fullmatch(_ALLOWED[key.partition(".")[0]], value):
            raise ShopError(f"{key} of {service} cannot be {value}.")

    def digest(self, service: str) -> str:
        """A version of the present state of a service: releases, instances, flags, settings."""
        state = json.dumps(self.status()[self.known(service)], sort_keys=True)
        return hashlib.sha256(state.encode()).hexdigest()[:16]

    async def deploy(
        self, service: str, *, actor: str, summary: str, defect: Defect | None = None
    ) -> str:
        """Roll a new patch release out, one instance after the other; the change's ref."""
        async with self._locks[self.known(service)]:
            head, _, patch = self._releases[service][-1].rpartition(".")
            version = f"{head}.{int(patch) + 1}"
            carried = defect or self._defects.get((service, self._versions[service]))
            if carried:
                self._defects[service, version] = carried
            self._releases[service].append(version)
            return await self._roll(
                service, version, f"Deploy {service} {version}: {summary}", actor
            )

    async def redeploy(self, service: str, version: str, *, actor: str) -> str:
        """Return to a release that there has been; raises `ShopError` for any other."""
        async with self._locks[self.known(service)]:
            if version not in self._releases[service]:
                raise ShopError(f"{service} has no release {version}.")
            return await self._roll(service, version, f"Return {service} to {version}", actor)

    async def restart(self, instance: str, *, actor: str) -> str:
        """Replace one instance by a new one of the same release."""
        service = next(
            (name for name, all_ in self._running.items() if instance in {r.id for r in all_}), None
        )
        if service is None:
            raise ShopError(f"No instance is called {instance}.")
        async with self._locks[service]:
            ref = self.changes.begin(
                kind="infra",
                target=service,
                ref=f"restart/{instance}",
                actor=actor,
                summary=f"Restart {instance}",
            )
            await self._replace(service, instance)
            self.changes.end(ref)
            return ref

    async def switch(self, service: str, flag: str, *, on: bool, actor: str) -> str:
        """Switch a flag of a service; the change's ref."""
        before, after = self.flag(service, flag), "on" if on else "off"
        (self._flags[service].add if on else self._flags[service].discard)(flag)
        ref = self.changes.begin(
            kind="flag",
            target=service,
            ref=f"flag/{service}/{flag}={after}",
            actor=actor,
            summary=f"Flag {flag} {after}",
            what=flag,
            before=before,
            after=after,
        )
        await self._publish()
        return ref

    async def configure(self, service: str, key: str, value: str, *, actor: str) -> str:
        """Set one setting: log_level, client_timeout_ms, pool_size, route.PEER or breaker.PEER."""
        before = self.setting(service, key)
        self.allowed(service, key, value)
        self._config[service][key] = value
        ref = self.changes.begin(
            kind="config",
            target=service,
            ref=f"config/{service}/{key}={value}",
            actor=actor,
            summary=f"{service}: {key} {before} -> {value}",
            what=key,
            before=before,
            after=value,
        )
        await self._publish()
        return ref

    async def slow_edge(self, caller: str, callee: str, ms: float) -> None:
        """Make the wire between two services slow, on the route in use now and on no other.

        No change: it happens by itself.
        """
        route = self.setting(caller, f"route.{callee}")
        for other in ROUTES:
            self._slow[caller].pop((callee, other), None)
        self._slow[caller][callee, route] = ms
        await self._publish()

    async def make_party(self, party: str, mode: str) -> None:
        """Let a third party be well, refuse or fall silent (`shop.outside`). It is no change."""
        await self._outside[party].tell({"mode": mode})

    async def burn(self, service: str, index: int, switch_ms: float) -> str:
        """Burn CPU inside one instance; its id. No change: it happens by itself."""
        running = self._running[service][index]
        await running.child.tell({"burn": switch_ms})
        return running.id

    @property
    def _database(self) -> Path:
        return self._site.folder / "stock.db"

    async def _roll(self, service: str, version: str, summary: str, actor: str) -> str:
        before, self._versions[service] = self._versions[service], version
        ref = self.changes.begin(
            kind="deploy",
            target=service,
            ref=f"{service}@{version}",
            actor=actor,
            summary=summary,
            what="version",
            before=before,
            after=version,
        )
        for instance in self.instances(service):
            await self._replace(service, instance)
        self.changes.end(ref)
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
        version = self._versions[service]
        identity = f"{service}-{self._rng.randrange(16**5):05x}"
        defect = self._defects.get((service, version))
        loop = self._site.loop
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
                "loop": asdict(loop) if loop and loop.service == service else None,
                "database": str(self._database),
            },
        )
        return _Running(id=identity, version=version, child=child)

    async def _publish(self) -> None:
        """Tell every process the state of the world."""
        peers = {name: [r.child.url for r in all_] for name, all_ in self._running.items()}
        peers |= {party: [child.url] for party, child in self._outside.items()}
        if self._shoppers:
            await self._shoppers.tell({"targets": peers[entry(self.system)], "rate": self._rate})
        await asyncio.gather(
            *(
                running.child.tell(
                    {
                        "peers": peers,
                        "flags": sorted(self._flags[name]),
                        "config": self._config[name],
                        "slow": {
                            callee: ms
                            for (callee, route), ms in self._slow[name].items()
                            if self.setting(name, f"route.{callee}") == route
                        },
                        "broken": [
                            callee
                            for callee in callees(self.system[name])
                            if self.setting(name, f"breaker.{callee}") == "open"
                        ],
                    }
                )
                for name, all_ in self._running.items()
                for running in all_
            )
        )
