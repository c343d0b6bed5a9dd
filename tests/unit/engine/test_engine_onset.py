"""When it began."""

import numpy as np
import polars as pl
from frames import logs, metrics, minute, spans

from assistant.engine import onset
from assistant.engine.compare import stamped
from assistant.engine.normalise import normalise
from assistant.engine.onset import Signal, _early, _step, _together, detect
from assistant.engine.windows import from_us

NOTHING = (stamped(logs([])), stamped(metrics([])))


def detected(rows):
    clean = normalise(spans(rows)).spans
    first, last = clean["us"].min(), clean["us"].max() + 1
    found = detect(clean, *NOTHING, first, last)
    return None if found.us is None else (from_us(found.us) - from_us(first)).total_seconds()


def test_a_slower_way_is_dated_to_the_second():
    found = detected([*minute(300, 0), *minute(60, 60, prefix="u", gap=120.0)])
    assert abs(found - 60) <= 2


def test_an_even_stream_has_no_onset():
    assert detected(minute(400, 0)) is None


def test_getting_faster_is_no_incident():
    assert detected([*minute(300, 0, gap=120.0), *minute(60, 60, prefix="u")]) is None


def test_of_two_steps_the_larger_one_counts_however_short():
    rng = np.random.default_rng(3)
    values = rng.normal(0, 0.2, 300)
    values[120:] += 0.5
    values[285:] += 4.0
    assert abs(_step(Signal(values, 1.0))[1] - 285) <= 1


def test_of_signals_that_nearly_agree_the_earlier_tells_the_moment_and_loners_are_not_heard():
    group = _together([(41, 9.9), (37, 9.8), (5, 11.0)])
    assert sorted(group) == [(37, 9.8), (41, 9.9)]
    assert _early(group) == 37


def test_a_bin_holds_some_traces_even_where_they_are_rare():
    rare = normalise(spans(minute(60, 0, rate=0.5))).spans
    roots = rare.filter(pl.col("parent_span_id").is_null())
    width = onset._bin_width(roots, rare["us"].min(), rare["us"].max())  # noqa: SLF001
    assert 8_000_000 <= width <= 20_000_000
