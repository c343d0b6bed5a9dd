"""What the OTLP receiver keeps, for how long, and how it lives."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import polars as pl
import pytest
from otlp import (
    JSON,
    MIB,
    PROTOBUF,
    around_now,
    as_json,
    page,
    post,
    protobuf,
    rows,
    running,
    span,
    traces,
)

from connectors.api import Capability, Window
from connectors.errors import Forbidden, Rejected, Unavailable
from connectors.otlp import OtlpReceiver, Settings, build


async def test_everything_acknowledged_can_be_asked_for():
    async with running() as receiver:
        answers = await asyncio.gather(
            *(post(receiver, "/v1/traces", protobuf(50), PROTOBUF) for _ in range(20))
        )
        acknowledged = sum(answer.status_code == 200 for answer in answers)
        assert (await rows(receiver, Capability.SPANS)).height == 50 * acknowledged


async def test_a_port_in_use_is_named():
    async with running() as receiver:
        port = int(receiver.endpoint.rpartition(":")[2])
        second = OtlpReceiver(Settings(port=port))
        with pytest.raises(Rejected, match=f"Port {port} is already in use"):
            await second.start()
        await second.aclose()


async def test_an_address_that_is_not_ours_is_named():
    with pytest.raises(Rejected, match=r"cannot listen on 192\.0\.2\.1, port 0"):
        await OtlpReceiver(Settings(host="192.0.2.1", port=0)).start()


async def test_retention_drops_the_oldest_counts_it_and_says_so():
    async with running(max_rows=100) as receiver:
        for number in range(4):
            await post(receiver, "/v1/traces", protobuf(40, name=f"batch {number}"), PROTOBUF)
        answer = await page(receiver, Capability.SPANS)
        assert answer.frame is not None
        counters = receiver.counters
        assert counters["spans.stored"] == 160
        assert answer.frame.height <= 100
        assert counters["spans.dropped"] == 160 - answer.frame.height
        assert answer.frame.filter(pl.col("name") == "batch 3").height == 40
        assert answer.frame.filter(pl.col("name") == "batch 0").is_empty()
        assert "spans up to" in " ".join(answer.gaps)
        later = Window(start=datetime.now(UTC) + timedelta(minutes=1), end=around_now().end)
        assert "up to" not in " ".join((await page(receiver, Capability.SPANS, window=later)).gaps)


async def test_rows_grow_too_old():
    now = [time.time()]
    receiver = OtlpReceiver(Settings(port=0, max_age_s=60), clock=lambda: now[0])
    await receiver.start()
    await post(receiver, "/v1/traces", protobuf(10), PROTOBUF)
    assert (await rows(receiver, Capability.SPANS)).height == 10
    now[0] += 61
    answer = await page(receiver, Capability.SPANS)
    assert answer.frame is not None
    assert answer.frame.is_empty()
    assert receiver.counters["spans.dropped"] == 10
    await receiver.aclose()


async def test_rows_grow_too_old_also_where_a_few_more_keep_coming():
    now = [time.time()]
    receiver = OtlpReceiver(Settings(port=0, max_age_s=60), clock=lambda: now[0])
    await receiver.start()
    for number in range(14):
        await post(receiver, "/v1/traces", protobuf(1, name=f"batch {number}"), PROTOBUF)
        now[0] += 10
    kept = await rows(receiver, Capability.SPANS)
    await receiver.aclose()
    assert sorted(kept.get_column("name")) == [
        f"batch {number}" for number in (10, 11, 12, 13, 8, 9)
    ]


async def test_a_window_from_before_the_start_has_a_gap():
    async with running() as receiver:
        gaps = " ".join((await page(receiver, Capability.LOGS)).gaps)
        assert "The receiver has listened since" in gaps


async def test_a_span_is_known_only_when_it_is_over():
    now = time.time_ns()
    async with running() as receiver:
        body = as_json(traces(span(startTimeUnixNano=now - 60 * 10**9, endTimeUnixNano=now)))
        await post(receiver, "/v1/traces", body, JSON)
        moment = datetime.fromtimestamp(now / 1e9, tz=UTC)
        window = Window(start=moment - timedelta(hours=1), end=moment - timedelta(seconds=1))
        answer = await page(receiver, Capability.SPANS, window=window)
        assert answer.frame is not None
        assert answer.frame.is_empty()


async def test_nobody_listening_is_not_the_same_as_nothing_found():
    receiver = OtlpReceiver(Settings(port=0))
    with pytest.raises(Unavailable, match="not listening"):
        await page(receiver, Capability.SPANS)
    with pytest.raises(Rejected, match="not listening"):
        _ = receiver.endpoint


async def test_before_it_listens_it_says_whether_it_could_and_hears_nothing():
    receiver = OtlpReceiver(Settings(port=0))
    health = await receiver.connector.check()
    assert health.ok
    assert health.message == "The OTLP receiver can listen on 127.0.0.1, port 0."
    with pytest.raises(Unavailable, match="not listening"):
        await page(receiver, Capability.SPANS)
    async with running() as other:
        port = int(other.endpoint.rpartition(":")[2])
        with pytest.raises(Rejected, match=f"Port {port} is already in use"):
            await OtlpReceiver(Settings(port=port)).connector.check()
    free = OtlpReceiver(Settings(port=port))
    assert (await free.connector.check()).ok
    await free.start()  # nothing is left open
    await free.aclose()


async def test_health_tells_how_much_and_since_when():
    async with running() as receiver:
        await post(receiver, "/v1/traces", protobuf(7), PROTOBUF)
        health = await receiver.connector.check()
        assert health.ok
        assert "7 spans, 0 logs, 0 metrics since 20" in health.message


async def test_other_routes_live_on_the_same_port():
    async def handler(headers: Mapping[str, str], body: bytes) -> tuple[int, object]:
        if headers["X-Test"] == "forbidden":
            raise Forbidden("Not you.")
        if headers["X-Test"] == "rejected":
            raise Rejected("Not this.")
        if headers["X-Test"] == "unavailable":
            raise Unavailable("Not now.")
        return 202, {"got": len(body)}

    receiver = OtlpReceiver(Settings(port=0))
    receiver.add_route("/alerts", handler)
    await receiver.start()
    with pytest.raises(ValueError, match="before the receiver is started"):
        receiver.add_route("/late", handler)
    answers = {
        kind: await post(receiver, "/alerts", b"{} ", {**JSON, "X-Test": kind})
        for kind in ("fine", "forbidden", "rejected", "unavailable")
    }
    text = await post(receiver, "/alerts", b"{}", {"Content-Type": "text/plain"})
    large = await post(receiver, "/alerts", bytes(8 * MIB + 1), {**JSON, "X-Test": "fine"})
    await receiver.aclose()
    assert answers["fine"].json() == {"got": 3}
    assert [answer.status_code for answer in answers.values()] == [202, 403, 400, 503]
    assert answers["rejected"].json()["message"] == "Not this."
    assert (text.status_code, large.status_code) == (415, 413)


async def test_starting_and_closing_twice_is_starting_and_closing():
    receiver = OtlpReceiver(Settings(port=0))
    await receiver.start()
    first = receiver.endpoint
    await receiver.start()
    assert receiver.endpoint == first
    assert (await post(receiver, "/v1/traces", protobuf(), PROTOBUF)).status_code == 200
    await receiver.aclose()
    await receiver.aclose()
    with pytest.raises(httpx.ConnectError):
        await post(receiver, "/v1/traces", protobuf(), PROTOBUF)


def test_settings_are_checked():
    with pytest.raises(Rejected, match=r"of otlp are wrong: port: .*; max_row: unknown key"):
        build({"port": 70_000, "max_row": 1})
