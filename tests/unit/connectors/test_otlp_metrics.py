"""Metrics: gauges as they are, counters and histograms as rates, restarts skipped."""

import re
import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from connectors.api import Ask, Capability, Window
from connectors.otlp.intake import SIGNALS, Intake
from connectors.otlp.metrics import MetricReader
from connectors.otlp.store import utc

METRICS = next(s for s in SIGNALS if s.capability is Capability.METRICS)
SECOND = 1_000_000_000
NOW = time.time_ns()
START = NOW - 600 * SECOND
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


def request(metric: Metric, host: str = "a") -> ExportMetricsServiceRequest:
    made = ExportMetricsServiceRequest()
    block = made.resource_metrics.add()
    block.resource.attributes.add(key="service.name").value.string_value = "shop"
    block.resource.attributes.add(key="host.name").value.string_value = host
    block.scope_metrics.add().metrics.append(metric)
    return made


def counter(
    seconds: float,
    value: float,
    *,
    start: int = START,
    temporality: int = CUMULATIVE,
    monotonic: bool = True,
) -> Metric:
    metric = Metric(name="orders", unit="{order}")
    metric.sum.aggregation_temporality = temporality  # type: ignore[assignment]
    metric.sum.is_monotonic = monotonic
    point = metric.sum.data_points.add(
        start_time_unix_nano=start, time_unix_nano=START + int(seconds * SECOND), as_double=value
    )
    point.attributes.add(key="method").value.string_value = "POST"
    return metric


def histogram(seconds: float, count: int, total: float, temporality: int = CUMULATIVE) -> Metric:
    metric = Metric(name="latency", unit="s")
    metric.histogram.aggregation_temporality = temporality  # type: ignore[assignment]
    metric.histogram.data_points.add(
        start_time_unix_nano=START + int((seconds - 10) * SECOND)
        if temporality == DELTA
        else START,
        time_unix_nano=START + int(seconds * SECOND),
        count=count,
        sum=total,
    )
    return metric


def read(*metrics: Metric) -> list[tuple[str, str, float]]:
    reader = MetricReader()
    return [
        (str(row[3]), str(row[4]), float(str(row[5])))
        for metric in metrics
        for row in reader.rows(request(metric), NOW)[0]
    ]


def test_a_gauge_is_told_as_it_is():
    metric = Metric(name="memory", unit="By")
    point = metric.gauge.data_points.add(time_unix_nano=START, as_int=42)
    point.attributes.add(key="pool").value.string_value = "heap"
    ((row,), rejected) = MetricReader().rows(request(metric, host="pod-1"), NOW)
    assert row == (
        START, "shop", "pod-1", "memory", "By", 42.0, None, None, None, '{"pool":"heap"}'
    )  # fmt: skip
    assert rejected == 0


def test_a_counter_becomes_a_rate_per_second():
    assert read(counter(0, 100), counter(10, 150), counter(20, 150)) == [
        ("orders", "{order}/s", 5.0),
        ("orders", "{order}/s", 0.0),
    ]


def test_a_restart_has_no_rate_for_its_step():
    dropped = read(counter(0, 100), counter(10, 3), counter(20, 13))
    assert dropped == [("orders", "{order}/s", 1.0)]
    restarted = read(
        counter(0, 100),
        counter(10, 300, start=START + SECOND),
        counter(20, 310, start=START + SECOND),
    )
    assert restarted == [("orders", "{order}/s", 1.0)]


def test_a_repeated_or_late_point_changes_nothing():
    assert read(counter(10, 100), counter(10, 100), counter(5, 50), counter(20, 120)) == [
        ("orders", "{order}/s", 2.0)
    ]


def test_a_delta_is_a_rate_over_its_own_interval():
    points = (
        counter(10, 50, start=START, temporality=DELTA),
        counter(20, 20, start=START + 10 * SECOND, temporality=DELTA),
    )
    assert [value for _, _, value in read(*points)] == [5.0, 2.0]
    unknown = (
        counter(0, 9, start=0, temporality=DELTA),
        counter(10, 30, start=0, temporality=DELTA),
    )
    assert [value for _, _, value in read(*unknown)] == [3.0]


def test_a_sum_that_may_fall_is_a_gauge():
    assert read(counter(0, 7, monotonic=False), counter(10, 3, monotonic=False)) == [
        ("orders", "{order}", 7.0),
        ("orders", "{order}", 3.0),
    ]


@pytest.mark.parametrize("temporality", [CUMULATIVE, DELTA])
def test_a_histogram_becomes_a_rate_and_a_mean(temporality: int):
    second = (30, 11.0) if temporality == CUMULATIVE else (20, 6.0)
    told = read(histogram(10, 10, 5.0, temporality), histogram(20, *second, temporality))
    assert told[-2:] == [("latency.rate", "1/s", 2.0), ("latency.mean", "s", 0.3)]
    assert len(told) == (2 if temporality == CUMULATIVE else 4)


def test_an_idle_histogram_has_no_mean():
    assert read(histogram(10, 10, 5.0), histogram(20, 10, 5.0)) == [("latency.rate", "1/s", 0.0)]


def test_series_are_kept_apart():
    reader = MetricReader()
    reader.rows(request(counter(0, 100), host="a"), NOW)
    assert reader.rows(request(counter(10, 500), host="b"), NOW) == ([], 0)
    (row,) = reader.rows(request(counter(10, 110), host="a"), NOW)[0]
    assert row[5] == 1.0


def taken(*metrics: tuple[str, Metric], ask: Ask | None = None) -> tuple[str, ...]:
    """Return the gaps of a receiver that remembers two counters, after hosts have sent metrics."""
    intake = Intake(max_rows=100, max_age_s=3600, clock=lambda: NOW / SECOND, most_series=2)
    for host, metric in metrics:
        body = request(metric, host).SerializeToString()
        intake.accept(METRICS, body, is_json=False)
    return intake.gaps(ask or asking(0, 600))


def asking(start: float, end: float) -> Ask:
    """Return an ask for metrics from and to some seconds after START."""
    window = Window(start=utc(START / SECOND + start), end=utc(START / SECOND + end))
    return Ask(capability=Capability.METRICS, window=window)


@pytest.mark.parametrize("kind", [counter, histogram])
def test_counters_that_were_forgotten_are_told_as_not_looked_at(kind):
    values = (1.0,) if kind is histogram else ()
    told = [(host, kind(at, at, *values)) for at in (20, 30) for host in "abc"]
    (said,) = taken(*told)
    assert re.fullmatch(
        r"3 readings of counters from \S+ to \S+ gave no rate: more than 2 counters report, and "
        r"what they had stood at before was forgotten\.",
        said,
    )
    assert taken(*told[:2]) == ()
    assert taken(*told, ask=asking(40, 60)) == ()
    assert taken(*told, ask=asking(0, 25)) == ()


def test_counters_that_report_no_more_are_forgotten_without_a_word():
    gone = [(host, counter(at, at)) for host in ("a", "b") for at in (10, 20)]
    since = [(host, counter(at, at, start=START + 30 * SECOND)) for at in (40, 50) for host in "cd"]
    assert taken(*gone, *since) == ()


def test_a_counter_that_tells_its_own_gains_loses_nothing_by_being_forgotten():
    told = [(host, counter(at, 5, temporality=DELTA)) for at in (20, 30) for host in "abc"]
    assert taken(*told) == ()
    unknown = [(h, counter(at, 5, start=0, temporality=DELTA)) for at in (20, 30) for h in "abc"]
    assert len(taken(*unknown)) == 1


def test_points_without_a_value_or_time_do_not_count():
    metric = Metric(name="memory")
    metric.gauge.data_points.add(time_unix_nano=START, flags=1)
    metric.gauge.data_points.add(time_unix_nano=START, as_double=float("nan"))
    metric.gauge.data_points.add(as_double=1.0)
    assert MetricReader().rows(request(metric), NOW) == ([], 1)
