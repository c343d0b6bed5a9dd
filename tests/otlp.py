"""An OTLP receiver over real sockets, and what is posted to it."""

import json
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import polars as pl
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from connectors.api import Ask, Capability, Page, Window
from connectors.otlp import OtlpReceiver, Settings

PROTOBUF = {"Content-Type": "application/x-protobuf"}


JSON = {"Content-Type": "application/json"}


MIB = 1024 * 1024


NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the authorities takes 40 ms each time


@asynccontextmanager
async def running(**chosen: object) -> AsyncIterator[OtlpReceiver]:
    receiver = OtlpReceiver(Settings.model_validate({"port": 0, **chosen}))
    await receiver.start()
    yield receiver
    await receiver.aclose()


async def post(
    receiver: OtlpReceiver,
    path: str,
    body: bytes,
    headers: Mapping[str, str] | Mapping[str, str | bytes],
) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=30, verify=NO_TLS) as client:
        return await client.post(receiver.endpoint + path, content=body, headers=headers)


def around_now() -> Window:
    now = datetime.now(UTC)
    return Window(start=now - timedelta(hours=1), end=now + timedelta(hours=1))


async def page(receiver: OtlpReceiver, capability: Capability, **chosen: object) -> Page:
    ask = Ask(**{"capability": capability, "window": around_now(), **chosen})  # type: ignore[arg-type]
    (answer,) = [page async for page in receiver.connector.fetch(ask)]
    return answer


async def rows(receiver: OtlpReceiver, capability: Capability) -> pl.DataFrame:
    frame = (await page(receiver, capability)).frame
    assert frame is not None
    return frame


def span(**changed: object) -> dict[str, object]:
    now = time.time_ns()
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "parentSpanId": "",
        "name": "GET /",
        "kind": "SPAN_KIND_SERVER",
        "startTimeUnixNano": str(now - 10**9),
        "endTimeUnixNano": now,
        "status": {"code": 2},
        **changed,
    }


def traces(*spans: Mapping[str, object], **resource: str) -> dict[str, object]:
    said = [
        {"key": key.replace("_", "."), "value": {"stringValue": value}}
        for key, value in {"service_name": "shop", **resource}.items()
    ]
    return {
        "resourceSpans": [
            {"resource": {"attributes": said}, "scopeSpans": [{"spans": list(spans)}]}
        ]
    }


def as_json(content: object) -> bytes:
    return json.dumps(content).encode()


def protobuf(count: int = 1, name: str = "x") -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    now = time.time_ns()
    for number in range(count):
        spans.add(
            trace_id=(number + 1).to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=now - 1000,
            end_time_unix_nano=now,
        )
    return request.SerializeToString()
