"""Has a mean moved, has a share moved: beyond what the buckets differ on their own."""

import polars as pl
import pytest

from assistant.engine.contrast import mean_shift, share_shift
from assistant.engine.windows import INCIDENT


def means(levels, n=50):
    """One key; `levels` log-means per bucket, the last one is the incident."""
    rows = []
    for i, level in enumerate(levels):
        bucket = INCIDENT if i == len(levels) - 1 else i
        rows.append(("k", bucket, n, n * level, n * (level**2 + 0.04), n * 2.718**level))
    columns = {"key": pl.String, "bucket": pl.Int32, "n": pl.Int64}
    sums = dict.fromkeys(("total", "squares", "ms"), pl.Float64)
    return pl.DataFrame(rows, schema={**columns, **sums}, orient="row")


def shares(hits, n=100):
    rows = [("k", INCIDENT if i == len(hits) - 1 else i, n, hit) for i, hit in enumerate(hits)]
    schema = {"key": pl.String, "bucket": pl.Int32, "n": pl.Int64, "hits": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_a_slower_mean_is_seen():
    moved = mean_shift(means([1.0, 1.01, 0.99, 1.0, 2.0]), ["key"], INCIDENT)
    assert moved["t"].item() > 10
    assert moved["excess"].item() == pytest.approx(50 * (2.718**2 - 2.718), rel=0.02)


def test_buckets_that_differ_on_their_own_hide_a_small_move():
    restless = mean_shift(means([0.5, 1.5, 0.6, 1.4, 1.6]), ["key"], INCIDENT)
    assert restless["t"].item() < 3


def test_a_share_that_rose_is_seen_and_an_even_one_is_not():
    assert share_shift(shares([0, 1, 0, 1, 30]), ["key"], INCIDENT)["g"].item() > 10
    assert share_shift(shares([5, 6, 4, 5, 5]), ["key"], INCIDENT)["g"].item() < 1


def test_a_share_that_jumps_about_anyway_counts_less():
    steady = share_shift(shares([20, 20, 20, 20, 40]), ["key"], INCIDENT)["g"].item()
    restless = share_shift(shares([2, 40, 3, 35, 40]), ["key"], INCIDENT)["g"].item()
    assert restless < steady / 2


def test_a_baseline_bucket_can_stand_in_for_the_incident():
    moved = mean_shift(means([1.0, 1.0, 3.0, 1.0, 1.0]), ["key"], 2)
    assert moved["t"].item() > 5
