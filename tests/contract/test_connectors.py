"""Our own connectors pass the contract that third parties' have to pass."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from connectors import otlp, recording
from connectors.api import LOGS, METRICS, SPANS, Change, Connector, Window
from connectors.testing import CHECKS, Check, ConnectorContract

SECRET = "hunter2"  # noqa: S105 - planted, to be redacted
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def recorded(folder: Path) -> ConnectorContract:
    """Everything a recording can hold, on the hour."""
    window = Window(start=NOON, end=NOON + timedelta(hours=1))
    times = [NOON + timedelta(minutes=number) for number in range(6)]
    shared = {"service": ["shop", "cart"] * 3, "instance": "pod-1"}
    spans = {
        **shared,
        "trace_id": [f"{number:032x}" for number in range(6)],
        "span_id": [f"{number:016x}" for number in range(6)],
        "name": f"GET /?token={SECRET}",
        "start": times,
        "end": [moment + timedelta(minutes=40) for moment in times],
    }
    logs = {**shared, "time": times, "body": f"password={SECRET}"}
    metrics = {**shared, "time": times, "name": "cpu", "unit": "1", "value": 0.5}
    changes = [
        Change(
            at=moment,
            until=moment + timedelta(minutes=45),
            kind="deploy",
            target="shop",
            ref=str(moment.minute),
            actor=None,
            summary=f"api_key={SECRET}",
        )
        for moment in times
    ]
    recording.write_recording(
        folder,
        title="contract",
        source="a test",
        window=window,
        spans=frame(spans, SPANS),
        logs=frame(logs, LOGS),
        metrics=frame(metrics, METRICS),
        changes=changes,
        graph=(("shop", "cart"), ("cart", "db")),
    )

    @asynccontextmanager
    async def make() -> AsyncIterator[Connector]:
        yield recording.build({"path": str(folder)})

    return ConnectorContract(
        make=make,
        build=lambda: recording.build({"path": str(folder)}),
        window=window,
        secret=SECRET,
    )


def frame(columns: dict[str, object], schema: pl.Schema) -> pl.DataFrame:
    rows = pl.DataFrame({name: columns.get(name) for name in schema}, schema_overrides=schema)
    return rows.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def received(_folder: Path) -> ConnectorContract:
    """Everything that OTLP can send, just now."""
    now = datetime.now(UTC)

    @asynccontextmanager
    async def make() -> AsyncIterator[Connector]:
        receiver = otlp.OtlpReceiver(otlp.Settings(port=0))
        await receiver.start()
        async with httpx.AsyncClient(trust_env=False, base_url=receiver.endpoint) as client:
            for path, body in sent(time.time_ns() - 10**9).items():
                (await client.post(path, json=body)).raise_for_status()
        yield receiver.connector
        await receiver.aclose()

    return ConnectorContract(
        make=make,
        build=lambda: otlp.build({"port": 0}),
        window=Window(start=now - timedelta(minutes=5), end=now + timedelta(minutes=5)),
        secret=SECRET,
    )


def sent(at_ns: int) -> dict[str, object]:
    blocks = {
        "resource": {
            "attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}],
        }
    }
    spans = [
        {
            "traceId": f"{number + 1:032x}",
            "spanId": f"{number + 1:016x}",
            "name": f"GET /?token={SECRET}",
            "startTimeUnixNano": at_ns - 10**6,
            "endTimeUnixNano": at_ns + number,
        }
        for number in range(3)
    ]
    logs = [
        {"timeUnixNano": at_ns + number, "body": {"stringValue": f"password={SECRET}"}}
        for number in range(3)
    ]
    points = [{"timeUnixNano": at_ns + number, "asDouble": 0.5} for number in range(3)]
    metric = {"name": "cpu", "gauge": {"dataPoints": points}}
    return {
        "/v1/traces": {"resourceSpans": [{**blocks, "scopeSpans": [{"spans": spans}]}]},
        "/v1/logs": {"resourceLogs": [{**blocks, "scopeLogs": [{"logRecords": logs}]}]},
        "/v1/metrics": {"resourceMetrics": [{**blocks, "scopeMetrics": [{"metrics": [metric]}]}]},
    }


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("planted", [recorded, received], ids=["recording", "otlp"])
async def test_a_connector_keeps_its_promises(
    planted: Callable[[Path], ConnectorContract], check: Check, tmp_path: Path
):
    await check(planted(tmp_path / "planted"))
