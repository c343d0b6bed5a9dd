"""Runs the engine over every case of labelled recordings, by one of two protocols.

live (`detected`): it is told the alert's time and nothing else, and nothing later leaves the
connector. paper (`given`): it is told onset and end, and may use everything outside known incidents
as baseline, before or after, as the published methods do.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from assistant.clock import SystemClock
from assistant.domain.events import ReadFailed
from assistant.domain.hypothesis import Finding, Verdict
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from assistant.evaluate.answers import Answer
from assistant.evaluate.naive import naive
from assistant.flow import LOOK_BACK
from assistant.gather import gather
from connectors.api import Window
from connectors.errors import Rejected
from connectors.recording import Case, Recording, RecordingConnector

WINDOW = timedelta(seconds=180)
GRID = timedelta(seconds=30)
MIN_COVERED = timedelta(seconds=120)
MIN_TRACES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case, what the engine said about it, and what its peers said, by their names."""

    recording: str
    case: Case
    finding: Finding
    seconds: float
    live: bool
    candidates: int
    peers: Mapping[str, Answer] = field(default_factory=dict)


Onlooker = Callable[[Recording, Case, Question, Telemetry], None]


async def outcomes(
    recording: Recording, *, given: bool, onlooker: Onlooker | None = None
) -> list[Outcome]:
    """Return the answers to all cases; raises `Rejected` for an unreadable recording.

    `onlooker` is shown what the engine was given: case by case, in the order of the answers.
    """
    out = []
    for case in recording.cases:
        question = question_of(case, recording.info.known_incidents, given=given)
        telemetry = await _telemetry(recording, question)
        if onlooker is not None:
            onlooker(recording, case, question, telemetry)
        out.append(outcome(recording.folder.name, case, telemetry, question))
    return out


def outcome(recording: str, case: Case, telemetry: Telemetry, question: Question) -> Outcome:
    """Return what the engine says to a question about a case, and how long it took."""
    began = time.perf_counter()
    finding = diagnose(telemetry, question)
    seconds = time.perf_counter() - began
    return Outcome(
        recording=recording,
        case=case,
        finding=finding,
        seconds=seconds,
        live=question.onset is None,
        candidates=max(1, _services(telemetry)),
        peers=naive(telemetry, question),
    )


async def abstentions(recording: Recording) -> tuple[int, int]:
    """Return (windows without a fault in which no cause was named, such windows)."""
    kept_quiet, asked = 0, 0
    for end in await _quiet_windows(recording):
        question = Question(at=end, horizon=end, known_incidents=recording.info.known_incidents)
        finding = diagnose(await _telemetry(recording, question), question)
        asked += 1
        kept_quiet += finding.verdict in (Verdict.HEALTHY, Verdict.NOT_DETERMINED)
    return kept_quiet, asked


def question_of(case: Case, known_incidents: tuple[Window, ...], *, given: bool) -> Question:
    """Return what the engine is told about a case; its onset only where that is `given`."""
    alerted = _labels(case).get("service")
    paper = given and case.onset is not None
    return Question(
        at=case.alert_at,
        horizon=(case.until or case.alert_at) if paper else case.alert_at,
        text=case.symptom,
        service=str(alerted) if alerted else None,
        onset=case.onset if paper else None,
        until=case.until if paper else None,
        known_incidents=known_incidents,
    )


def _labels(case: Case) -> Mapping[str, object]:
    """Return the alert's labels: Alertmanager puts them one level down, others do not."""
    alert = case.alert or {}
    labels = alert.get("labels")
    return {**alert, **labels} if isinstance(labels, Mapping) else alert


async def _telemetry(recording: Recording, question: Question) -> Telemetry:
    if question.onset is not None:
        window = Window(start=recording.info.start, end=recording.info.end + timedelta(seconds=1))
    else:
        window = Window(start=question.at - LOOK_BACK, end=question.horizon)
    connector = RecordingConnector(recording.folder)
    gathered = await gather({connector.name: connector}, window, SystemClock())
    failed = [r for r in gathered.reads if isinstance(r, ReadFailed)]
    if failed:
        # Figures over what could not be read would look like the engine's own mistakes.
        raise Rejected(f"{recording.folder.name}: {failed[0].reason}")
    return gathered.telemetry


def _services(telemetry: Telemetry) -> int:
    frames = (telemetry.spans, telemetry.logs, telemetry.metrics)
    names = pl.concat([f.get_column("service").cast(pl.String) for f in frames])
    return names.drop_nulls().n_unique()


async def _quiet_windows(recording: Recording) -> list[datetime]:
    """Return the ends of disjoint windows with traffic, outside known incidents."""
    whole = Window(start=recording.info.start, end=recording.info.end)
    question = Question(at=whole.end, horizon=whole.end, onset=whole.start)
    spans = (await _telemetry(recording, question)).spans
    roots = spans.filter(pl.col("parent_span_id").is_null()).select("trace_id", "start")
    ends: list[datetime] = []
    start = whole.start
    while start + WINDOW <= whole.end:
        end = start + WINDOW
        if _quiet(recording, start, end) and _busy(roots, start, end):
            ends.append(end)
            start = end
        else:
            start += GRID
    return ends


def _quiet(recording: Recording, start: datetime, end: datetime) -> bool:
    return all(end <= w.start or start >= w.end for w in recording.info.known_incidents)


def _busy(roots: pl.DataFrame, start: datetime, end: datetime) -> bool:
    inside = roots.filter((pl.col("start") >= start) & (pl.col("start") < end))
    if inside.get_column("trace_id").n_unique() < MIN_TRACES:
        return False
    cells = inside.get_column("start").dt.truncate("10s").n_unique()
    return cells * timedelta(seconds=10) >= MIN_COVERED
