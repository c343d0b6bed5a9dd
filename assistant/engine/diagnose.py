"""The straight line of a diagnosis: clean, find when, compare, explain away, narrow, judge, cite.

Deterministic: the same frames and question give the same `Finding`, whatever the order of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from assistant.domain.evidence import Stance
from assistant.domain.hypothesis import (
    BlamedChange,
    CauseType,
    Finding,
    Hypothesis,
    InnocentChange,
    Verdict,
)
from assistant.engine import changes, confidence, errors, explain, fuse, gaps, local, patch, when
from assistant.engine.arrival import arrived
from assistant.engine.chance import Chance, chance
from assistant.engine.evidence import Ledger, ruled_out
from assistant.engine.examples import Seen
from assistant.engine.explain import Suspect
from assistant.engine.ids import SpanIds
from assistant.engine.normalise import Traces, normalise, trace_starts
from assistant.engine.question import Question, Telemetry
from assistant.engine.scope import Scope, scope
from assistant.engine.shift import Mechanism, Shift
from assistant.engine.start import DATED, began, nothing, sampled, series_of
from assistant.engine.symptom import Symptoms, met, symptoms, through
from assistant.engine.templates import with_templates
from assistant.engine.topology import Topology, topology
from assistant.engine.windows import INCIDENT, Windows, from_us
from connectors.api import Change

SYMPTOMS_SHOWN, RANKED_SHOWN, CITED, INNOCENT_SHOWN = 3, 5, 6, 6
MIN_BAD = 10
LINE_COLUMNS = ("service", "severity", "body", "trace_id", "span_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frames:
    """Clean telemetry, not yet cut into before and during."""

    spans: pl.DataFrame
    logs: pl.DataFrame
    metrics: pl.DataFrame
    edges: tuple[tuple[str, str], ...]
    not_to_blame: tuple[str, ...]
    alerted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What the tests say of one pair of windows."""

    spans: pl.DataFrame
    logs: pl.DataFrame
    samples: pl.DataFrame
    complaints: Mapping[str, errors.Complaint]
    graph: Topology
    tables: local.Tables
    tested: local.Tested
    ranked: list[tuple[float, Suspect]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Everything that the later steps look at; `through` are the services of bad requests."""

    seen: _Compared
    windows: Windows
    onset_us: int
    bin_us: int
    stepped: bool
    chance: Chance
    symptoms: Symptoms
    covers: Mapping[str, float]
    through: frozenset[str]
    changes: tuple[Change, ...]
    gaps: tuple[str, ...]


def diagnose(telemetry: Telemetry, question: Question) -> Finding:
    """Return what the telemetry says about the question. Raises nothing for any frame content."""
    scene = _look(telemetry, question)
    ledger = Ledger(_during(scene.seen))
    for shift in scene.symptoms.shifts[:SYMPTOMS_SHOWN]:
        ledger.shift(shift, Stance.CONTEXT)
    ledger.told(question)
    said, why = confidence.verdict(_standing(scene))
    if said in (Verdict.HEALTHY, Verdict.NOT_DETERMINED) and not scene.seen.ranked:
        return _nothing(said, why, ledger, scene.gaps)
    narrowed = [_narrow(s, scene) for _, s in scene.seen.ranked[:RANKED_SHOWN]]
    judged = _judge_changes(question, scene, narrowed[0])
    explained = said in (Verdict.LIKELY, Verdict.POSSIBLE)
    hypotheses = tuple(_hypothesis(i, scene, narrowed[i], ledger) for i in range(len(narrowed)))
    blamed = next((j for j in judged if j.blamed and explained), None)
    return Finding(
        verdict=said,
        why_verdict=why,
        onset=from_us(scene.onset_us) if scene.stepped else None,
        hypotheses=hypotheses,
        change=_blamed(blamed, hypotheses[0], ledger) if blamed else None,
        innocent_changes=_innocent(
            judged, blamed, hypotheses[0], ledger, looked=telemetry.changes_seen
        )
        if explained
        else (),
        ruled_out=ruled_out(scene.seen.ranked, question, scene.seen.graph.components, ledger),
        evidence=tuple(ledger.records),
        gaps=(*scene.gaps, *gaps.not_told_apart(judged, blamed)),
    )


def _during(seen: _Compared) -> Seen:
    now = pl.col("bucket") == INCIDENT
    return Seen(*(frame.filter(now) for frame in (seen.spans, seen.logs, seen.samples)))


def _look(telemetry: Telemetry, question: Question) -> _Scene:
    traces = normalise(telemetry.spans)
    late = arrived(telemetry, question, traces.spans)
    if late is not None:
        telemetry, question = late.telemetry, late.question
        traces = Traces(late.spans, SpanIds.of(late.spans), (*traces.gaps, late.gap))
    frames = _Frames(
        spans=traces.spans,
        logs=_linked(with_templates(_stamped(telemetry.logs, LINE_COLUMNS)), traces.ids),
        metrics=_stamped(telemetry.metrics),
        edges=telemetry.edges,
        not_to_blame=question.ruled_out,
        alerted=question.service,
    )
    times = when.timeline(frames.spans, frames.logs, frames.metrics, question)
    at = when.given(times, question)
    if at is None:
        at = when.detected(frames.spans, frames.logs, frames.metrics, times, question)
        at = when.refined(at, times, question, lambda w: _explained(_compare(frames, w)))
    seen = _compare(frames, at.windows)
    found = at.found
    felt = symptoms(seen.spans, seen.samples, seen.tested.lines)
    named = [suspect.service for _, suspect in seen.ranked]
    covers = met(seen.spans, felt.traces, named) if len(felt.traces) >= MIN_BAD else {}
    return _Scene(
        seen=replace(seen, ranked=fuse.on_the_way(seen.ranked, covers)),
        covers=covers,
        windows=at.windows,
        onset_us=found.us if found.us is not None else at.windows.incident[0],
        bin_us=found.bin_us,
        stepped=found.stepped,
        chance=chance(seen.tables, seen.graph, _quiet(seen)),
        symptoms=felt,
        through=through(seen.spans, felt.traces),
        changes=tuple(c for c in telemetry.changes if c.ref not in question.ignored),
        gaps=gaps.gaps(telemetry, traces.gaps, seen.spans, felt),
    )


def _linked(logs: pl.DataFrame, ids: SpanIds) -> pl.DataFrame:
    """Add the row of the span in which each line was written, null where that is not known."""
    row = ids.rows(logs.get_column("trace_id"), logs.get_column("span_id"))
    return logs.with_columns(row.alias("row"))


def _compare(frames: _Frames, windows: Windows) -> _Compared:
    spans = _bucketed_spans(frames.spans, windows)
    graph = topology(spans, frames.edges)
    samples = _bucketed(frames.metrics, windows)
    logs = _bucketed(frames.logs, windows)
    tables = local.build(spans, logs, samples, windows)
    tested = local.run(tables)
    passed_on = errors.passed_on(spans, INCIDENT)
    complaints = errors.complaints(logs, graph.components, INCIDENT)
    suspects = fuse.ranked(explain.explain(tested, graph, passed_on, complaints), frames.alerted)
    return _Compared(
        spans=spans,
        logs=logs,
        samples=samples,
        complaints=complaints,
        graph=graph,
        tables=tables,
        tested=tested,
        ranked=[r for r in suspects if r[0] > 0 and r[1].service not in frames.not_to_blame],
    )


def _explained(seen: _Compared) -> float:
    return seen.ranked[0][0] if seen.ranked else 0.0


def _quiet(seen: _Compared) -> set[int]:
    """Return the buckets of the baseline in which anything was seen."""
    frames = (seen.spans, seen.logs, seen.samples)
    found = {b for frame in frames for b in frame.get_column("bucket").unique().drop_nulls()}
    return {bucket for bucket in found if bucket >= 0}


def _stamped(frame: pl.DataFrame, wanted: Sequence[str] = ()) -> pl.DataFrame:
    """Return the wanted columns (all by default) and `us`; text columns may come as categories."""
    columns = wanted or frame.columns
    text = [n for n in columns if frame.schema[n] in (pl.Categorical, pl.String)]
    stamped = frame.select(
        *[n for n in columns if n not in text],
        *[pl.col(n).cast(pl.String) for n in text],
        (pl.col("time").cast(pl.Int64) // 1000).alias("us"),
    )
    # A filter copies every column, and hardly a frame has anything to leave out.
    return stamped.drop_nulls(["us", "service"]) if _holes(stamped) else stamped


def _holes(frame: pl.DataFrame) -> bool:
    return any(frame.get_column(name).null_count() for name in ("us", "service"))


def _bucketed(frame: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    return frame.with_columns(windows.bucket_of(frame.get_column("us")))


def _bucketed_spans(spans: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """A trace belongs to one bucket: the one in which it began."""
    return spans.with_columns(
        windows.bucket_of(trace_starts(spans)).gather(spans.get_column("trace"))
    )


def _standing(scene: _Scene) -> confidence.Standing:
    top = [score for score, _ in scene.seen.ranked[:2]] + [0.0, 0.0]
    return confidence.Standing(
        score=top[0],
        behaviour=fuse.behaviour(scene.seen.ranked[0][1]) if scene.seen.ranked else 0.0,
        runner_up=top[1],
        others=sum(score for score, _ in scene.seen.ranked[1:]),
        chance=scene.chance,
        cover=scene.covers.get(scene.seen.ranked[0][1].service) if scene.seen.ranked else None,
        symptoms=scene.symptoms,
        stepped=scene.stepped,
        enough_data=min(scene.symptoms.requests, scene.symptoms.before) >= gaps.FEW_REQUESTS,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Narrowed:
    suspect: Suspect
    score: float
    mine: tuple[Shift, ...]
    scope: Scope


def _narrow(suspect: Suspect, scene: _Scene) -> _Narrowed:
    # Whom others ask oftener or not at all need not do anything else than before itself.
    mine = [
        s
        for s in scene.seen.tested.all
        if s.service == suspect.service
        or (s.peer == suspect.service and s.mechanism is not Mechanism.CONTROL)
    ]
    mine.sort(
        key=lambda s: -fuse.WEIGHTS[s.mechanism] * s.strength * suspect.parts.get(s.mechanism, 0)
    )
    score = next(score for score, s in scene.seen.ranked if s is suspect)
    return _Narrowed(
        suspect=suspect,
        score=score,
        mine=tuple(mine),
        scope=scope(
            suspect,
            mine,
            scene.seen.spans,
            visible=suspect.service in scene.seen.graph.instrumented,
            load=scene.seen.tested.load.get(suspect.service, 1.0),
        ),
    )


def _hypothesis(place: int, scene: _Scene, narrowed: _Narrowed, ledger: Ledger) -> Hypothesis:
    suspect, found = narrowed.suspect, narrowed.scope
    standing = _standing(scene)
    sure = standing.confidence if place == 0 else standing.share(narrowed.score)
    speaking = [s for s in narrowed.mine if suspect.parts.get(s.mechanism, 0.0) > 0][:CITED]
    supports = [ledger.shift(s, Stance.FOR) for s in speaking]
    for complainer, told in sorted(scene.seen.complaints.items()):
        if told.at == suspect.service and suspect.parts.get(Mechanism.CONTROL, 0.0) > 0:
            named = errors.naming(scene.seen.logs, complainer, told.at, INCIDENT)
            supports.append(ledger.complaint(complainer, told.at, named))
    if place == 0:
        supports += ledger.contrasts(suspect.service, found)
    supports += [
        ledger.event(event, suspect.service, scene.onset_us)
        for event in changes.troubles(
            scene.changes, suspect.service, scene.seen.spans, scene.windows.incident
        )
    ]
    contradicts = [ledger.ruled_out(c) for c in suspect.cleared if place > 0 or c.left < c.was / 2]
    return Hypothesis(
        rank=place + 1,
        service=suspect.service,
        instance=found.instance,
        peer=found.peer,
        operation=found.operation,
        type=found.type,
        cause=found.cause,
        score=round(narrowed.score, 4),
        confidence=round(sure, 4),
        parts={m.value: round(suspect.parts[m], 4) for m in Mechanism if suspect.parts.get(m)},
        supports=tuple(supports),
        contradicts=tuple(contradicts),
        affected=tuple(sorted(scene.seen.graph.upstream(suspect.service) & scene.through)),
    )


def _judge_changes(question: Question, scene: _Scene, first: _Narrowed) -> list[changes.Judged]:
    strongest = next((s for s in first.mine if s.kind in DATED), None)
    series = (
        scene.windows.without_known(series_of(strongest, scene.seen.spans))
        if strongest
        else nothing()
    )
    service, graph = first.suspect.service, scene.seen.graph
    # Spans tell the version of who asks, not of who is asked.
    own = next((s for s in first.mine if s.kind in DATED and s.service == service), None)
    start = began(series, scene.onset_us, scene.bin_us)
    hot = next((s for s in first.mine if s.mechanism is Mechanism.RESOURCE), None)
    if hot is not None and first.scope.type is CauseType.RESOURCE:
        start = sampled(start, hot, scene.seen.samples)
    said = (part for s in first.mine for part in (s.operation, s.peer, s.detail) if part)
    blame = changes.Blame(
        service=service,
        cause=first.scope.cause,
        near=graph.callers.get(service, frozenset()) | graph.callees.get(service, frozenset()),
        words=patch.words_of(" ".join((service, *said))),
        start=replace(start, alone=first.scope.instance if first.scope.siblings else None),
        effect=series_of(own, scene.seen.spans) if own else nothing(),
        fails=own is not None and own.kind == "error_origin",
        load=scene.seen.tested.load.get(service, 1.0),
    )
    return changes.judge(scene.changes, blame, scene.seen.spans, question.horizon)


def _blamed(judged: changes.Judged, first: Hypothesis, ledger: Ledger) -> BlamedChange:
    change = judged.change
    return BlamedChange(
        ref=change.ref,
        kind=change.kind,
        target=change.target,
        at=change.at,
        why=judged.why,
        likelihood_ratio=judged.ratio,
        evidence=ledger.change(judged, first.service),
    )


def _innocent(
    judged: list[changes.Judged],
    blamed: changes.Judged | None,
    first: Hypothesis,
    ledger: Ledger,
    *,
    looked: bool,
) -> tuple[InnocentChange, ...]:
    others = [j for j in judged if not j.blamed][:INNOCENT_SHOWN]
    if blamed is None and looked:
        ledger.no_change(first.service, len(judged))
    return tuple(
        InnocentChange(ref=j.change.ref, why=j.why, evidence=ledger.change(j, first.service))
        for j in others
    )


def _nothing(said: Verdict, why: str, ledger: Ledger, gaps: tuple[str, ...]) -> Finding:
    return Finding(
        verdict=said,
        why_verdict=why,
        onset=None,
        hypotheses=(),
        change=None,
        innocent_changes=(),
        ruled_out=(),
        evidence=tuple(ledger.records),
        gaps=gaps,
    )
