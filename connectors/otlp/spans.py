"""OTLP spans as the columns of `connectors.api.SPANS`."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from connectors.otlp.values import (
    Resource,
    attributes_of,
    compact,
    first_text,
    plausible,
    resource_of,
)

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_KINDS = (None, "internal", "server", "client", "producer", "consumer")
_STATUSES = ("unset", "ok", "error")
_EXCEPTION = ("exception.type", "exception.message")
_PEER = ("peer.service", "server.address", "net.peer.name", "db.system.name", "db.system")


def span_rows(
    request: ExportTraceServiceRequest, now_ns: int
) -> tuple[list[tuple[object, ...]], int]:
    """Return rows in the order of `SPANS`, and how many spans were not fit to keep.

    A span is left out if its trace or span id is missing, or if it ends before it starts, before
    the year 2000 or in the future.
    """
    rows: list[tuple[object, ...]] = []
    rejected = 0
    for block in request.resource_spans:
        if not block.scope_spans:
            continue
        resource = resource_of(block.resource.attributes)
        for scope in block.scope_spans:
            for span in scope.spans:
                if _fit(span, now_ns):
                    rows.append(_row(span, resource))
                else:
                    rejected += 1
    return rows, rejected


def _fit(span: Span, now_ns: int) -> bool:
    return (
        len(span.trace_id) == _TRACE_ID_BYTES
        and len(span.span_id) == _SPAN_ID_BYTES
        and any(span.trace_id)
        and any(span.span_id)
        and span.start_time_unix_nano <= span.end_time_unix_nano
        and plausible(span.start_time_unix_nano, now_ns)
        and plausible(span.end_time_unix_nano, now_ns)
    )


def _row(span: Span, resource: Resource) -> tuple[object, ...]:
    said = attributes_of(span.attributes)
    for event in span.events:
        if event.name == "exception":
            raised = attributes_of(event.attributes)
            said.update({name: raised[name] for name in _EXCEPTION if name in raised})
    kind = _KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else None
    code = span.status.code
    return (
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex() or None,
        resource.service,
        resource.instance,
        span.name,
        kind,
        _STATUSES[code] if 0 <= code < len(_STATUSES) else None,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        resource.environment,
        resource.namespace,
        resource.cluster,
        resource.version,
        _peer(said, kind),
        None,
        compact(said, _EXCEPTION),
    )


def _peer(said: dict[str, object], kind: str | None) -> str | None:
    """Return whom the span called; on the called side the address is the service's own."""
    names = _PEER if kind in ("client", "producer") else _PEER[:1]
    return first_text(said, *names)
