"""OTLP log records as the columns of `connectors.api.LOGS`."""

import json

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from connectors.otlp.values import (
    Resource,
    attributes_of,
    compact,
    plain,
    plausible,
    resource_of,
)

_BODY_CHARACTERS = 16_384
_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")  # four numbers each, from 1 on
_WORDS = {
    **{level: level for level in _LEVELS},
    "VERBOSE": "TRACE",
    "INFORMATION": "INFO",
    "NOTICE": "INFO",
    "WARNING": "WARN",
    "ERR": "ERROR",
    "SEVERE": "ERROR",
    "CRITICAL": "FATAL",
    "ALERT": "FATAL",
    "EMERGENCY": "FATAL",
    "PANIC": "FATAL",
}


def log_rows(
    request: ExportLogsServiceRequest, now_ns: int
) -> tuple[list[tuple[object, ...]], int]:
    """Return rows in the order of `LOGS`, and how many records had no plausible time."""
    rows: list[tuple[object, ...]] = []
    rejected = 0
    for block in request.resource_logs:
        if not block.scope_logs:
            continue
        resource = resource_of(block.resource.attributes)
        for scope in block.scope_logs:
            for record in scope.log_records:
                time_ns = record.time_unix_nano or record.observed_time_unix_nano
                if plausible(time_ns, now_ns):
                    rows.append(_row(record, time_ns, resource))
                else:
                    rejected += 1
    return rows, rejected


def _row(record: LogRecord, time_ns: int, resource: Resource) -> tuple[object, ...]:
    return (
        time_ns,
        resource.service,
        resource.instance,
        _severity(record),
        _body(record),
        record.trace_id.hex() or None,
        record.span_id.hex() or None,
        resource.environment,
        resource.namespace,
        resource.cluster,
        resource.version,
        compact(
            attributes_of(record.attributes), ("exception.type", "exception.message", "event.name")
        ),
    )


def _severity(record: LogRecord) -> str | None:
    word = _WORDS.get(record.severity_text.strip().upper())
    if word is None and 1 <= record.severity_number <= 4 * len(_LEVELS):
        word = _LEVELS[(record.severity_number - 1) // 4]
    return word


def _body(record: LogRecord) -> str:
    said = plain(record.body)
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    if said is None:
        text = ""
    return text if len(text) <= _BODY_CHARACTERS else text[:_BODY_CHARACTERS] + "…"
