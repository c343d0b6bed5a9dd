"""The shop for real: all processes, real telemetry, a fault, an alert, and nothing left behind."""

import asyncio
import json
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from shop.changefeed import build
from shop.children import ShopError
from shop.demo import Shop
from shop.services import SERVICES

from connectors.api import Ask, Capability, Window
from connectors.demo import DemoRun

pytestmark = pytest.mark.e2e
END_S = 30  # on a busy machine
SEED = 5  # the defect is two calls away from the entry


class Sink:
    """A receiver for telemetry and alerts that keeps everything; it is busy for the first posts."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, Span]] = []  # service, version, span
        self.logs: list[tuple[str, str, bytes]] = []  # service, body, trace id
        self.metrics: dict[str, set[str]] = defaultdict(set)  # name → services
        self.alerts: list[dict[str, object]] = []
        self.busy = 5
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        if self.busy:
            self.busy -= 1
            return web.Response(status=429, headers={"Retry-After": "1"})
        body = await request.read()
        {"traces": self._traces, "logs": self._logs, "metrics": self._metrics}[
            request.match_info["signal"]
        ](body)
        return web.Response(content_type="application/x-protobuf")

    async def alert(self, request: web.Request) -> web.Response:
        self.alerts += (await request.json())["alerts"]
        return web.Response()

    def _traces(self, body: bytes) -> None:
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            service, version = _resource(part.resource)
            for scope in part.scope_spans:
                self.spans += [(service, version, span) for span in scope.spans]

    def _logs(self, body: bytes) -> None:
        for part in ExportLogsServiceRequest.FromString(body).resource_logs:
            service, _ = _resource(part.resource)
            for scope in part.scope_logs:
                self.logs += [
                    (service, line.body.string_value, line.trace_id) for line in scope.log_records
                ]

    def _metrics(self, body: bytes) -> None:
        for part in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            service, _ = _resource(part.resource)
            for scope in part.scope_metrics:
                for metric in scope.metrics:
                    self.metrics[metric.name].add(service)


def _resource(resource: Resource) -> tuple[str, str]:
    known = {pair.key: pair.value.string_value for pair in resource.attributes}
    assert known["service.instance.id"].startswith(known["service.name"])
    return known["service.name"], known["service.version"]


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    sink = Sink()
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/{signal}", sink.receive)
    app.router.add_post("/alerts", sink.alert)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield sink
    await runner.cleanup()


def _run(sink: Sink, folder: Path, *, fault: str | None, seed: int, rename: bool) -> DemoRun:
    return DemoRun(
        otlp_endpoint=sink.url,
        alert_webhook=f"{sink.url}/alerts",
        folder=folder,
        seed=seed,
        fault=fault,
        rename=rename,
    )


async def _until(condition: Callable[[], object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - processes end without an event
            await asyncio.sleep(0.1)


def _alive(pids: list[int]) -> list[int]:
    return [
        pid
        for pid in pids
        if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ]


@pytest.mark.timeout(200)
async def test_a_bad_release_is_seen_in_all_signals_and_nothing_is_left(sink: Sink, tmp_path: Path):
    run = _run(sink, tmp_path, fault="bad-release", seed=SEED, rename=True)
    async with Shop(warm_up_s=20).start(run) as session:
        pids = json.loads((tmp_path / "pids.json").read_text())
        begun = datetime.now(UTC)
        await session.play()
        assert len(_alive(pids)) >= len(SERVICES)
        await _until(lambda: sink.alerts, 15)
        truth = await session.truth()
        pids += json.loads((tmp_path / "pids.json").read_text())
        feed = build(session.system.connectors["shop"])
        window = Window(start=begun, end=datetime.now(UTC) + timedelta(seconds=1))
        ask = Ask(capability=Capability.CHANGES, window=window)
        changes = [change async for page in feed.fetch(ask) for change in page.changes]
        await feed.aclose()
    await _until(lambda: not _alive(pids), END_S)

    services = set(session.system.services)
    assert len(services) == len(SERVICES)
    assert not services & set(SERVICES)
    assert {service for service, _, _ in sink.spans} == services
    assert truth.type == "code"
    assert truth.service in services
    assert {truth.change, *truth.innocent} <= {change.ref for change in changes}
    assert {alert["labels"]["service"] for alert in sink.alerts} == {session.system.services[0]}

    _assert_connected(sink.spans)
    _assert_release_at_fault(sink, str(truth.service), str(truth.change))
    assert sink.metrics["process.cpu.utilization"] == services
    assert len(sink.metrics["db.client.connection.count"]) == 1


def _assert_connected(spans: list[tuple[str, str, Span]]) -> None:
    known = {span.span_id for _, _, span in spans}
    orphans = [
        span for _, _, span in spans if span.parent_span_id and span.parent_span_id not in known
    ]
    assert len(orphans) < 0.01 * len(spans)
    services = defaultdict(set)
    for service, _, span in spans:
        services[span.trace_id].add(service)
    assert max(len(found) for found in services.values()) >= 7
    assert {span.kind for _, _, span in spans} == {
        Span.SPAN_KIND_SERVER,
        Span.SPAN_KIND_CLIENT,
        Span.SPAN_KIND_INTERNAL,
    }


def _assert_release_at_fault(sink: Sink, service: str, ref: str) -> None:
    """The new version, and only it, raises; its log lines stand in the same traces."""
    raised = [
        (version, span)
        for name, version, span in sink.spans
        if name == service
        and span.kind == Span.SPAN_KIND_SERVER
        and span.status.code == Status.STATUS_CODE_ERROR
    ]
    assert {f"{service}@{version}" for version, _ in raised} == {ref}
    assert all(any(event.name == "exception" for event in span.events) for _, span in raised)
    told = {trace for name, _, trace in sink.logs if name == service}
    assert {span.trace_id for _, span in raised} <= told


async def test_every_process_ends_when_the_owner_is_killed(sink: Sink, tmp_path: Path):
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shop",
        *("--otlp", sink.url, "--alerts", f"{sink.url}/alerts", "--folder", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
    )
    assert owner.stdout is not None
    async with asyncio.timeout(40):
        assert b"running" in await owner.stdout.readline()
    pids = json.loads((tmp_path / "pids.json").read_text())
    await _until(lambda: sink.spans, END_S)
    assert len(_alive(pids)) == len(pids) > len(SERVICES)
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    await _until(lambda: not _alive(pids), END_S)


async def test_a_burning_instance_and_a_rollback(sink: Sink, tmp_path: Path):
    """What a fault does to the running shop, without waiting for a whole run."""
    sink.busy = 0
    run = _run(sink, tmp_path, fault=None, seed=1, rename=False)
    async with Shop().start(run) as session:
        control = session.control
        burnt = await control.burn("shipping", 0, 60.0)
        pid = control.status()["shipping"]["instances"][burnt]["pid"]  # type: ignore[index]
        process = psutil.Process(pid)
        before = process.cpu_times().user
        await _until(lambda: process.cpu_times().user > before + 0.5, 15)
        ref = await control.restart(burnt, actor="operator")
        await _until(lambda: not _alive([pid]), END_S)
        version = control.version("cart")
        await control.deploy("cart", actor="operator", summary="try it")
        await control.redeploy("cart", version, actor="operator")
        assert {i["version"] for i in control.status()["cart"]["instances"].values()} == {version}  # type: ignore[index]
        pids = json.loads((tmp_path / "pids.json").read_text())
        assert len(_alive(pids)) == len(pids)
    assert ref == f"restart/{burnt}"
    await _until(lambda: not _alive(pids), END_S)


async def test_a_start_that_cannot_succeed_says_why(tmp_path: Path, sink: Sink):
    with pytest.raises(ShopError, match="there are: slow-dependency"):
        async with Shop().start(_run(sink, tmp_path, fault="meteor", seed=1, rename=False)):
            pass
    gone = DemoRun(
        otlp_endpoint="http://127.0.0.1:1",
        alert_webhook=sink.url,
        folder=tmp_path,
        seed=1,
        fault=None,
    )
    with pytest.raises(ShopError, match="Nothing takes telemetry at"):
        async with Shop().start(gone):
            pass
