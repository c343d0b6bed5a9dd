"""Runs the steps of a route for one request, inside its server span."""

import asyncio
import dataclasses
import logging
import random
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind

from shop import defects
from shop.client import Client, UpstreamFailed, UpstreamRefused
from shop.defects import Defect, Loop
from shop.model import Call, Job, Log, Query, Refuse, Route, Service, Step, Together, Work
from shop.pool import Pool, PoolExhausted, execute
from shop.telemetry import Telemetry

_SPREAD = 0.25  # sigma of the lognormal times


class _Refused(Exception):
    """The service itself refuses, for a reason that is no fault."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Instance:
    """What the requests of one process share; flags are switched while it runs."""

    service: Service
    telemetry: Telemetry
    client: Client
    rng: random.Random
    defect: Defect | None = None
    loop: Loop | None = None
    pool: Pool | None = None
    flags: frozenset[str] = frozenset()


def application(instance: Instance) -> web.Application:
    """The web application of a service."""
    app = web.Application()
    for route in instance.service.routes:
        app.router.add_route(route.method, route.path, _handler(instance, route))
    return app


def _handler(
    instance: Instance, route: Route
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    tracer = instance.telemetry.tracer
    duration = instance.telemetry.duration

    async def handle(request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        attributes: dict[str, str | int] = {
            "http.request.method": route.method,
            "http.route": route.path,
        }
        status = 500
        try:
            with tracer.start_as_current_span(
                route.name,
                context=extract(request.headers),
                kind=SpanKind.SERVER,
                attributes={**attributes, "url.path": request.path},
            ) as span:
                try:
                    status = await _respond(instance, route, request)
                except UpstreamFailed:
                    status = 502
                    raise
                finally:
                    span.set_attribute("http.response.status_code", status)
        except UpstreamFailed as error:
            return web.json_response({"error": str(error)}, status=status)
        finally:
            attributes["http.response.status_code"] = status
            duration.record(time.perf_counter() - started, attributes)
        return web.json_response({"flags": sorted(instance.flags)}, status=status)

    return handle


async def _respond(instance: Instance, route: Route, request: web.Request) -> int:
    """Take all steps; the HTTP status of the answer."""
    rng = instance.rng
    facts = {
        "user": "guest",
        "sku": "sku-0000",
        "category": "misc",
        **request.query,
        **request.match_info,
        "ref": f"{rng.randrange(16**8):08x}",
    }
    log = instance.telemetry.log
    defect = instance.defect if instance.defect and instance.defect.route == route.name else None
    try:
        for number, step in enumerate(route.steps):
            if defect and defect.step == number:
                defects.run(defect, facts, log)
            await _take(instance, step, facts)
            for item in range(_more(instance, route, number, facts)):
                await _take(instance, _single(step), {**facts, "sku": f"sku-{item:04d}"})
    except UpstreamRefused:
        return 402
    except _Refused as refusal:
        log.warning(str(refusal))
        return 402
    except UpstreamFailed as error:
        log.error(f"{route.name} failed for {facts['user']}: {error}")  # noqa: TRY400, G004
        raise
    except PoolExhausted as error:
        log.error(f"no database connection for {route.name}: {error}")  # noqa: TRY400, G004
        raise
    return 200


def _more(instance: Instance, route: Route, number: int, facts: dict[str, str]) -> int:
    """How many more times a step is taken than it needs to be."""
    loop = instance.loop
    if loop is None or (loop.route, loop.step) != (route.name, number):
        return 0
    return loop.times if loop.flag in instance.flags and loop.hits(facts) else 0


def _single(step: Step) -> Step:
    return step.calls[0] if isinstance(step, Together) else step


async def repeat(instance: Instance, job: Job) -> None:
    """Do a job again and again, each time as a trace of its own."""
    while True:
        await _pass(job.pause_ms, instance.rng)
        with instance.telemetry.tracer.start_as_current_span(job.name):
            try:
                for step in job.steps:
                    await _take(instance, step, {})
            except PoolExhausted as error:
                instance.telemetry.log.warning(f"{job.name} put off: {error}")  # noqa: G004


async def _take(instance: Instance, step: Step, facts: dict[str, str]) -> None:
    rng = instance.rng
    match step:
        case Work(name=name, ms=ms):
            with instance.telemetry.tracer.start_as_current_span(name):
                await _pass(ms, rng)
        case Call():
            await instance.client.call(step, facts)
        case Together(calls=calls):
            results = await asyncio.gather(
                *(instance.client.call(call, facts) for call in calls), return_exceptions=True
            )
            for error in filter(None, results):
                raise error
        case Query():
            await _query(instance, step, facts)
        case Log(level=level, text=text, share=share):
            if rng.random() < share:
                line = text.format_map({**facts, "n": rng.randrange(3, 400)})
                instance.telemetry.log.log(logging.getLevelNamesMapping()[level.upper()], line)
        case Refuse(share=share, text=text):
            if rng.random() < share:
                raise _Refused(text.format_map(facts))


async def _query(instance: Instance, query: Query, facts: dict[str, str]) -> None:
    if instance.pool is None:
        raise RuntimeError(f"{instance.service.name} has no database")
    async with instance.pool.connection() as connection:
        with instance.telemetry.tracer.start_as_current_span(
            f"{query.operation} {query.table}",
            kind=SpanKind.CLIENT,
            attributes={
                "db.system": "sqlite",
                "db.name": "stock.db",
                "db.operation": query.operation,
                "db.sql.table": query.table,
                "db.statement": query.sql,
            },
        ):
            await asyncio.to_thread(execute, connection, query.sql, facts)
            await _pass(query.ms, instance.rng)


async def _pass(ms: float, rng: random.Random) -> None:
    """Let about `ms` milliseconds pass, as work on another machine would."""
    await asyncio.sleep(ms * rng.lognormvariate(0, _SPREAD) / 1000)
