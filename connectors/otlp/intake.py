"""What happens to a request's body: decoded, checked, redacted, kept. No sockets here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from connectors.api import Ask, Capability
from connectors.otlp.decode import decode, encode
from connectors.otlp.logs import log_rows
from connectors.otlp.metrics import MOST_SERIES, MetricReader
from connectors.otlp.spans import span_rows
from connectors.otlp.store import SignalStore, utc

_Rows = Sequence[tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One of OTLP's three: where it is sent, and what comes back."""

    capability: Capability
    path: str
    request: type[Message]
    response: type[Message]
    rejected_field: str


SIGNALS = (
    Signal(
        capability=Capability.SPANS,
        path="/v1/traces",
        request=ExportTraceServiceRequest,
        response=ExportTraceServiceResponse,
        rejected_field="rejected_spans",
    ),
    Signal(
        capability=Capability.LOGS,
        path="/v1/logs",
        request=ExportLogsServiceRequest,
        response=ExportLogsServiceResponse,
        rejected_field="rejected_log_records",
    ),
    Signal(
        capability=Capability.METRICS,
        path="/v1/metrics",
        request=ExportMetricsServiceRequest,
        response=ExportMetricsServiceResponse,
        rejected_field="rejected_data_points",
    ),
)


class Intake:
    """The rows received so far. `accept` is for one caller at a time, the rest for any thread.

    `clock` gives seconds since 1970; `most_series` counters are remembered, to make rates of.
    """

    def __init__(
        self,
        *,
        max_rows: int,
        max_age_s: float,
        clock: Callable[[], float],
        most_series: int = MOST_SERIES,
    ) -> None:
        self._clock = clock
        self._reader = MetricReader(most_series)
        self.stores: Mapping[Capability, SignalStore] = {
            signal.capability: SignalStore(
                signal.capability, max_rows=max_rows, max_age_s=max_age_s, clock=clock
            )
            for signal in SIGNALS
        }
        self.started: datetime | None = None
        self.refused = 0

    def start(self) -> None:
        """Note that from now on somebody listens."""
        self.started = datetime.fromtimestamp(self._clock(), tz=UTC)

    def accept(self, signal: Signal, body: bytes, *, is_json: bool) -> bytes:
        """Keep what `body` holds and return the response; raises `Refusal`.

        Everything is decoded, redacted and kept before this returns, so that whatever has been
        acknowledged can be asked for.
        """
        message = decode(signal.request, body, is_json=is_json)
        rows, rejected = self._rows(message, int(self._clock() * 1e9))
        store = self.stores[signal.capability]
        store.add(rows)
        store.rejected += rejected
        response = signal.response()
        if rejected:
            partial = response.partial_success  # type: ignore[attr-defined]
            setattr(partial, signal.rejected_field, rejected)
            partial.error_message = "Rows without an id or with impossible times were left out."
        return encode(response, is_json=is_json)

    def gaps(self, ask: Ask) -> tuple[str, ...]:
        """Return in sentences what an answer to `ask` cannot show."""
        store = self.stores[ask.capability]
        gaps = list(store.gaps(ask))
        if self.started is not None and ask.window.start < self.started:
            began = f"{self.started.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
            gaps.append(f"The receiver has listened since {began}: nothing sent before is known.")
        if ask.capability is Capability.METRICS:
            gaps += self._without_rate(ask)
        if store.rejected:
            gaps.append(
                f"{store.rejected} {ask.capability} were left out: without an id, or with "
                "impossible times."
            )
        if self.refused:
            gaps.append(
                f"{self.refused} requests were refused while the receiver was busy; what they held "
                "is missing if their senders gave up."
            )
        return tuple(gaps)

    def _without_rate(self, ask: Ask) -> list[str]:
        lost = self._reader.lost
        if lost is None:
            return []
        first, last = utc(lost.first_ns / 1e9), utc(lost.last_ns / 1e9)
        if ask.window.end < first or last < ask.window.start:
            return []
        return [
            f"{lost.count} readings of counters from {first.isoformat(timespec='seconds')} to "
            f"{last.isoformat(timespec='seconds')} gave no rate: more than {self._reader.most} "
            "counters report, and what they had stood at before was forgotten."
        ]

    def _rows(self, message: Message, now_ns: int) -> tuple[_Rows, int]:
        if isinstance(message, ExportTraceServiceRequest):
            return span_rows(message, now_ns)
        if isinstance(message, ExportLogsServiceRequest):
            return log_rows(message, now_ns)
        if isinstance(message, ExportMetricsServiceRequest):
            return self._reader.rows(message, now_ns)
        raise TypeError(f"{type(message).__name__} is no export request")
