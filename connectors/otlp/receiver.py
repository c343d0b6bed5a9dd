"""The embedded OTLP/HTTP receiver: an aiohttp server, on loopback unless told otherwise.

A request is acknowledged after its rows have been decoded, redacted and kept (in memory: a crash
loses them, an answer never does). One request at a time is worked on, in a thread; at most
`max_pending` may be on their way, the next ones are told to come back (503, Retry-After).
"""

import asyncio
import errno
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.errors import ConnectorError, Forbidden, Rejected
from connectors.otlp.connector import OtlpConnector
from connectors.otlp.decode import Refusal, encode_status, inflate
from connectors.otlp.intake import SIGNALS, Intake, Signal

_JSON = "application/json"
_PROTOBUF = "application/x-protobuf"
_BODY_SECONDS = 15.0
_RETRY_AFTER_S = 1

Route: TypeAlias = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, object]]]


class Settings(BaseModel):
    """Where to listen, whom to believe and how much to keep (per signal)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=4318, ge=0, le=65535)
    token: SecretStr | None = None
    max_rows: int = Field(default=500_000, ge=1)
    max_age_s: float = Field(default=6 * 3600, gt=0)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1)
    max_inflated_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    max_pending: int = Field(default=64, ge=1)


class OtlpReceiver:
    """Receives traces, logs and metrics; `connector` answers from them.

    `clock` gives seconds since 1970. Constructing one opens nothing.
    """

    def __init__(
        self, settings: Settings | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings or Settings()
        self._intake = Intake(
            max_rows=self._settings.max_rows, max_age_s=self._settings.max_age_s, clock=clock
        )
        self._routes: dict[str, Route] = {}
        self._runner: web.AppRunner | None = None
        self._endpoint: str | None = None
        self._pending = 0
        self._turn = asyncio.Lock()
        self.connector = OtlpConnector(
            self._intake, start=self.start, reserve=self.reserve, close=self.aclose
        )

    @property
    def endpoint(self) -> str:
        """The base URL that senders are given; raises `Rejected` before `start`."""
        if self._endpoint is None:
            raise Rejected("The OTLP receiver is not listening; start it first.")
        return self._endpoint

    @property
    def counters(self) -> Mapping[str, int]:
        """Rows stored, rejected and dropped by signal, and requests refused or on their way."""
        rows = {
            f"{kind}.{what}": getattr(store, what)
            for kind, store in self._intake.stores.items()
            for what in ("stored", "rejected", "dropped")
        }
        return {
            **rows,
            "requests.refused": self._intake.refused,
            "requests.pending": self._pending,
        }

    def add_route(self, path: str, handler: Route) -> None:
        """Serve POST `path` (JSON) too, before `start`: `handler(headers, body) -> status, JSON`.

        A `Rejected` or `Forbidden` that it raises becomes 400 or 403; the handler itself verifies
        who is asking. Raises ValueError after `start`.
        """
        if self._runner is not None:
            raise ValueError("routes are added before the receiver is started")
        self._routes[path] = handler

    async def start(self) -> None:
        """Open the port; raises `Rejected` if it cannot be had. Starting twice changes nothing."""
        if self._runner is not None:
            return
        app = web.Application()
        for signal in SIGNALS:
            app.router.add_post(signal.path, _exporter(self, signal))
        for path, handler in self._routes.items():
            app.router.add_post(path, _extra(self, handler))
        runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=1.0)
        await runner.setup()
        host, port = self._settings.host, self._settings.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise self._not_had(error) from error
        self._runner = runner
        shown = f"[{host}]" if ":" in host else host
        self._endpoint = f"http://{shown}:{runner.addresses[0][1]}"
        self._intake.start()

    async def reserve(self) -> str:
        """Return where it can listen; raises `Rejected` if the port cannot be had.

        The port is bound and not listened on: senders are refused, as before and after, and keep
        what they have.
        """
        host, port = self._settings.host, self._settings.port
        loop = asyncio.get_running_loop()
        try:
            bound = await loop.create_server(asyncio.Protocol, host, port, start_serving=False)
        except OSError as error:
            raise self._not_had(error) from error
        bound.close()
        return f"{host}, port {port}"

    def _not_had(self, error: OSError) -> Rejected:
        host, port = self._settings.host, self._settings.port
        if error.errno == errno.EADDRINUSE:
            return Rejected(
                f"Port {port} is already in use; stop the other receiver or choose another "
                "port for otlp."
            )
        return Rejected(f"The OTLP receiver cannot listen on {host}, port {port}.")

    async def aclose(self) -> None:
        """Close the port; may be called twice. What was received can still be asked for."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def export(self, signal: Signal, request: web.Request) -> web.Response:
        """Take one export request."""
        is_json = request.content_type != _PROTOBUF
        try:
            _expect(request, _PROTOBUF, _JSON)
            self._authorise(request)
            body = await self._admitted(signal, request, is_json=is_json)
        except Refusal as refusal:
            return _refused(refusal, is_json=is_json)
        return web.Response(body=body, content_type=_JSON if is_json else _PROTOBUF)

    async def read(self, request: web.Request) -> bytes:
        """Return the request's body, decompressed, within all limits; raises `Refusal`."""
        if "Origin" in request.headers:
            raise Refusal(HTTPStatus.FORBIDDEN, "Requests from web pages are not accepted.")
        limit = self._settings.max_body_bytes
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        raise Refusal(
                            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                            f"The body is larger than {limit} bytes.",
                        )
        except TimeoutError:
            raise Refusal(
                HTTPStatus.REQUEST_TIMEOUT, f"The body did not arrive within {_BODY_SECONDS:g} s."
            ) from None
        encoding = request.headers.get("Content-Encoding", "identity").lower()
        if encoding == "identity":
            return bytes(body)
        if encoding != "gzip":
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body plain or as gzip.")
        return await asyncio.to_thread(inflate, bytes(body), self._settings.max_inflated_bytes)

    async def _admitted(self, signal: Signal, request: web.Request, *, is_json: bool) -> bytes:
        if self._pending >= self._settings.max_pending:
            self._intake.refused += 1
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests are on their way; try again."
            )
        self._pending += 1
        try:
            body = await self.read(request)
            if is_json and len(body) > self._settings.max_body_bytes:
                raise Refusal(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    "A body of that size has to be sent as Protobuf.",
                )
            async with self._turn:
                return await asyncio.to_thread(self._intake.accept, signal, body, is_json=is_json)
        finally:
            self._pending -= 1

    def _authorise(self, request: web.Request) -> None:
        token = self._settings.token
        if token is None:
            return
        # Bytes that are no UTF-8 reach us as surrogates.
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode()):
            raise Refusal(HTTPStatus.UNAUTHORIZED, "The bearer token is missing or wrong.")


_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _exporter(receiver: OtlpReceiver, signal: Signal) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await receiver.export(signal, request)

    return handle


def _extra(receiver: OtlpReceiver, route: Route) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            _expect(request, _JSON)
            status, answer = await route(request.headers, await receiver.read(request))
        except Refusal as refusal:
            return _refused(refusal, is_json=True)
        except ConnectorError as error:
            return _refused(Refusal(_status(error), str(error)), is_json=True)
        return web.json_response(answer, status=status)

    return handle


def _status(error: ConnectorError) -> HTTPStatus:
    if isinstance(error, Forbidden):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, Rejected):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.SERVICE_UNAVAILABLE


def _expect(request: web.Request, *content_types: str) -> None:
    if request.content_type not in content_types:
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {' or '.join(content_types)}.")


def _refused(refusal: Refusal, *, is_json: bool) -> web.Response:
    headers = (
        {"Retry-After": str(_RETRY_AFTER_S)}
        if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE
        else {}
    )
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=refusal.status.value,
        body=encode_status(str(refusal), is_json=is_json),
        content_type=_JSON if is_json else _PROTOBUF,
        headers=headers,
    )
