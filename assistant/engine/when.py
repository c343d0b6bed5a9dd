"""Which moments are compared: found by the signals and, where traffic is thin, by the tests.

With few requests a step shows late and blurred in any one signal. The local tests themselves then
tell: too early a start dilutes the incident, too late a one spoils the baseline, and both make the
best explanation weaker (the likelihood of a change point, profiled over its place).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from assistant.engine import onset
from assistant.engine.normalise import trace_starts
from assistant.engine.question import Question
from assistant.engine.windows import INCIDENT, MIN_TRACES, Windows, cut, to_us
from connectors.api import Window

LOOK_BACK_US = 15 * 60 * 1_000_000
BASELINE_US = 60 * 60 * 1_000_000
LONGEST_INCIDENT_US = 10 * 60 * 1_000_000
MIN_GUARD_US, MAX_GUARD_US = 2_000_000, 30_000_000
THIN_BIN_US = 2_000_000  # bins as wide as that hold too few requests for a sharp step
MANY_ROWS = 1_000_000  # of telemetry: other starts would take a minute
LAGS_US = tuple(s * 1_000_000 for s in (30, 40, 55, 70, 85, 100, 120, 150, 200, 270))
LEAST_BEFORE, LEAST_DURING = 2 * MIN_TRACES, MIN_TRACES // 2
ENOUGH = 0.5  # an explanation that weighs so much needs no other start
BETTER = 1.15  # times as good an explanation moves the start


@dataclass(frozen=True, slots=True)
class Moments:
    """The windows and the onset that they rest on."""

    windows: Windows
    found: onset.Onset


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The starts of traces (µs) and the first, last and final moment that may be seen.

    `rows` is how much telemetry there is.
    """

    starts: pl.Series
    rows: int
    first: int
    last: int
    end: int


def timeline(
    spans: pl.DataFrame, logs: pl.DataFrame, metrics: pl.DataFrame, question: Question
) -> Timeline:
    """Return what times there are to choose from."""
    starts = trace_starts(spans)
    ends = pl.Series(
        [way for f in (starts, logs["us"], metrics["us"]) for way in (f.min(), f.max())],
        dtype=pl.Int64,
    )
    seen = ends.drop_nulls()
    end = to_us(question.horizon)
    return Timeline(
        starts=starts,
        rows=spans.height + logs.height + metrics.height,
        first=int(seen.min() or end) if seen.len() else end,  # type: ignore[arg-type]
        last=int(seen.max() or end) + 1 if seen.len() else end,  # type: ignore[arg-type]
        end=end,
    )


def given(times: Timeline, question: Question) -> Moments | None:
    """Return the moments that the question tells, null where it does not."""
    if question.onset is None:
        return None
    begin = to_us(question.onset)
    until = to_us(question.until) if question.until is not None else times.end
    windows = cut(
        times.starts,
        incident=(begin, until),
        baseline=(times.first, times.last),
        known=question.known_incidents,
    )
    return Moments(windows, onset.Onset(begin, 5_000_000, begin, stepped=True))


def detected(
    spans: pl.DataFrame,
    logs: pl.DataFrame,
    metrics: pl.DataFrame,
    times: Timeline,
    question: Question,
) -> Moments:
    """Return the moments that the signals tell."""
    back = max(times.first, to_us(question.at) - LOOK_BACK_US)
    quiet = _without_past(spans, question)
    return moments(onset.detect(quiet, logs, metrics, back, times.end), times, question)


def older(
    spans: pl.DataFrame,
    logs: pl.DataFrame,
    metrics: pl.DataFrame,
    times: Timeline,
    question: Question,
    *,
    than: Moments,
) -> Moments | None:
    """Return the moments around a step before those of `than`, null where there is none.

    All that was read is looked at; what lasts since is compared as it is now, for it may be over.
    """
    if times.first >= to_us(question.at) - LOOK_BACK_US:
        return None
    quiet = _without_past(spans, question)
    found = onset.detect(quiet, logs, metrics, times.first, times.end)
    if found.us is None or not found.stepped or found.us >= than.windows.incident[0]:
        return None
    before = (times.starts < found.us).sum()
    if before < LEAST_BEFORE <= times.starts.len():
        return None
    last = min(times.end, max(to_us(question.at), found.us + LONGEST_INCIDENT_US))
    windows = moments(found, times, question).windows
    incident = (max(windows.incident[0], last - LONGEST_INCIDENT_US), last)
    baseline = windows.baseline
    past = _past(question)
    return Moments(cut(times.starts, incident=incident, baseline=baseline, known=past), found)


def moments(found: onset.Onset, times: Timeline, question: Question) -> Moments:
    """Return the windows around an onset."""
    end = times.end
    back = max(times.first, to_us(question.at) - LOOK_BACK_US)
    guard = min(MAX_GUARD_US, max(MIN_GUARD_US, 2 * found.bin_us))
    begin = found.us if found.us is not None else max(back, end - max(4 * guard, (end - back) // 4))
    incident = (min(begin + guard // 2, end), min(end, begin + LONGEST_INCIDENT_US))
    # Where signals differ about the moment, what lies between them is neither before nor during.
    quiet_until = max(begin - MAX_GUARD_US, min(begin, found.earliest_us or begin)) - guard
    baseline = (max(times.first, begin - guard - BASELINE_US), quiet_until)
    return Moments(
        cut(times.starts, incident=incident, baseline=baseline, known=_past(question)), found
    )


def refined(
    first: Moments, times: Timeline, question: Question, explained: Callable[[Windows], float]
) -> Moments:
    """Return the moments that explain most, `first` unless others are clearly better.

    `explained` tells how much the best explanation weighs between the windows that it is given.
    """
    found = first.found
    sharp = found.stepped and found.bin_us < THIN_BIN_US
    # A busier minute of the machine may step further than what is wrong for some of the requests.
    starts = found.others if sharp else tuple(times.end - lag for lag in LAGS_US)
    if times.rows > MANY_ROWS or not starts:
        return first
    explains = explained(first.windows)
    if explains >= ENOUGH:
        return first
    best, most = first, explains * BETTER
    for us in starts:
        if us <= times.first:
            continue
        other = moments(replace(first.found, us=us, earliest_us=us), times, question)
        places = other.windows.bucket_of(times.starts)
        before, during = (places >= 0).sum(), (places == INCIDENT).sum()
        untraced = times.starts.len() < LEAST_BEFORE
        enough = untraced or (before >= LEAST_BEFORE and during >= LEAST_DURING)
        weight = explained(other.windows) if enough else 0.0
        if weight > most:
            best, most = other, weight
    return best


def _without_past(spans: pl.DataFrame, question: Question) -> pl.DataFrame:
    for window in _past(question):
        spans = spans.filter(
            (pl.col("us") < to_us(window.start)) | (pl.col("us") >= to_us(window.end))
        )
    return spans


def _past(question: Question) -> Sequence[Window]:
    return [w for w in question.known_incidents if w.end < question.at]
