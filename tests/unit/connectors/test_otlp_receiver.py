"""The OTLP receiver over real sockets: what it takes, what it refuses, what it keeps."""

import asyncio
import gzip
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from otlp import (
    JSON,
    MIB,
    PROTOBUF,
    as_json,
    page,
    post,
    protobuf,
    rows,
    running,
    span,
    traces,
)

from connectors.api import Capability


async def test_json_is_read_as_the_specification_says():
    sent = span(
        parentSpanId="00F067AA0BA902B7",
        attributes=[
            {"key": "http.response.status_code", "value": {"intValue": "500"}},
            {"key": "peer.service", "value": {"stringValue": "db"}},
            {"key": "tags", "value": {"arrayValue": {"values": [{"boolValue": True}]}}},
        ],
        events=[
            {
                "name": "exception",
                "attributes": [{"key": "exception.type", "value": {"stringValue": "KeyError"}}],
            }
        ],
        unknownField=1,
    )
    async with running() as receiver:
        response = await post(receiver, "/v1/traces", as_json(traces(sent)), JSON)
        assert (response.status_code, response.json()) == (200, {})
        (row,) = (await rows(receiver, Capability.SPANS)).to_dicts()
    assert row["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert row["parent_span_id"] == "00f067aa0ba902b7"
    assert (row["service"], row["kind"], row["status"], row["peer"]) == (
        "shop",
        "server",
        "error",
        "db",
    )
    assert json.loads(row["attributes"]) == {
        "http.response.status_code": 500,
        "peer.service": "db",
        "tags": [True],
        "exception.type": "KeyError",
    }


async def test_enums_may_come_as_numbers_and_resources_say_who_it_was():
    resource = {
        "service_instance_id": "i-1",
        "host_name": "h",
        "service_version": "2",
        "service_namespace": "n",
        "deployment_environment": "prod",
        "k8s_cluster_name": "c",
    }
    async with running() as receiver:
        await post(receiver, "/v1/traces", as_json(traces(span(kind=3), **resource)), JSON)
        (row,) = (await rows(receiver, Capability.SPANS)).to_dicts()
    assert row["kind"] == "client"
    assert [
        row[name] for name in ("instance", "version", "namespace", "environment", "cluster")
    ] == ["i-1", "2", "n", "prod", "c"]


@pytest.mark.parametrize(
    ("said", "peer"),
    [
        ({"server.address": "10.0.0.7", "db.system.name": "postgresql"}, "10.0.0.7"),
        ({"db.system": "redis"}, "redis"),
        ({"peer.service": "pay", "server.address": "x"}, "pay"),
        ({}, None),
    ],
)
async def test_a_client_names_whom_it_called(said: dict[str, str], peer: str | None):
    attributes = [{"key": k, "value": {"stringValue": v}} for k, v in said.items()]
    async with running() as receiver:
        body = as_json(traces(span(kind=3, attributes=attributes)))
        await post(receiver, "/v1/traces", body, JSON)
        assert (await rows(receiver, Capability.SPANS))["peer"].to_list() == [peer]


async def test_attributes_are_capped_and_say_the_exception_first():
    attributes = [
        {"key": f"k{number}", "value": {"stringValue": "é" * 900}} for number in range(10)
    ]
    raised = {"key": "exception.message", "value": {"stringValue": "no such order"}}
    events = [{"name": "exception", "attributes": [raised]}]
    async with running() as receiver:
        body = as_json(traces(span(attributes=attributes, events=events)))
        await post(receiver, "/v1/traces", body, JSON)
        (text,) = (await rows(receiver, Capability.SPANS))["attributes"]
    assert len(text.encode()) <= 2048
    assert next(iter(json.loads(text))) == "exception.message"
    assert "k0" in json.loads(text)


async def test_logs_have_one_of_six_severities_and_a_text():
    now = str(time.time_ns())
    records = [
        {"timeUnixNano": now, "severityText": "warning", "body": {"stringValue": "a"}},
        {"timeUnixNano": now, "severityNumber": 17, "body": {"stringValue": "b"}},
        {"timeUnixNano": now, "severityNumber": "SEVERITY_NUMBER_FATAL4"},
        {
            "observedTimeUnixNano": now,
            "body": {"kvlistValue": {"values": [{"key": "n", "value": {"intValue": 1}}]}},
            "traceId": "0af7651916cd43dd8448eb211c80319c",
        },
        {"body": {"stringValue": "without a time"}},
    ]
    body = as_json({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})
    async with running() as receiver:
        response = await post(receiver, "/v1/logs", body, JSON)
        assert response.json()["partialSuccess"]["rejectedLogRecords"] == "1"
        frame = await rows(receiver, Capability.LOGS)
    assert frame["severity"].to_list() == ["WARN", "ERROR", "FATAL", None]
    assert frame["body"].to_list() == ["a", "b", "", '{"n": 1}']
    assert frame["trace_id"].to_list()[3] == "0af7651916cd43dd8448eb211c80319c"


async def test_secrets_are_redacted_before_they_are_kept():
    secret = [{"key": "db.password", "value": {"stringValue": "hunter2"}}]
    async with running() as receiver:
        body = as_json(traces(span(attributes=secret, name="GET /?token=hunter2")))
        await post(receiver, "/v1/traces", body, JSON)
        assert "hunter2" not in (await rows(receiver, Capability.SPANS)).write_json()


def broken_spans() -> list[dict[str, object]]:
    now = time.time_ns()
    return [
        span(traceId=""),
        span(traceId="0" * 32),
        span(spanId="b7ad"),
        span(startTimeUnixNano=now, endTimeUnixNano=now - 1),
        span(startTimeUnixNano=0),
        span(endTimeUnixNano=now + 48 * 3600 * 10**9),
    ]


async def test_rows_that_cannot_be_are_left_out_counted_and_told():
    broken = broken_spans()
    async with running() as receiver:
        response = await post(receiver, "/v1/traces", as_json(traces(span(), *broken)), JSON)
        assert response.status_code == 200
        told = response.json()["partialSuccess"]
        assert told["rejectedSpans"] == str(len(broken))
        assert "left out" in told["errorMessage"]
        assert receiver.counters["spans.rejected"] == len(broken)
        answer = await page(receiver, Capability.SPANS)
        assert answer.frame is not None
        assert answer.frame.height == 1
        assert f"{len(broken)} spans were left out" in " ".join(answer.gaps)


async def test_partial_success_comes_in_the_encoding_of_the_request():
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name="no ids")
    async with running() as receiver:
        response = await post(receiver, "/v1/traces", request.SerializeToString(), PROTOBUF)
    assert response.headers["Content-Type"] == "application/x-protobuf"
    answer = ExportTraceServiceResponse.FromString(response.content)
    assert answer.partial_success.rejected_spans == 1


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body)


REFUSED: list[tuple[str, Callable[[], bytes], dict[str, str], int, str]] = [
    ("too large", lambda: bytes(8 * MIB + 1), PROTOBUF, 413, "larger than 8388608 bytes"),
    (
        "gzip bomb",
        lambda: gzipped(bytes(64 * MIB)),
        {**PROTOBUF, "Content-Encoding": "gzip"},
        413,
        "larger than 16777216 bytes once decompressed",
    ),
    (
        "large JSON in gzip",
        lambda: gzipped(b" " * (9 * MIB)),
        {**JSON, "Content-Encoding": "gzip"},
        413,
        "has to be sent as Protobuf",
    ),
    ("garbage", lambda: b"\xff\xfe garbage", PROTOBUF, 400, "not an OTLP message in Protobuf"),
    ("garbage JSON", lambda: b"{garbage", JSON, 400, "not an OTLP message in JSON"),
    ("JSON list", lambda: b"[]", JSON, 400, "not an OTLP message in JSON"),
    ("deep JSON", lambda: b"[" * 100_000, JSON, 400, "not an OTLP message in JSON"),
    (
        "id in base64",
        lambda: as_json(traces(span(traceId="CvdlGRbNQ92ESOshHIAxnA=="))),
        JSON,
        400,
        "not an OTLP message in JSON",
    ),
    (
        "half a character",
        lambda: as_json(traces(span(kind="\ud800"))),
        JSON,
        400,
        "not an OTLP message in JSON",
    ),
    (
        "no gzip",
        lambda: b"plain",
        {**PROTOBUF, "Content-Encoding": "gzip"},
        400,
        "not valid gzip",
    ),
    (
        "gzip cut off",
        lambda: gzipped(protobuf(9))[:-9],
        {**PROTOBUF, "Content-Encoding": "gzip"},
        400,
        "ends too early",
    ),
    ("zstd", protobuf, {**PROTOBUF, "Content-Encoding": "zstd"}, 415, "plain or as gzip"),
    ("text", protobuf, {"Content-Type": "text/plain"}, 415, "Send application/x-protobuf or"),
    ("no type", protobuf, {}, 415, "Send application/x-protobuf or"),
    ("web page", protobuf, {**PROTOBUF, "Origin": "http://x"}, 403, "web pages"),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "sentence"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
async def test_a_bad_request_is_refused_in_one_sentence(
    body: Callable[[], bytes], headers: dict[str, str], status: int, sentence: str
):
    async with running() as receiver:
        response = await post(receiver, "/v1/traces", body(), headers)
        assert response.status_code == status
        if headers.get("Content-Type") == "application/x-protobuf":
            # google.rpc.Status: field 1 the code, field 2 the message
            assert response.content.startswith(b"\x08\x03\x12")
            assert sentence.encode() in response.content
        else:
            assert set(response.json()) == {"code", "message"}
            assert sentence in response.json()["message"]
        good = await post(receiver, "/v1/traces", protobuf(), PROTOBUF)
        assert good.status_code == 200
        assert receiver.counters["spans.stored"] == 1


async def test_gzip_is_read():
    async with running() as receiver:
        headers = {**PROTOBUF, "Content-Encoding": "gzip"}
        body = gzipped(protobuf(100))
        assert (await post(receiver, "/v1/traces", body, headers)).status_code == 200
        assert receiver.counters["spans.stored"] == 100


@pytest.mark.parametrize(
    ("given_token", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        ("s3cret", 401),
        (b"Bearer \xff", 401),
        ("Bearer s3cret", 200),
    ],
)
async def test_a_token_is_asked_for_where_one_is_set(given_token: str | bytes | None, status: int):
    headers = {**PROTOBUF, **({"Authorization": given_token} if given_token else {})}
    async with running(token="s3cret") as receiver:  # noqa: S106 - a test's own
        response = await post(receiver, "/v1/traces", protobuf(), headers)
        assert response.status_code == status
        assert ("WWW-Authenticate" in response.headers) == (status == 401)
        assert receiver.counters["spans.stored"] == (status == 200)


async def test_a_full_queue_says_when_to_come_back_and_loses_nothing():
    async with running(max_pending=1) as receiver:
        host, port = receiver.endpoint.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = protobuf()
        head = (
            f"POST /v1/traces HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-protobuf\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body[:1])
        await writer.drain()
        async with asyncio.timeout(60):
            while receiver.counters["requests.pending"] == 0:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.01)

        refused = await post(receiver, "/v1/traces", protobuf(5), PROTOBUF)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert receiver.counters["requests.refused"] == 1

        writer.write(body[1:])
        await writer.drain()
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()
        assert (await post(receiver, "/v1/traces", protobuf(5), PROTOBUF)).status_code == 200
        assert receiver.counters["spans.stored"] == 6
        answer = await page(receiver, Capability.SPANS)
        assert "1 requests were refused" in " ".join(answer.gaps)


SHAPES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["resourceSpans", "scopeSpans", "spans", "resource", "attributes", "key", "value",
             "traceId", "kind", "status", "events", "startTimeUnixNano", "stringValue"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(content=SHAPES)
async def test_no_json_breaks_the_receiver(content: object):
    async with running() as receiver:
        body = json.dumps({"resourceSpans": content}).encode()
        response = await post(receiver, "/v1/traces", body, JSON)
        assert response.status_code in (200, 400)
