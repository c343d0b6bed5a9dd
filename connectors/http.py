"""The only opener of outgoing sockets: every connector that asks a backend asks through here.

One place holds what a backend may cost us and do to us: a deadline, a bounded number of attempts, a
cap on the size of an answer, one pinned host, and errors that are all `ConnectorError`s. Proxy and
credential settings of the environment are not read: an address comes from the settings or not at
all. Calls are counted by outcome (`firstline.connector.calls`).
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from opentelemetry import metrics

from connectors.errors import (
    ConnectorError,
    DeadlineExceeded,
    Forbidden,
    Rejected,
    Unavailable,
)
from connectors.redact import redact_text

_TRY_AGAIN = frozenset({408, 425, 429})
_MOST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may cost.

    `timeout_s` bounds the silence within one attempt, `max_bytes` an answer after decompression;
    the pause before attempt n + 1 is `backoff_s` times 2 to the n - 1.
    """

    timeout_s: float = 10.0
    max_bytes: int = 64 * 1024 * 1024
    attempts: int = 3
    backoff_s: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One request and how often it may be tried.

    `unread` is raised for an answer that says neither yes nor no: of a question it is as good as
    none, and an order may have been carried out all the same.
    """

    url: str
    method: str = "GET"
    body: Mapping[str, object] | None = None
    attempts: int = 1
    unread: type[Rejected | Unavailable] = Rejected


class HttpClient:
    """Asks one backend for JSON.

    `base_url` is scheme, host and an optional path, without credentials (those go into `headers`);
    `source` is the connector's name, for messages and counters; `meter` counts the calls, by
    default the process's own. Raises `Rejected` for a malformed address. Opens nothing until the
    first call.
    """

    def __init__(
        self,
        base_url: str,
        *,
        source: str,
        headers: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        meter: metrics.Meter | None = None,
    ) -> None:
        self._base = _checked_address(base_url, source)
        self._source = source
        self._headers = dict(headers or {})
        self._limits = limits
        self._client: httpx.AsyncClient | None = None
        self._calls = (meter or metrics.get_meter("firstline")).create_counter(
            "firstline.connector.calls", unit="{call}", description="Calls to backends by outcome"
        )

    async def get_json(
        self, path: str, *, params: Mapping[str, str] | None = None, deadline_s: float
    ) -> object:
        """Return the JSON answer to GET `path`, a path below the base address.

        Tries again after `Unavailable` while attempts and `deadline_s` (seconds, for all attempts
        together) last. Raises any `ConnectorError`.
        """
        question = _Question(url=self.url(path, params), attempts=self._limits.attempts)
        return await self._counted(question, deadline_s)

    async def post_json(
        self, path: str, body: Mapping[str, object], *, deadline_s: float
    ) -> object:
        """Return the JSON answer to POST `path` with the JSON object `body`.

        Asks once: after `Unavailable` or `DeadlineExceeded` nobody knows whether it was done. An
        answer that cannot be understood is such a case; only one that says no (4xx) is `Rejected`
        or `Forbidden`. Raises any `ConnectorError`.
        """
        question = _Question(method="POST", url=self.url(path), body=body, unread=Unavailable)
        return await self._counted(question, deadline_s)

    async def _counted(self, question: _Question, deadline_s: float) -> object:
        outcome = "cancelled"
        try:
            answer = await self._within(deadline_s, question)
        except ConnectorError as error:
            outcome = type(error).__name__
            raise
        else:
            outcome = "ok"
            return answer
        finally:
            self._calls.add(1, {"connector": self._source, "outcome": outcome})

    def url(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """Return the whole address of `path`; raises `Rejected` if it leaves the pinned host."""
        if "://" in path or path.startswith("//") or "\\" in path or ".." in path.split("/"):
            raise Rejected(
                f"{self._source}: a request may only name a path below {self._base.host}."
            )
        raw = self._base.raw_path.decode("ascii").rstrip("/") + "/" + path.lstrip("/")
        try:
            url = self._base.copy_with(raw_path=raw.encode("ascii"))
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise Rejected(f"{self._source}: a request's path is not a valid address.") from error
        return str(url.copy_merge_params(dict(params)) if params else url)

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _within(self, deadline_s: float, question: _Question) -> object:
        try:
            async with asyncio.timeout(deadline_s) as scope:
                return await self._tries(question, scope)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"{self._source}: {self._base.host} did not answer within {deadline_s:g} s; "
                "ask for a shorter window or allow more time."
            ) from error

    async def _tries(self, question: _Question, scope: asyncio.Timeout) -> object:
        for attempt in range(1, question.attempts + 1):
            try:
                body = await self._attempt(question)
                break
            except Unavailable:
                pause = self._limits.backoff_s * 2 ** (attempt - 1)
                left = (scope.when() or 0.0) - asyncio.get_running_loop().time()
                if attempt == question.attempts or pause >= left:
                    raise
                await asyncio.sleep(pause)
        try:
            answer: object = await asyncio.to_thread(json.loads, body)
        except (ValueError, RecursionError) as error:
            raise question.unread(
                f"{self._source}: {self._base.host} did not answer with JSON; check the address."
            ) from error
        return answer

    async def _attempt(self, question: _Question) -> bytes:
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers=self._headers,
                timeout=self._limits.timeout_s,
                follow_redirects=False,
                trust_env=False,
            )
        try:
            async with self._client.stream(
                question.method, question.url, json=question.body
            ) as response:
                self._refuse(response, question)
                body = await self._body(response, question)
                if not response.is_success:
                    no = Rejected if response.is_client_error else question.unread
                    raise no(f"{self._source}: {self._reason(response, body)}")
                return body
        except httpx.DecodingError as error:
            raise question.unread(
                f"{self._source}: {self._base.host} sent a damaged compressed answer."
            ) from error
        except httpx.TimeoutException as error:
            raise Unavailable(
                f"{self._source}: {self._base.host} was silent for {self._limits.timeout_s:g} s."
            ) from error
        except httpx.TransportError as error:
            raise Unavailable(
                f"{self._source}: no connection to {self._base.host}; check the address and "
                "whether the backend runs."
            ) from error

    def _refuse(self, response: httpx.Response, question: _Question) -> None:
        host, status = self._base.host, response.status_code
        if status in (401, 403):
            raise Forbidden(
                f"{self._source}: {host} refused our credentials (HTTP {status}); check the token "
                "and its rights."
            )
        if status in _TRY_AGAIN or response.is_server_error:
            raise Unavailable(f"{self._source}: {host} cannot answer now (HTTP {status}).")
        if response.is_redirect:
            raise question.unread(
                f"{self._source}: {host} redirects elsewhere (HTTP {status}), which is never "
                "followed; put the final address into the settings."
            )

    def _reason(self, response: httpx.Response, body: bytes) -> str:
        """Why a question was not accepted: the backend's words if they are meant for people.

        Those are the `detail` of an `application/problem+json` answer (RFC 9457); nothing else of
        an answer is repeated, as it may hold anything.
        """
        if response.headers.get("content-type", "").startswith("application/problem+json"):
            try:
                return redact_text(str(json.loads(body)["detail"]))[:_MOST_REASON]
            except (ValueError, RecursionError, LookupError, TypeError):
                pass
        return f"{self._base.host} did not accept the question (HTTP {response.status_code})."

    async def _body(self, response: httpx.Response, question: _Question) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise question.unread(
                    f"{self._source}: the answer is larger than "
                    f"{self._limits.max_bytes} bytes; ask for a shorter window or fewer services."
                )
        return bytes(body)


def _checked_address(base_url: str, source: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise Rejected(f"{source}: url is not a valid address.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Rejected(f"{source}: url must start with http:// or https:// and name a host.")
    if url.userinfo or url.query or url.fragment:
        raise Rejected(f"{source}: url must hold no credentials, query or fragment.")
    return url
