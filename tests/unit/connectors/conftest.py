"""Small telemetry to test connectors with: frames of the fixed schemas, and a written recording."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.api import LOGS, METRICS, SPANS, Change, Window
from connectors.recording import Case, write_recording

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def hour() -> Window:
    return Window(start=NOON, end=NOON + timedelta(hours=1))


def row(schema: pl.Schema, **values: object) -> dict[str, object]:
    return {**dict.fromkeys(schema), **values}


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


@pytest.fixture
def spans() -> pl.DataFrame:
    """Ten spans, one a minute from noon on, each 90 s long; odd ones belong to `cart`."""
    rows = [
        row(
            SPANS,
            trace_id=f"{n:032x}",
            span_id=f"{n:016x}",
            service="cart" if n % 2 else "shop",
            instance="pod-1",
            name="GET /",
            kind="server",
            status="error" if n == 9 else "ok",
            start=minute(n),
            end=minute(n + 1.5),
            attributes='{"password":"hunter2"}' if n == 1 else None,
        )
        for n in range(10)
    ]
    return pl.DataFrame(rows, schema=SPANS)


@pytest.fixture
def logs() -> pl.DataFrame:
    rows = [
        row(
            LOGS,
            time=minute(n),
            service="shop",
            instance="pod-1",
            severity="INFO",
            body="login password=hunter2" if n == 1 else f"served {n}",
        )
        for n in range(10)
    ]
    return pl.DataFrame(rows, schema=LOGS)


@pytest.fixture
def metrics() -> pl.DataFrame:
    rows = [
        row(
            METRICS,
            time=minute(n),
            service="shop",
            instance="pod-1",
            name="cpu",
            unit="1",
            value=n / 10,
        )
        for n in range(10)
    ]
    return pl.DataFrame(rows, schema=METRICS)


@pytest.fixture
def changes() -> tuple[Change, ...]:
    return (
        Change(
            at=minute(2),
            until=minute(8),
            kind="deploy",
            target="cart",
            ref="v2",
            actor="ann",
            summary="deploy cart v2",
        ),
        Change(
            at=minute(5),
            until=None,
            kind="commit",
            target=None,
            ref="abc",
            actor=None,
            summary="set password=hunter2",
            files=("a.py",),
            diff="+x",
        ),
    )


@pytest.fixture
def recorded(
    tmp_path: Path,
    hour: Window,
    spans: pl.DataFrame,
    logs: pl.DataFrame,
    metrics: pl.DataFrame,
    changes: tuple[Change, ...],
) -> Path:
    """A recording of all of it, from noon to one o'clock."""
    folder = tmp_path / "recorded"
    write_recording(
        folder,
        title="a title",
        source="a test",
        window=hour,
        spans=spans,
        logs=logs,
        metrics=metrics,
        changes=changes,
        known_incidents=(Window(start=minute(1), end=minute(3)),),
        cases=(Case(id="one", alert_at=minute(9), symptom="slow", truth={"service": "cart"}),),
        graph=(("shop", "cart"), ("cart", "db")),
        notes="none",
    )
    return folder


@pytest.fixture
def at() -> Callable[[float], datetime]:
    """Minutes after noon, as a time."""
    return minute
