"""The receiver against the real OpenTelemetry SDK and its exporters."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from connectors.api import Ask, Capability, Window
from connectors.otlp import OtlpReceiver, Settings

RESOURCE = Resource.create(
    {"service.name": "shop", "service.instance.id": "shop-1", "service.version": "1.2"}
)
TOKEN = {"Authorization": "Bearer s3cret"}


@pytest.fixture
async def receiver() -> AsyncIterator[OtlpReceiver]:
    started = OtlpReceiver(Settings.model_validate({"port": 0, "token": "s3cret"}))
    await started.start()
    yield started
    await started.aclose()


async def rows(receiver: OtlpReceiver, capability: Capability) -> pl.DataFrame:
    now = datetime.now(UTC)
    window = Window(start=now - timedelta(minutes=5), end=now + timedelta(minutes=5))
    (page,) = [p async for p in receiver.connector.fetch(Ask(capability=capability, window=window))]
    assert page.frame is not None
    return page.frame


async def test_traces_of_the_sdk_arrive(receiver: OtlpReceiver):
    provider = TracerProvider(resource=RESOURCE)
    exporter = OTLPSpanExporter(
        receiver.endpoint + "/v1/traces", headers=TOKEN, compression=Compression.Gzip
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")

    def order() -> None:
        with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER):
            with tracer.start_as_current_span("SELECT", kind=SpanKind.CLIENT) as child:
                child.set_attribute("db.system.name", "postgresql")
            raise KeyError("no such order")

    with pytest.raises(KeyError):
        order()
    await asyncio.to_thread(provider.shutdown)

    frame = await rows(receiver, Capability.SPANS)
    assert frame["name"].to_list() == ["POST /orders", "SELECT"]
    root, child_row = frame.to_dicts()
    assert (root["service"], root["instance"], root["version"]) == ("shop", "shop-1", "1.2")
    assert (root["kind"], root["status"], root["parent_span_id"]) == ("server", "error", None)
    assert json.loads(root["attributes"])["exception.type"] == "KeyError"
    assert (child_row["kind"], child_row["status"]) == ("client", "unset")
    assert child_row["peer"] == "postgresql"
    assert child_row["parent_span_id"] == root["span_id"]
    assert child_row["trace_id"] == root["trace_id"]
    assert root["start"] <= child_row["start"] <= child_row["end"] <= root["end"]


async def test_logs_of_the_sdk_arrive(receiver: OtlpReceiver):
    provider = LoggerProvider(resource=RESOURCE)
    exporter = OTLPLogExporter(receiver.endpoint + "/v1/logs", headers=TOKEN)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    provider.get_logger("test").emit(
        timestamp=int(datetime.now(UTC).timestamp() * 1e9),
        severity_number=SeverityNumber.WARN,
        body="login with password=hunter2 failed",
        attributes={"user": "ann"},
    )
    await asyncio.to_thread(provider.shutdown)

    (row,) = (await rows(receiver, Capability.LOGS)).to_dicts()
    assert (row["service"], row["severity"]) == ("shop", "WARN")
    assert row["body"] == "login with password=[redacted:secret] failed"
    assert json.loads(row["attributes"])["user"] == "ann"


async def test_metrics_of_the_sdk_arrive(receiver: OtlpReceiver):
    exporter = OTLPMetricExporter(receiver.endpoint + "/v1/metrics", headers=TOKEN)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("test")
    orders = meter.create_counter("orders", unit="{order}")
    latency = meter.create_histogram("latency", unit="s")
    queue = meter.create_gauge("queue")
    for count in (1, 30):
        orders.add(count, {"method": "POST"})
        latency.record(0.25 * count)
        queue.set(count)
        await asyncio.to_thread(provider.force_flush)
    await asyncio.to_thread(provider.shutdown)

    frame = await rows(receiver, Capability.METRICS)
    value = {name: frame.filter(pl.col("name") == name)["value"] for name in frame["name"].unique()}
    assert value["queue"].to_list()[:2] == [1.0, 30.0]
    assert value["orders"][0] > 0
    assert value["latency.rate"][0] > 0
    assert value["latency.mean"][0] == pytest.approx(7.5)
    rate = frame.filter(pl.col("name") == "orders").row(0, named=True)
    assert (rate["unit"], rate["labels"]) == ("{order}/s", '{"method":"POST"}')
    assert (rate["service"], rate["instance"]) == ("shop", "shop-1")


async def test_an_exporter_with_a_wrong_token_is_told(
    receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
):
    provider = TracerProvider(resource=RESOURCE)
    exporter = OTLPSpanExporter(receiver.endpoint + "/v1/traces", headers={"Authorization": "no"})
    provider.add_span_processor(BatchSpanProcessor(exporter))
    provider.get_tracer("test").start_span("x").end()
    with caplog.at_level(logging.ERROR):
        await asyncio.to_thread(provider.shutdown)
    assert "401" in caplog.text
    assert receiver.counters["spans.stored"] == 0
