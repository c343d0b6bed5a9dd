"""When the tests themselves are asked for the start, and when the signals' word stands."""

from datetime import UTC, datetime

import polars as pl
import pytest

from assistant.engine import when
from assistant.engine.onset import Onset
from assistant.engine.question import Question
from assistant.engine.windows import from_us

SECOND = 1_000_000
END = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
STARTED = END - 70 * SECOND


def begun(*, stepped, bin_s=1, rows=1_000):
    """Return the start of an incident whose tests say the more, the nearer they are to it."""
    starts = pl.Series(range(END - 1_200 * SECOND, END, SECOND), dtype=pl.Int64)
    times = when.Timeline(starts=starts, rows=rows, first=int(starts[0]), last=END, end=END)
    question = Question(at=from_us(END), horizon=from_us(END))
    wrong = END - 600 * SECOND
    found = Onset(wrong, bin_s * SECOND, wrong, stepped=stepped)
    first = when.moments(found, times, question)

    def explained(windows):
        return 0.4 / (1 + abs(windows.incident[0] - STARTED) / (30 * SECOND))

    return when.refined(first, times, question, explained).found.us


@pytest.mark.parametrize("kind", [{"stepped": False}, {"stepped": True, "bin_s": 2}])
def test_without_a_sharp_step_the_start_is_where_the_tests_say_most(kind):
    assert begun(**kind) == STARTED


@pytest.mark.parametrize("kind", [{"stepped": True}, {"stepped": False, "rows": 2_000_000}])
def test_a_sharp_step_stands_and_so_does_a_guess_where_looking_again_takes_too_long(kind):
    assert begun(**kind) == END - 600 * SECOND
