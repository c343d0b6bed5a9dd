"""Calling another service: round robin over its instances, one client span a call.

The wire lies below the span: what a slow edge adds is seen between the start of the caller's client
span and the start of the callee's server span, as it is with a slow network.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from shop.model import Call

_FORWARDED = ("user", "sku", "category")


class UpstreamFailed(Exception):
    """The called service answered with a server error, or not at all."""


class UpstreamRefused(Exception):
    """The called service refused for a reason that is no fault (4xx)."""


@dataclass(slots=True, kw_only=True)
class Routing:
    """Where the other services are, and how they are reached; changed while running.

    `peers`: service → base URLs of its instances. `slow`: service → milliseconds that the way to
    it takes longer. `broken`: services whose circuit breaker is open: they are not called.
    """

    peers: Mapping[str, list[str]] = field(default_factory=dict)
    slow: Mapping[str, float] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    timeout_s: float = 3.0


class Client:
    """Calls other services on behalf of one instance."""

    def __init__(self, session: aiohttp.ClientSession, tracer: Tracer, rng: random.Random) -> None:
        self.routing = Routing()
        self._session = session
        self._tracer = tracer
        self._rng = rng
        self._turns: dict[str, int] = {}

    async def call(self, call: Call, facts: Mapping[str, str]) -> None:
        """Make the call, or fall back where the breaker is open.

        Raises `UpstreamFailed` or `UpstreamRefused`.
        """
        if call.service in self.routing.broken:
            trace.get_current_span().add_event("fallback", {"circuit_breaker.state": "open"})
            return
        base = self._next(call.service)
        path = call.path.format_map(facts)
        address = {"server.address": "127.0.0.1", "peer.service": call.service}
        if call.outside:
            address = {"server.address": call.service}
        with self._tracer.start_as_current_span(
            f"{call.method} {call.path}",
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": call.method,
                "url.template": call.path,
                "url.full": f"http://{call.service}{path}" if call.outside else base + path,
                "server.port": int(base.rpartition(":")[2]),
                **address,
            },
        ) as span:
            try:
                status = await self._send(call, base + path, facts)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise UpstreamFailed(f"{call.service} did not answer") from error
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                raise UpstreamFailed(f"{call.service} answered {status}")
            if status >= 400:
                span.set_status(Status(StatusCode.ERROR))
        if status >= 400:
            raise UpstreamRefused(f"{call.service} answered {status}")

    def _next(self, service: str) -> str:
        instances = self.routing.peers.get(service)
        if not instances:
            raise UpstreamFailed(f"no instance of {service} is known")
        turn = self._turns.get(service, -1) + 1
        self._turns[service] = turn
        return instances[turn % len(instances)]

    async def _send(self, call: Call, url: str, facts: Mapping[str, str]) -> int:
        headers: dict[str, str] = {}
        inject(headers)
        routing = self.routing
        async with asyncio.timeout(routing.timeout_s):
            if slow := routing.slow.get(call.service):
                await asyncio.sleep(slow * self._rng.uniform(0.85, 1.15) / 1000)
            async with self._session.request(
                call.method,
                url,
                params={name: facts[name] for name in _FORWARDED},
                headers=headers,
            ) as response:
                await response.read()
                return response.status
