"""The straight line of a diagnosis: clean, find when, compare, explain away, narrow, judge, cite.

Deterministic: the same frames and question give the same `Finding`, whatever the order of rows.
"""

from dataclasses import dataclass, replace

import polars as pl

from assistant.domain.evidence import Stance
from assistant.domain.hypothesis import (
    BlamedChange,
    Finding,
    Hypothesis,
    InnocentChange,
    RuledOut,
    Verdict,
)
from assistant.engine import changes, confidence, errors, explain, fuse, local, onset
from assistant.engine.evidence import Ledger
from assistant.engine.explain import Cleared, Suspect
from assistant.engine.normalise import normalise
from assistant.engine.question import Question, Telemetry
from assistant.engine.scope import Scope, scope
from assistant.engine.shift import Mechanism, Shift
from assistant.engine.symptom import Symptoms, symptoms
from assistant.engine.templates import with_templates
from assistant.engine.topology import Topology, topology
from assistant.engine.windows import INCIDENT, Windows, cut, from_us, to_us
from assistant.engine.wording import cleared as cleared_sentence

LOOK_BACK_US = 15 * 60 * 1_000_000
BASELINE_US = 60 * 60 * 1_000_000
LONGEST_INCIDENT_US = 10 * 60 * 1_000_000
MIN_GUARD_US, MAX_GUARD_US = 2_000_000, 30_000_000
SYMPTOMS_SHOWN, RANKED_SHOWN, CITED, CLEARED_SHOWN, INNOCENT_SHOWN = 3, 5, 6, 4, 6
MIN_REQUESTS, MIN_BAD = 30, 10
TOP_SHARE = 0.2  # of the best score: what is below is not worth a line


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Everything that the later steps look at."""

    spans: pl.DataFrame
    windows: Windows
    onset_us: int
    bin_us: int
    stepped: bool
    graph: Topology
    tested: local.Tested
    ranked: list[tuple[float, Suspect]]
    null: tuple[float, ...]
    symptoms: Symptoms
    gaps: tuple[str, ...]


def diagnose(telemetry: Telemetry, question: Question) -> Finding:
    """Return what the telemetry says about the question. Raises nothing for any frame content."""
    scene = _look(telemetry, question)
    ledger = Ledger(scene.spans)
    for shift in scene.symptoms.shifts[:SYMPTOMS_SHOWN]:
        ledger.shift(shift, Stance.CONTEXT)
    ledger.told(question)
    said, why = confidence.verdict(_standing(scene))
    if said in (Verdict.HEALTHY, Verdict.NOT_DETERMINED) and not scene.ranked:
        return _nothing(said, why, ledger, _gaps(telemetry, scene))
    narrowed = [_narrow(s, scene) for _, s in scene.ranked[:RANKED_SHOWN]]
    judged = _judge_changes(telemetry, question, scene, narrowed[0])
    explained = said in (Verdict.LIKELY, Verdict.POSSIBLE)
    hypotheses = tuple(_hypothesis(i, scene, narrowed[i], ledger) for i in range(len(narrowed)))
    blamed = next((j for j in judged if j.blamed and explained), None)
    return Finding(
        verdict=said,
        why_verdict=why,
        onset=from_us(scene.onset_us) if scene.stepped else None,
        hypotheses=hypotheses,
        change=_blamed(blamed, hypotheses[0], ledger) if blamed else None,
        innocent_changes=_innocent(judged, blamed, hypotheses[0], ledger) if explained else (),
        ruled_out=_ruled_out(scene, question, ledger),
        evidence=tuple(ledger.records),
        gaps=_gaps(telemetry, scene),
    )


def _look(telemetry: Telemetry, question: Question) -> _Scene:
    traces = normalise(telemetry.spans)
    logs = with_templates(_stamped(telemetry.logs))
    metrics = _stamped(telemetry.metrics)
    windows, found = _windows(traces.spans, logs, metrics, question)
    spans = _bucketed_spans(traces.spans, windows)
    graph = topology(spans, telemetry.edges)
    samples = _bucketed(metrics, windows)
    tables = local.build(spans, _bucketed(logs, windows), samples, windows)
    tested = local.run(tables)
    passed = errors.passed_on(spans, INCIDENT)
    suspects = fuse.ranked(explain.explain(tested, graph, passed))
    ranked = [r for r in suspects if r[0] > 0 and r[1].service not in question.ruled_out]
    return _Scene(
        spans=spans,
        windows=windows,
        onset_us=found.us if found.us is not None else windows.incident[0],
        bin_us=found.bin_us,
        stepped=found.stepped,
        graph=graph,
        tested=tested,
        ranked=ranked,
        null=_null(tables, graph, windows),
        symptoms=symptoms(spans, samples, tested.lines),
        gaps=traces.gaps,
    )


def _stamped(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `us`; text columns may come as categories."""
    text = [n for n, t in frame.schema.items() if t in (pl.Categorical, pl.String)]
    stamped = frame.with_columns(
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
    starts = spans.group_by("trace_id").agg(pl.col("us").min())
    placed = _bucketed(starts, windows).select("trace_id", "bucket")
    ids = spans.select("trace_id").join(placed, on="trace_id", how="left", maintain_order="left")
    return spans.with_columns(ids.get_column("bucket"))


def _windows(
    spans: pl.DataFrame, logs: pl.DataFrame, metrics: pl.DataFrame, question: Question
) -> tuple[Windows, onset.Onset]:
    starts = spans.group_by("trace_id").agg(pl.col("us").min()).get_column("us")
    seen = pl.concat([starts, logs.get_column("us"), metrics.get_column("us")])
    end = to_us(question.horizon)
    first = int(seen.min() or end) if seen.len() else end  # type: ignore[arg-type]
    known = [w for w in question.known_incidents if w.end < question.at]
    if question.onset is not None:
        begin = to_us(question.onset)
        until = to_us(question.until) if question.until is not None else end
        last = int(seen.max() or end) + 1 if seen.len() else end  # type: ignore[arg-type]
        windows = cut(
            starts, incident=(begin, until), baseline=(first, last), known=question.known_incidents
        )
        return windows, onset.Onset(begin, 5_000_000, begin, stepped=True)
    back = max(first, to_us(question.at) - LOOK_BACK_US)
    quiet = spans
    for window in known:
        quiet = quiet.filter(
            (pl.col("us") < to_us(window.start)) | (pl.col("us") >= to_us(window.end))
        )
    found = onset.detect(quiet, logs, metrics, back, end)
    guard = min(MAX_GUARD_US, max(MIN_GUARD_US, 2 * found.bin_us))
    begin = found.us if found.us is not None else max(back, end - max(4 * guard, (end - back) // 4))
    incident = (min(begin + guard // 2, end), min(end, begin + LONGEST_INCIDENT_US))
    # Where signals differ about the moment, what lies between them is neither before nor during.
    quiet_until = max(begin - MAX_GUARD_US, min(begin, found.earliest_us or begin)) - guard
    baseline = (max(first, begin - guard - BASELINE_US), quiet_until)
    return cut(starts, incident=incident, baseline=baseline, known=known), found


def _null(tables: local.Tables, graph: Topology, windows: Windows) -> tuple[float, ...]:
    scores = []
    for bucket in range(windows.buckets):
        ranked = fuse.ranked(explain.explain(local.run(tables, bucket), graph, {}))
        scores.append(ranked[0][0] if ranked else 0.0)
    return confidence.null_scores(scores)


def _standing(scene: _Scene) -> confidence.Standing:
    top = [score for score, _ in scene.ranked[:2]] + [0.0, 0.0]
    return confidence.Standing(
        score=top[0],
        runner_up=top[1],
        null=scene.null,
        cover=_cover(scene),
        symptoms=scene.symptoms,
        stepped=scene.stepped,
        enough_data=scene.symptoms.requests >= MIN_REQUESTS and scene.windows.buckets > 0,
    )


def _cover(scene: _Scene) -> float | None:
    """Return the share of bad requests that touch the first suspect; null where few were bad."""
    if not scene.ranked or len(scene.symptoms.traces) < MIN_BAD:
        return None
    name = scene.ranked[0][1].service
    touching = scene.spans.filter(
        (pl.col("bucket") == INCIDENT) & ((pl.col("service") == name) | (pl.col("callee") == name))
    )
    bad = scene.symptoms.traces
    return len(bad.intersection(touching.get_column("trace_id").to_list())) / len(bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Narrowed:
    suspect: Suspect
    score: float
    mine: tuple[Shift, ...]
    scope: Scope


def _narrow(suspect: Suspect, scene: _Scene) -> _Narrowed:
    mine = [s for s in scene.tested.all if suspect.service in (s.service, s.peer)]
    mine.sort(
        key=lambda s: -fuse.WEIGHTS[s.mechanism] * s.strength * suspect.parts.get(s.mechanism, 0)
    )
    score = next(score for score, s in scene.ranked if s is suspect)
    return _Narrowed(
        suspect=suspect,
        score=score,
        mine=tuple(mine),
        scope=scope(
            suspect, mine, scene.spans, visible=suspect.service in scene.graph.instrumented
        ),
    )


def _hypothesis(place: int, scene: _Scene, narrowed: _Narrowed, ledger: Ledger) -> Hypothesis:
    suspect, found = narrowed.suspect, narrowed.scope
    second = scene.ranked[1][0] if len(scene.ranked) > 1 else 0.0
    against = narrowed.score + (second if place == 0 else scene.ranked[0][0])
    speaking = [s for s in narrowed.mine if suspect.parts.get(s.mechanism, 0.0) > 0][:CITED]
    supports = [ledger.shift(s, Stance.FOR) for s in speaking]
    if found.instance and found.siblings and place == 0:
        supports.append(ledger.contrast(suspect.service, found))
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
        confidence=round(narrowed.score / against if against else 0.0, 4),
        parts={m.value: round(suspect.parts[m], 4) for m in Mechanism if suspect.parts.get(m)},
        supports=tuple(supports),
        contradicts=tuple(contradicts),
        affected=_affected(suspect.service, scene),
    )


def _affected(service: str, scene: _Scene) -> tuple[str, ...]:
    """Return the callers, direct or not, that bad requests went through on their way to it."""
    bad = list(scene.symptoms.traces)
    through = scene.spans.filter(pl.col("trace_id").is_in(bad)).get_column("service").unique()
    return tuple(sorted(scene.graph.upstream(service).intersection(through.to_list())))


def _judge_changes(
    telemetry: Telemetry, question: Question, scene: _Scene, first: _Narrowed
) -> list[changes.Judged]:
    strongest = next((s for s in first.mine if s.kind in changes.DATED), None)
    series = (
        changes.series_of(strongest, scene.spans)
        if strongest
        else pl.DataFrame(schema={"us": pl.Int64, "value": pl.Float64})
    )
    service = first.suspect.service
    graph = scene.graph
    near = graph.callers.get(service, frozenset()) | graph.callees.get(service, frozenset())
    return changes.judge(
        tuple(c for c in telemetry.changes if c.ref not in question.ignored),
        service=service,
        near=near,
        start=replace(
            changes.began(series, scene.onset_us, scene.bin_us),
            alone=first.scope.instance if first.scope.siblings else None,
        ),
        spans=scene.spans,
        horizon=question.horizon,
    )


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
    judged: list[changes.Judged], blamed: changes.Judged | None, first: Hypothesis, ledger: Ledger
) -> tuple[InnocentChange, ...]:
    others = [j for j in judged if j is not blamed][:INNOCENT_SHOWN]
    if blamed is None:
        ledger.no_change(first.service, len(judged))
    return tuple(
        InnocentChange(ref=j.change.ref, why=j.why, evidence=ledger.change(j, first.service))
        for j in others
    )


def _ruled_out(scene: _Scene, question: Question, ledger: Ledger) -> tuple[RuledOut, ...]:
    """Say who was suspected and cleared; always the runner-up, and the alerted service."""
    top_score, top = scene.ranked[0]
    records = [c for _, s in scene.ranked for c in s.cleared if c.service != top.service]
    told = {r.service for r in records}
    for score, suspect in scene.ranked[1:2]:
        if suspect.service not in told and score >= TOP_SHARE * top_score:
            records.append(Cleared(suspect.service, "weaker", top.service, top_score, score))
    alerted = question.service
    if alerted and alerted not in {top.service, *told} and alerted in scene.graph.components:
        records.append(Cleared(alerted, "symptom_only", top.service, top_score, 0.0))
    records.sort(key=lambda r: (-r.was, r.service))
    return tuple(
        RuledOut(
            service=r.service,
            reason=r.reason,
            why=cleared_sentence(r),
            evidence=ledger.ruled_out(r),
        )
        for r in records[:CLEARED_SHOWN]
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


def _gaps(telemetry: Telemetry, scene: _Scene) -> tuple[str, ...]:
    gaps = [*telemetry.gaps, *scene.gaps]
    if scene.symptoms.requests < MIN_REQUESTS:
        gaps.append(f"only {scene.symptoms.requests} requests were seen since the onset")
    if telemetry.changes_seen is False:
        gaps.append("changes were not looked at: no source of changes answered")
    services = set(scene.spans.get_column("service").unique().to_list())
    silent = services - set(telemetry.logs.get_column("service").cast(pl.String).unique().to_list())
    if services and silent and len(silent) < len(services):
        gaps.append("no log lines from " + ", ".join(sorted(silent)[:SYMPTOMS_SHOWN]))
    return tuple(dict.fromkeys(gaps))
