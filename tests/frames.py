"""Small hand-made telemetry."""

from datetime import UTC, datetime, timedelta

import polars as pl

from connectors.api import LOGS, METRICS, SPANS

T0 = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def frame(rows, schema):
    return pl.DataFrame(
        [{**dict.fromkeys(schema), **row} for row in rows], schema=schema, orient="row"
    )


def span(trace, span_id, service, *, at, ms, parent=None, **more):
    """`at` in seconds after T0, `ms` the duration."""
    start = T0 + timedelta(seconds=at)
    return {
        "trace_id": trace,
        "span_id": span_id,
        "parent_span_id": parent,
        "service": service,
        "name": more.pop("name", f"do {service}"),
        "start": start,
        "end": start + timedelta(milliseconds=ms),
        **more,
    }


def spans(rows):
    return frame(rows, SPANS)


def logs(rows):
    return frame(rows, LOGS)


def metrics(rows):
    return frame(rows, METRICS)


def request(trace, at, *, gap=2.0, work=5.0, failing=False, callee_instance="b-1"):
    """Front → (client span) → back: `gap` ms on the way, `work` ms in back."""
    status = "error" if failing else "ok"
    client = work + gap
    return [
        span(trace, f"{trace}r", "front", at=at, ms=client + 3, name="GET /", kind="server",
             status=status, instance="f-1"),
        span(trace, f"{trace}c", "front", at=at + 0.001, ms=client, parent=f"{trace}r",
             name="GET /back", kind="client", status=status, peer="back", instance="f-1"),
        span(trace, f"{trace}s", "back", at=at + 0.001 + gap / 2000, ms=work, parent=f"{trace}c",
             name="GET /back", kind="server", status=status, instance=callee_instance),
    ]  # fmt: skip


def minute(count, at, *, prefix="t", rate=5.0, **how):
    """`count` requests from `at` seconds on, `rate` a second."""
    rows = []
    for i in range(count):
        # Durations of a real system vary; a fixed pattern keeps the test deterministic.
        wobble = 1.0 + 0.1 * ((i * 7) % 5)
        work = how.get("work", 5.0) * wobble
        rows += request(f"{prefix}{i}", at + i / rate, **{**how, "work": work})
    return rows
