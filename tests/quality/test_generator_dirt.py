"""Dirty telemetry is dirty in the ways that real telemetry is, and the truth stays."""

import polars as pl
import pytest

from bench.generator import Shape, generate

MEASURES = {"services": 10, "minutes": 8.0, "rps": 4.0}


@pytest.fixture(scope="module")
def days() -> list:
    return [
        generate(2, shape=Shape(**MEASURES, dirt=level), fault="exception") for level in range(3)
    ]


def test_truth_stays(days: list):
    assert days[0].cases == days[1].cases == days[2].cases
    assert days[0].changes == days[1].changes == days[2].changes


def test_a_usual_day_has_doubles_orphans_and_an_impossible_date(days: list):
    spans = days[1].spans
    doubles = 1 - spans["span_id"].n_unique() / len(spans)
    assert 0.004 < doubles < 0.03
    known = spans["span_id"].implode()
    orphans = spans.filter(pl.col("parent_span_id").is_not_null()).filter(
        ~pl.col("parent_span_id").is_in(known)
    )
    assert 0 < len(orphans) < 0.05 * len(spans)
    assert spans["start"].dt.year().min() == 1754
    assert days[1].logs["time"].dt.year().min() == 1754
    assert days[1].metrics["value"].is_nan().any()
    assert (spans["start"].dt.microsecond() % 1000 == 0).mean() > 0.05
    assert not spans["start"].is_sorted()


def test_a_bad_day_is_sampled_and_says_with_what_weight(days: list):
    clean, bad = days[0].spans, days[2].spans
    kept = bad["trace_id"].n_unique() / clean["trace_id"].n_unique()
    (weight,) = bad["sampling_weight"].unique().to_list()
    assert kept == pytest.approx(1 / weight, rel=0.15)


def test_a_bad_day_has_wrong_clocks_backward_spans_and_a_huge_line(days: list):
    clean, bad = days[0], days[2]
    both = bad.spans.join(clean.spans, on="span_id", suffix="_clean").filter(
        pl.col("start").dt.year() > 2000
    )
    off = (pl.col("start") - pl.col("start_clean")).dt.total_milliseconds().abs()
    by = both.group_by("service").agg(off=off.median())
    assert by["off"].max() > 5
    assert by["off"].min() <= 1
    assert (bad.spans["end"] < bad.spans["start"]).any()
    assert bad.logs["body"].str.len_bytes().max() > 200_000
    assert bad.metrics["service"].n_unique() < clean.metrics["service"].n_unique()


def test_some_dirty_systems_do_not_tell_kind_or_status():
    unknown = 0
    for seed in range(8):
        spans = generate(seed, dirt=1, services=4, minutes=6, rps=1).spans
        unknown += spans["kind"].is_null().all() or spans["status"].is_null().all()
    assert 0 < unknown < 8
