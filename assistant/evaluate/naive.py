"""Rules that anybody could follow without an engine; they see exactly what the engine sees.

A rule that is not beaten shows that a set of cases is easy, or the engine poor.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

import polars as pl

from assistant.engine.question import Question, Telemetry
from assistant.evaluate.answers import Answer, tied
from connectors.api import Window

# Where nobody told the onset, what lies this far before the alert counts as the incident.
RECENT = timedelta(minutes=2)
CELL = timedelta(seconds=10)
BAD = ("ERROR", "FATAL", "CRITICAL")


def incident(question: Question) -> Window:
    """Return what a peer takes for the incident: as told, or the last minutes before the alert."""
    if question.onset is None:
        return Window(start=question.at - RECENT, end=question.at)
    return Window(start=question.onset, end=question.until or question.horizon)


def usual(times: pl.Expr, question: Question) -> pl.Expr:
    """Return which `times` are baseline: outside the incident and every known incident.

    Where the onset has to be found, only known incidents that were over by the alert count, and
    nothing after it was seen anyway.
    """
    window = incident(question)
    known = [w for w in question.known_incidents if question.onset or w.end <= question.at]
    outside = (times < window.start) | (times >= window.end)
    for other in known:
        outside &= (times < other.start) | (times >= other.end)
    return outside


def naive(telemetry: Telemetry, question: Question) -> dict[str, Answer]:
    """Return the answer of each rule by its name."""
    out = {}
    for name, rule in RULES.items():
        began = time.perf_counter()
        places, judges, change = rule(telemetry, question)
        out[name] = Answer(
            places=places,
            judges_changes=judges,
            change=change,
            seconds=time.perf_counter() - began,
        )
    return out


_Said = tuple[tuple[tuple[str, ...], ...] | None, bool, str | None]


def _alerted(telemetry: Telemetry, question: Question) -> _Said:
    """Blame the service that the alert names."""
    del telemetry
    return ((question.service,),) if question.service else (), False, None


def _longest(telemetry: Telemetry, question: Question) -> _Said:
    """Blame the service whose spans take more of each second than before the incident.

    That is the sum of its spans' durations, calls that they wait for included, for each second in
    which anything was seen; what it was in the baseline is subtracted.
    """
    times = pl.col("start")
    window = incident(question)
    during = telemetry.spans.filter((times >= window.start) & (times < window.end))
    before = _busy(telemetry.spans.filter(usual(times, question)))
    rise = {name: now - before.get(name, 0.0) for name, now in _busy(during).items()}
    return tied(rise), False, None


def _busy(spans: pl.DataFrame) -> Mapping[str, float]:
    """Return the seconds that each service's spans take in a second with data."""
    seen = spans.get_column("start").dt.truncate(CELL).n_unique() * CELL.total_seconds()
    if not seen:
        return {}
    took = (pl.col("end") - pl.col("start")).dt.total_nanoseconds().sum() / 1e9 / seen
    rows = spans.group_by(pl.col("service").cast(pl.String)).agg(took.alias("busy"))
    return {name: busy for name, busy in rows.iter_rows() if name is not None}


def _errors(telemetry: Telemetry, question: Question) -> _Said:
    """Blame the service with the most failed spans and bad log lines in the incident."""
    window = incident(question)
    failed = telemetry.spans.filter(
        (pl.col("start") >= window.start)
        & (pl.col("start") < window.end)
        & (pl.col("status").cast(pl.String) == "error")
    )
    bad = telemetry.logs.filter(
        (pl.col("time") >= window.start)
        & (pl.col("time") < window.end)
        & pl.col("severity").cast(pl.String).str.to_uppercase().is_in(BAD)
    )
    named = pl.concat([f.select(pl.col("service").cast(pl.String)) for f in (failed, bad)])
    counts = named.drop_nulls().group_by("service").len()
    return tied({name: float(count) for name, count in counts.iter_rows()}), False, None


def _latest(telemetry: Telemetry, question: Question) -> _Said:
    """Blame the last deploy before the alert, and what it went to; any change if none is one."""
    done = [change for change in telemetry.changes if change.at <= question.at]
    deploys = [change for change in done if change.kind == "deploy"]
    last = max(deploys or done, key=lambda change: change.at, default=None)
    if last is None:
        return (), True, None
    return ((last.target,),) if last.target else (), True, last.ref


def _never(telemetry: Telemetry, question: Question) -> _Said:
    """Say that no change is at fault, always."""
    del telemetry, question
    return None, True, None


RULES: Mapping[str, Callable[[Telemetry, Question], _Said]] = {
    "alerted service": _alerted,
    "longest total duration": _longest,
    "most errors": _errors,
    "latest deploy": _latest,
    "always no change": _never,
}
