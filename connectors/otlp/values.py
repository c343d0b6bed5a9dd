"""OTLP's attribute values and resources, as the words of `connectors.api`."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

# What one row may carry: enough to explain it, too little to fill the memory.
_ATTRIBUTES_BYTES = 2048
_VALUE_CHARACTERS = 512

# 2000-01-01 and the longest that a sender's clock may be ahead of ours, in ns
EARLIEST_NS = 946_684_800_000_000_000
AHEAD_NS = 24 * 3600 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Who sent it: a resource's attributes under their names in OpenTelemetry's conventions."""

    service: str | None
    instance: str | None
    environment: str | None
    namespace: str | None
    cluster: str | None
    version: str | None


def resource_of(attributes: Iterable[KeyValue]) -> Resource:
    """Return the identity that a resource's attributes give; what they do not say is null."""
    said = attributes_of(attributes)
    return Resource(
        service=first_text(said, "service.name"),
        instance=first_text(said, "service.instance.id", "k8s.pod.name", "host.name"),
        environment=first_text(said, "deployment.environment.name", "deployment.environment"),
        namespace=first_text(said, "service.namespace"),
        cluster=first_text(said, "k8s.cluster.name"),
        version=first_text(said, "service.version"),
    )


def attributes_of(attributes: Iterable[KeyValue]) -> dict[str, object]:
    """Return attributes as a dictionary of plain values."""
    return {pair.key: plain(pair.value) for pair in attributes}


def plain(value: AnyValue) -> object:
    """Return an OTLP value as what JSON knows; bytes become base64 text."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode("ascii")
    return None if kind is None else getattr(value, kind)


def first_text(said: Mapping[str, object], *names: str) -> str | None:
    """Return the first of `names` that has a value, as text."""
    for name in names:
        value = said.get(name)
        if value not in (None, ""):
            return str(value)
    return None


def compact(said: Mapping[str, object], first: Sequence[str] = ()) -> str | None:
    """Return attributes as JSON text of at most 2 kB, or null where there are none.

    Long values are cut; attributes that no longer fit are left out, those named in `first` last.
    """
    if not said:
        return None
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    if len(text) * 4 <= _ATTRIBUTES_BYTES or len(text.encode()) <= _ATTRIBUTES_BYTES:
        return text
    kept: dict[str, object] = {}
    size = 2
    for name in (*(name for name in first if name in said), *(n for n in said if n not in first)):
        value = said[name]
        if isinstance(value, str) and len(value) > _VALUE_CHARACTERS:
            value = value[:_VALUE_CHARACTERS] + "…"
        pair = json.dumps({name: value}, ensure_ascii=False, separators=(",", ":"))
        size += len(pair.encode()) - 1
        if size > _ATTRIBUTES_BYTES:
            break
        kept[name] = value
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def plausible(nanoseconds: int, now_ns: int) -> bool:
    """Say whether a time lies after the year 2000 and not more than a day ahead."""
    return EARLIEST_NS <= nanoseconds <= now_ns + AHEAD_NS
