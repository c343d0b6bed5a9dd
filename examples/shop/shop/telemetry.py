"""OpenTelemetry in one instance: traces, logs and metrics, sent as OTLP over HTTP.

The exporters honour 429 and 503 by themselves; what they complain about goes to the process's own
log file, never to a terminal. CPU is a share of one core, as an instance is one Python process.
"""

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from opentelemetry._logs import LogRecord, get_logger
from opentelemetry._logs.severity import SeverityNumber
from opentelemetry.context import get_current
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Histogram, Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from shop.pool import Pool

_SCOPE = "shop"
_BATCH_MS = 700
_METRICS_MS = 2000
_TIMEOUT_S = 5
_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
_SEVERITY = {
    "DEBUG": ("DEBUG", SeverityNumber.DEBUG),
    "INFO": ("INFO", SeverityNumber.INFO),
    "WARNING": ("WARN", SeverityNumber.WARN),
    "ERROR": ("ERROR", SeverityNumber.ERROR),
}


class _Bridge(logging.Handler):
    """Hands a log record, with the trace it was written in, to the SDK."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._provider = provider

    def emit(self, record: logging.LogRecord) -> None:
        text, number = _SEVERITY[record.levelname]
        attributes: dict[str, str] = {}
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            attributes = {
                "exception.type": type(error).__name__,
                "exception.message": str(error),
            }
        get_logger(record.name, logger_provider=self._provider).emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                observed_timestamp=time.time_ns(),
                context=get_current(),
                severity_text=text,
                severity_number=number,
                body=record.getMessage(),
                attributes=attributes,
            )
        )


def _cpu_share() -> Callable[[CallbackOptions], Iterable[Observation]]:
    """Observe the share of a core that this process used since it was last asked (0 to 1)."""
    last = (time.monotonic(), time.process_time())

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        nonlocal last
        now = (time.monotonic(), time.process_time())
        elapsed, used = now[0] - last[0], now[1] - last[1]
        last = now
        yield Observation(min(1.0, used / elapsed) if elapsed > 0 else 0.0)

    return observe


def _memory(_: CallbackOptions) -> Iterable[Observation]:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    yield Observation(pages * 4096)


class Telemetry:
    """The three signals of one instance; `close` sends what is still waiting."""

    def __init__(self, *, endpoint: str, service: str, instance: str, version: str) -> None:
        resource = Resource.create(
            {
                "service.name": service,
                "service.instance.id": instance,
                "service.version": version,
                "service.namespace": "shop",
                "deployment.environment.name": "demo",
            }
        )
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=_TIMEOUT_S),
                schedule_delay_millis=_BATCH_MS,
            )
        )
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(
            BatchLogRecordProcessor(
                OTLPLogExporter(endpoint=f"{endpoint}/v1/logs", timeout=_TIMEOUT_S),
                schedule_delay_millis=_BATCH_MS,
            )
        )
        self._metrics = MeterProvider(
            [
                PeriodicExportingMetricReader(
                    OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", timeout=_TIMEOUT_S),
                    export_interval_millis=_METRICS_MS,
                )
            ],
            resource=resource,
            shutdown_on_exit=False,
        )
        self.tracer: Tracer = self._traces.get_tracer(_SCOPE)
        meter = self._metrics.get_meter(_SCOPE)
        meter.create_observable_gauge("process.cpu.utilization", [_cpu_share()], unit="1")
        if Path("/proc/self/statm").exists():
            meter.create_observable_gauge("process.memory.usage", [_memory], unit="By")
        self.duration: Histogram = meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            explicit_bucket_boundaries_advisory=_BUCKETS_S,
        )
        self._meter = meter
        self.log = logging.getLogger(_SCOPE)
        self.log.setLevel(logging.INFO)
        self.log.addHandler(_Bridge(self._logs))

    def watch_pool(self, name: str, pool: Pool) -> None:
        """Report a connection pool: what is used and idle, its bound, who waits, who gave up."""
        labels = {"db.client.connection.pool.name": name}
        gauge = self._meter.create_observable_gauge

        def count(_: CallbackOptions) -> Iterable[Observation]:
            for state, number in (("used", pool.used), ("idle", max(0, pool.size - pool.used))):
                yield Observation(number, {**labels, "db.client.connection.state": state})

        gauge("db.client.connection.count", [count], unit="{connection}")
        gauge(
            "db.client.connection.max",
            [lambda _: [Observation(pool.size, labels)]],
            unit="{connection}",
        )
        gauge(
            "db.client.connection.pending_requests",
            [lambda _: [Observation(pool.waiting, labels)]],
            unit="{request}",
        )
        self._meter.create_observable_counter(
            "db.client.connection.timeouts",
            [lambda _: [Observation(pool.timeouts, labels)]],
            unit="{timeout}",
        )

    def pool_wait(self, name: str) -> Callable[[float], None]:
        """Return what is told the seconds that each wait for a connection of a pool took."""
        labels = {"db.client.connection.pool.name": name}
        waits = self._meter.create_histogram(
            "db.client.connection.wait_time",
            unit="s",
            explicit_bucket_boundaries_advisory=_BUCKETS_S,
        )
        return lambda seconds: waits.record(seconds, labels)

    def close(self) -> None:
        """Send what is waiting and stop; blocks for as long as the exporters need."""
        self._traces.shutdown()
        self._logs.shutdown()
        self._metrics.shutdown(timeout_millis=1000)
