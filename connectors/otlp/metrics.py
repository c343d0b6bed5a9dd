"""OTLP metrics as the columns of `connectors.api.METRICS`: gauges, and rates made of counters.

A cumulative counter becomes a rate per second from each sample and the one before it. Where the
process restarted (the value drops or the start time changes) there is no rate for that step.
A histogram becomes `<name>.rate` (observations per second) and `<name>.mean`.
"""

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from connectors.otlp.values import Resource, attributes_of, compact, plausible, resource_of

_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
MOST_SERIES = 100_000
_SECOND = 1_000_000_000

_Point: TypeAlias = (
    NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a counter stood at; for a histogram the number and the sum of what it observed."""

    start_ns: int
    time_ns: int
    count: float
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """How many readings gave no rate since the ones before were forgotten, and when (ns)."""

    count: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gain:
    """What a counter has gained, and in how many seconds."""

    seconds: float
    count: float
    total: float


class MetricReader:
    """Turns requests into rows; remembers the last reading of each of the latest `most` counters.

    Not safe for threads: one caller at a time. `lost` is what is missing, null where nothing is.
    """

    def __init__(self, most: int = MOST_SERIES) -> None:
        self.lost: Lost | None = None
        self.most = most
        self._last: OrderedDict[tuple[object, ...], _Reading] = OrderedDict()
        self._forgotten_ns = -1  # when the newest reading was made that is forgotten

    def rows(
        self, request: ExportMetricsServiceRequest, now_ns: int
    ) -> tuple[list[tuple[object, ...]], int]:
        """Return rows in the order of `METRICS`, and how many points had no plausible time."""
        rows: list[tuple[object, ...]] = []
        rejected = 0
        for block in request.resource_metrics:
            if not block.scope_metrics:
                continue
            resource = resource_of(block.resource.attributes)
            for scope in block.scope_metrics:
                for metric in scope.metrics:
                    for point in _points(metric):
                        if not plausible(point.time_unix_nano, now_ns):
                            rejected += 1
                        elif not point.flags & _NO_VALUE:
                            rows.extend(self._point_rows(metric, point, scope.scope.name, resource))
        return rows, rejected

    def _point_rows(
        self, metric: Metric, point: _Point, scope: str, resource: Resource
    ) -> Iterator[tuple[object, ...]]:
        labels = compact(dict(sorted(attributes_of(point.attributes).items())))
        for name, unit, value in self._values(
            metric, point, (resource, scope, metric.name, labels)
        ):
            if math.isfinite(value):
                yield (
                    point.time_unix_nano,
                    resource.service,
                    resource.instance,
                    name,
                    unit,
                    value,
                    resource.environment,
                    resource.namespace,
                    resource.cluster,
                    labels,
                )

    def _values(
        self, metric: Metric, point: _Point, series: tuple[object, ...]
    ) -> Iterator[tuple[str, str, float]]:
        if isinstance(point, NumberDataPoint):
            value = float(
                point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
            )
            delta = metric.sum.aggregation_temporality == _DELTA
            if metric.WhichOneof("data") == "gauge" or not (delta or metric.sum.is_monotonic):
                yield metric.name, metric.unit, value
                return
            gain = self._gain(series, _reading(point, value), delta=delta)
            if gain is not None:
                yield metric.name, f"{metric.unit or '1'}/s", gain.count / gain.seconds
            return
        delta = _temporality(metric) == _DELTA
        gain = self._gain(series, _reading(point, point.count, point.sum), delta=delta)
        if gain is not None:
            yield f"{metric.name}.rate", "1/s", gain.count / gain.seconds
            if gain.count and (isinstance(point, SummaryDataPoint) or point.HasField("sum")):
                yield f"{metric.name}.mean", metric.unit, gain.total / gain.count

    def _gain(self, series: tuple[object, ...], now: _Reading, *, delta: bool) -> _Gain | None:
        last = self._last.get(series)
        if last is not None and now.time_ns <= last.time_ns:
            return None
        self._last[series] = now
        self._last.move_to_end(series)
        if last is None and not (delta and now.start_ns):
            self._miss(now)
        if len(self._last) > self.most:
            _, gone = self._last.popitem(last=False)
            self._forgotten_ns = max(self._forgotten_ns, gone.time_ns)
        if delta:
            since = now.start_ns or (last.time_ns if last else 0)
            before = _Reading(start_ns=0, time_ns=since, count=0.0)
        elif last is None or last.start_ns != now.start_ns or now.count < last.count:
            return None
        else:
            before = last
        if not 0 < before.time_ns < now.time_ns:
            return None
        return _Gain(
            seconds=(now.time_ns - before.time_ns) / _SECOND,
            count=now.count - before.count,
            total=now.total - before.total,
        )

    def _miss(self, now: _Reading) -> None:
        """Note a reading without one before it, unless its counter began after all forgotten ones.

        A counter that was forgotten and one that is new look alike where their process is old.
        """
        if now.start_ns <= self._forgotten_ns:
            lost = self.lost or Lost(count=0, first_ns=now.time_ns, last_ns=now.time_ns)
            self.lost = Lost(
                count=lost.count + 1,
                first_ns=min(lost.first_ns, now.time_ns),
                last_ns=max(lost.last_ns, now.time_ns),
            )


def _points(metric: Metric) -> Iterator[_Point]:
    kind = metric.WhichOneof("data")
    if kind is not None:
        yield from getattr(metric, kind).data_points


def _reading(point: _Point, count: float, total: float = 0.0) -> _Reading:
    return _Reading(
        start_ns=point.start_time_unix_nano,
        time_ns=point.time_unix_nano,
        count=float(count),
        total=total,
    )


def _temporality(metric: Metric) -> int:
    """Return a histogram's temporality; a summary has none and is cumulative."""
    kind = metric.WhichOneof("data")
    return int(getattr(getattr(metric, kind or "summary"), "aggregation_temporality", 0))
