"""The words of asking: what a connector is asked, what it answers, and what it promises.

Telemetry stays columnar. A `Page` of spans, logs or metrics is one Polars frame with exactly the
columns below (OpenTelemetry's words; a column that a backend cannot fill is null throughout, which
means "unknown"). Only small things (changes, alerts) are objects. There is no I/O in this module.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import polars as pl

TIME: pl.DataType = pl.Datetime("ns", "UTC")


def _schema(columns: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.Schema:
    return pl.Schema(columns)


SPANS = _schema(
    {
        "trace_id": pl.String,
        "span_id": pl.String,
        "parent_span_id": pl.String,  # null at a root
        "service": pl.String,
        "instance": pl.String,  # pod, host or process
        "name": pl.String,
        "kind": pl.String,  # server, client, internal, producer, consumer
        "status": pl.String,  # ok, error, unset
        "start": TIME,
        "end": TIME,
        "environment": pl.String,
        "namespace": pl.String,
        "cluster": pl.String,
        "version": pl.String,
        "peer": pl.String,  # the called service, database, cache or third party
        "sampling_weight": pl.Float64,  # how many spans of the system this one stands for
        "attributes": pl.String,  # JSON text
    }
)

LOGS = _schema(
    {
        "time": TIME,
        "service": pl.String,
        "instance": pl.String,
        "severity": pl.String,
        "body": pl.String,
        "trace_id": pl.String,
        "span_id": pl.String,
        "environment": pl.String,
        "namespace": pl.String,
        "cluster": pl.String,
        "version": pl.String,
        "attributes": pl.String,
    }
)

METRICS = _schema(
    {
        "time": TIME,
        "service": pl.String,
        "instance": pl.String,
        "name": pl.String,
        "unit": pl.String,
        "value": pl.Float64,  # a gauge, or a rate per second that the connector has computed
        "environment": pl.String,
        "namespace": pl.String,
        "cluster": pl.String,
        "labels": pl.String,  # JSON text
    }
)


class Capability(StrEnum):
    """What a connector can be asked for."""

    SPANS = "spans"
    LOGS = "logs"
    METRICS = "metrics"
    CHANGES = "changes"
    GRAPH = "graph"


FRAME_SCHEMAS: Mapping[Capability, pl.Schema] = {
    Capability.SPANS: SPANS,
    Capability.LOGS: LOGS,
    Capability.METRICS: METRICS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time, start inclusive, end exclusive; both aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window's times need a time zone")
        if self.end < self.start:
            raise ValueError("a window cannot end before it starts")


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC, which it is without a zone; raises `ValueError` where it has none."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in UTC this time is not in the years 1 to 9999") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One bounded question to one connector.

    `max_items` bounds the rows of the whole answer, over all its pages; `deadline_s` is in seconds.
    `services` empty means all of them.
    """

    capability: Capability
    window: Window
    services: tuple[str, ...] = ()
    max_items: int = 2_000_000
    deadline_s: float = 20.0
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that somebody or something did to the system (times aware, UTC)."""

    at: datetime
    until: datetime | None
    kind: str  # deploy, config, flag, scale, infra, commit, kubernetes_event
    target: str | None  # the service; null for a commit
    ref: str
    actor: str | None
    summary: str
    link: str | None = None
    files: tuple[str, ...] = ()
    diff: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A symptom that a monitor reports (times aware, UTC)."""

    at: datetime
    status: str  # firing, resolved
    symptom: str
    service: str | None
    fingerprint: str
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of an answer.

    `frame` for spans, logs and metrics (its schema is `FRAME_SCHEMAS[capability]`), `changes` for
    changes, `edges` (caller, callee) for the graph. `complete` is false where rows were left out;
    `gaps` says in sentences what could not be seen. `query` is what was really asked, `link` is
    where a person can look at it.
    """

    capability: Capability
    frame: pl.DataFrame | None = None
    changes: tuple[Change, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    complete: bool = True
    cursor: str | None = None
    gaps: tuple[str, ...] = ()
    query: str
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `check()` found: `message` is a sentence for a person."""

    ok: bool
    message: str


class Connector(Protocol):
    """A source of telemetry. Constructing one does no I/O and holds no global state.

    `fetch` is cancellable, bounded by its ask, redacts before it yields and raises only
    `connectors.errors.ConnectorError`.
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def fetch(self, ask: Ask) -> AsyncIterator[Page]: ...

    async def check(self) -> Health: ...

    async def aclose(self) -> None: ...


class Receiver(Protocol):
    """A source that is pushed to us: verify the raw bytes, parse, return; the caller persists.

    `receive` raises `Rejected` for a payload that is not what it claims to be and `Forbidden` for a
    wrong signature or token.
    """

    @property
    def name(self) -> str: ...

    def receive(self, headers: Mapping[str, str], body: bytes) -> list[Alert | Change]: ...
