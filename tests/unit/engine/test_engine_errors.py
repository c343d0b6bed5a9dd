"""Who complains more than on quiet days, also without having served anything."""

import polars as pl
import pytest
from frames import T0, logs

from assistant.engine import errors
from assistant.engine.windows import INCIDENT

BUCKETS = (0, 1, 2, 3, INCIDENT)


def complaining(lines, executions):
    """Return who stands out, given error lines and executions of one service by bucket."""
    rows = [
        {"time": T0, "service": "stock", "severity": "ERROR", "body": "it broke"}
        for count in lines
        for _ in range(count)
    ]
    places = [bucket for bucket, count in zip(BUCKETS, lines, strict=True) for _ in range(count)]
    placed = logs(rows).with_columns(pl.Series("bucket", places, dtype=pl.Int32))
    work = pl.DataFrame(
        [
            {"service": "stock", "bucket": bucket, "n": count}
            for bucket, count in zip(BUCKETS, executions, strict=True)
            if count
        ],
        schema={"service": pl.String, "bucket": pl.Int32, "n": pl.UInt32},
    )
    weights = dict.fromkeys(BUCKETS, 100.0)
    table = errors.line_table(placed, weights, work)
    return [(s.service, s.n1) for s in errors.line_shifts(table, INCIDENT)]


@pytest.mark.parametrize(
    ("lines", "executions"),
    [((0, 1, 0, 1, 80), (50, 50, 50, 50, 0)), ((0, 1, 0, 1, 80), (50, 0, 50, 50, 40))],
    ids=["it serves nothing any more", "it once served nothing on a quiet day"],
)
def test_who_serves_nothing_is_still_heard(lines, executions):
    assert complaining(lines, executions) == [("stock", 80)]


def test_as_many_complaints_as_usual_are_none():
    assert complaining((4, 5, 4, 5, 5), (50, 50, 50, 50, 50)) == []


def test_error_lines_beyond_those_that_are_read_are_told():
    def told(count):
        rows = [{"time": T0, "service": "x", "severity": "ERROR", "body": "no"}] * count
        during = logs(rows).with_columns(pl.lit(INCIDENT, pl.Int32).alias("bucket"))
        return errors.unread(during, INCIDENT)

    assert told(errors.READ) == []
    (gap,) = told(errors.READ + 1)
    assert gap.startswith(f"of {errors.READ + 1} error lines the first {errors.READ} were looked")
