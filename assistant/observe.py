"""firstline's own traces: one span a stage, exported by OTLP where a setting says so.

The only importer of the OpenTelemetry SDK; everything else uses the API, which does nothing until
a provider is set here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace

from assistant.names import TRACER


@contextmanager
def exported(endpoint: str | None) -> Iterator[None]:
    """Export spans to the OTLP/HTTP base URL `endpoint` (null: nowhere) inside the context."""
    if endpoint is None:
        yield
        return
    # Imported here because most runs export nothing and the SDK takes a while to load.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415, TID251
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415, TID251
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415, TID251

    provider = TracerProvider(resource=Resource.create({"service.name": TRACER}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
