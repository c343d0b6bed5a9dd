"""The HTTP client against a real server that misbehaves in every way we know."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from connectors.errors import (
    ConnectorError,
    DeadlineExceeded,
    Forbidden,
    Rejected,
    Unavailable,
)
from connectors.http import HttpClient, Limits

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Backend:
    """A server whose answer each test chooses; counts what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[web.Request] = []
        self.answer: Handler = self.ok

    async def ok(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"fine": True})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answer(request)


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    served = Backend()
    app = web.Application()
    app.router.add_get("/{tail:.*}", served.handle)
    app.router.add_post("/{tail:.*}", served.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await runner.cleanup()


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[HttpClient]:
    made = HttpClient(
        backend.url + "/api/",
        source="test",
        headers={"Authorization": "Bearer s3cret"},
        limits=Limits(timeout_s=1.0, max_bytes=10_000, attempts=3, backoff_s=0.01),
    )
    yield made
    await made.aclose()
    await made.aclose()


def status(code: int, **headers: str) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers, text="a secret detail")

    return answer


async def test_json_comes_back_from_below_the_base(backend: Backend, client: HttpClient):
    assert await client.get_json("/v1/x", params={"q": "a b"}, deadline_s=5) == {"fine": True}
    (request,) = backend.requests
    assert (request.path, request.query["q"]) == ("/api/v1/x", "a b")
    assert request.headers["Authorization"] == "Bearer s3cret"


async def test_a_backend_that_recovers_is_tried_again(backend: Backend, client: HttpClient):
    async def answer(request: web.Request) -> web.StreamResponse:
        return await (backend.ok if len(backend.requests) == 3 else status(503))(request)

    backend.answer = answer
    assert await client.get_json("x", deadline_s=5) == {"fine": True}


@pytest.mark.parametrize(
    ("code", "error", "asked"),
    [
        (401, Forbidden, 1),
        (403, Forbidden, 1),
        (400, Rejected, 1),
        (404, Rejected, 1),
        (302, Rejected, 1),
        (429, Unavailable, 3),
        (500, Unavailable, 3),
        (503, Unavailable, 3),
    ],
)
async def test_statuses_become_errors(
    backend: Backend, client: HttpClient, code: int, error: type[ConnectorError], asked: int
):
    backend.answer = status(code, Location="http://example.invalid/")
    with pytest.raises(error) as caught:
        await client.get_json("x", deadline_s=5)
    assert len(backend.requests) == asked
    assert "secret" not in str(caught.value)


async def test_the_deadline_covers_all_attempts(backend: Backend):
    async def answer(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        raise AssertionError

    backend.answer = answer
    slow = HttpClient(backend.url, source="test", limits=Limits(timeout_s=20.0))
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"did not answer within 0\.2 s"):
        await slow.get_json("x", deadline_s=0.2)
    assert time.monotonic() - began < 5
    await slow.aclose()


async def test_there_is_no_retry_that_the_deadline_forbids(backend: Backend):
    backend.answer = status(503)
    patient = HttpClient(backend.url, source="test", limits=Limits(backoff_s=60.0))
    with pytest.raises(Unavailable):
        await patient.get_json("x", deadline_s=5)
    assert len(backend.requests) == 1
    await patient.aclose()


async def test_an_answer_that_is_too_large_is_cut_off(backend: Backend, client: HttpClient):
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"[" + b"1," * 10_000 + b"1]")

    backend.answer = answer
    with pytest.raises(Rejected, match="larger than 10000 bytes"):
        await client.get_json("x", deadline_s=5)


async def test_a_compressed_answer_is_measured_decompressed(backend: Backend, client: HttpClient):
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=gzip.compress(b" " * 100_000), headers={"Content-Encoding": "gzip"}
        )

    backend.answer = answer
    with pytest.raises(Rejected, match="larger than 10000 bytes"):
        await client.get_json("x", deadline_s=5)


@pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 9_000, b"\xff\xfe"])
async def test_what_is_not_json_is_said(backend: Backend, client: HttpClient, body: bytes):
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body)

    backend.answer = answer
    with pytest.raises(Rejected, match="did not answer with JSON"):
        await client.get_json("x", deadline_s=5)


async def test_damaged_compression_is_said(backend: Backend, client: HttpClient):
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})

    backend.answer = answer
    with pytest.raises(Rejected, match="damaged compressed"):
        await client.get_json("x", deadline_s=5)


@pytest.mark.parametrize(
    "path", ["http://example.invalid/", "//example.invalid/", "a/../../b", "\\\\x"]
)
async def test_a_path_cannot_leave_the_host(backend: Backend, client: HttpClient, path: str):
    with pytest.raises(Rejected, match="may only name a path below"):
        await client.get_json(path, deadline_s=5)
    assert backend.requests == []


async def test_nobody_there(unused_tcp_port: int):
    lonely = HttpClient(
        f"http://127.0.0.1:{unused_tcp_port}", source="test", limits=Limits(backoff_s=0.01)
    )
    with pytest.raises(Unavailable, match="no connection to"):
        await lonely.get_json("x", deadline_s=5)
    await lonely.aclose()


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "http://", "x", "http://u:p@x", "http://x?q=1", "http://x:port"]
)
def test_addresses_are_checked(url: str):
    with pytest.raises(Rejected, match="test: url"):
        HttpClient(url, source="test")


async def test_calls_are_counted_by_outcome(backend: Backend):
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    counted = HttpClient(backend.url, source="counted", meter=provider.get_meter("test"))
    await counted.get_json("x", deadline_s=5)
    backend.answer = status(403)
    with pytest.raises(Forbidden):
        await counted.get_json("x", deadline_s=5)
    await counted.aclose()
    data = reader.get_metrics_data()
    assert data is not None
    points = [
        (dict(point.attributes or {}), point.value)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "firstline.connector.calls"
        for point in metric.data.data_points
    ]
    assert ({"connector": "counted", "outcome": "ok"}, 1) in points
    assert ({"connector": "counted", "outcome": "Forbidden"}, 1) in points
    provider.shutdown()


async def test_a_post_carries_json_and_is_never_repeated(backend: Backend, client: HttpClient):
    async def echo(request: web.Request) -> web.StreamResponse:
        return web.json_response({"got": await request.json()})

    backend.answer = echo
    assert await client.post_json("/do", {"a": 1}, deadline_s=5) == {"got": {"a": 1}}
    backend.answer = status(503)
    with pytest.raises(Unavailable):
        await client.post_json("/do", {"a": 1}, deadline_s=5)
    assert [request.method for request in backend.requests] == ["POST", "POST"]


async def unreadable(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"<html>")


async def damaged(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})


async def oversized(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"[" + b"1," * 10_000 + b"1]")


@pytest.mark.parametrize(
    "answer",
    [unreadable, damaged, oversized, status(303), status(304)],
    ids=["page", "damaged", "oversized", "redirect", "neither"],
)
async def test_an_order_whose_answer_cannot_be_understood_may_have_been_carried_out(
    backend: Backend, client: HttpClient, answer: Handler
):
    backend.answer = answer
    with pytest.raises(Unavailable):
        await client.post_json("/do", {"a": 1}, deadline_s=5)
    assert len(backend.requests) == 1


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ('{"detail": "It is off already."}', "application/problem+json", "It is off already."),
        ('{"detail": "password=hunter2"}', "application/problem+json", "[redacted"),
        ('{"detail": "secret"}', "application/json", "did not accept the question"),
        ("[]", "application/problem+json", "did not accept the question"),
        ("secret", "text/plain", "did not accept the question"),
    ],
)
async def test_a_refusal_is_told_in_the_backends_words_if_they_are_for_people(
    backend: Backend, client: HttpClient, text: str, kind: str, said: str
):
    async def refuse(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=422, text=text, content_type=kind)

    backend.answer = refuse
    with pytest.raises(Rejected) as caught:
        await client.post_json("/do", {}, deadline_s=5)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert ": secret" not in str(caught.value)
