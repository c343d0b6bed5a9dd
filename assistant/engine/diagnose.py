"""The straight line of a diagnosis: clean, find when, compare, explain away, narrow, judge, cite.

Deterministic: the same frames and question give the same `Finding`, whatever the order of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from assistant.domain.evidence import Stance
from assistant.domain.hypothesis import (
    NAMED,
    BlamedChange,
    CauseType,
    Finding,
    Hypothesis,
    InnocentChange,
    Verdict,
)
from assistant.engine import changes, confidence, errors, fuse, gaps, patch, when
from assistant.engine.arrival import arrived
from assistant.engine.chance import Chance, chance
from assistant.engine.compare import Compared, Frames, cleaned, compare, explained, quiet
from assistant.engine.evidence import Ledger, ruled_out
from assistant.engine.examples import Seen
from assistant.engine.explain import Suspect
from assistant.engine.ids import SpanIds
from assistant.engine.normalise import Traces, normalise
from assistant.engine.question import Question, Telemetry
from assistant.engine.sampling import resampled
from assistant.engine.scope import Scope, scope
from assistant.engine.shift import Mechanism, Shift
from assistant.engine.start import DATED, began, nothing, sampled, series_of
from assistant.engine.symptom import Symptoms, met, symptoms, through
from assistant.engine.templates import left_out
from assistant.engine.windows import INCIDENT, Windows, from_us
from connectors.api import Change

SYMPTOMS_SHOWN, RANKED_SHOWN, CITED, INNOCENT_SHOWN = 3, 5, 6, 6
MIN_BAD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Everything that the later steps look at; `through` are the services of bad requests."""

    seen: Compared
    windows: Windows
    onset_us: int
    bin_us: int
    stepped: bool
    chance: Chance
    symptoms: Symptoms
    covers: Mapping[str, float]
    through: frozenset[str]
    blind: bool
    resampled: bool
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
    named = said in NAMED
    hypotheses = tuple(_hypothesis(i, scene, narrowed[i], ledger) for i in range(len(narrowed)))
    blamed = next((j for j in judged if j.blamed and named), None)
    return Finding(
        verdict=said,
        why_verdict=why,
        onset=from_us(scene.onset_us) if scene.stepped else None,
        hypotheses=hypotheses,
        change=_blamed(blamed, hypotheses[0], ledger) if blamed else None,
        innocent_changes=_innocent(
            judged, blamed, hypotheses[0], ledger, looked=telemetry.changes_seen
        )
        if named
        else (),
        ruled_out=ruled_out(scene.seen.ranked, question, scene.seen.graph.components, ledger),
        evidence=tuple(ledger.records),
        gaps=(*scene.gaps, *gaps.not_told_apart(judged, blamed)),
    )


def _during(seen: Compared) -> Seen:
    now = pl.col("bucket") == INCIDENT
    return Seen(*(frame.filter(now) for frame in (seen.spans, seen.logs, seen.samples)))


def _look(telemetry: Telemetry, question: Question) -> _Scene:
    traces = normalise(telemetry.spans)
    late = arrived(telemetry, question, traces.spans)
    if late is not None:
        telemetry, question = late.telemetry, late.question
        traces = Traces(late.spans, SpanIds.of(late.spans), (*traces.gaps, late.gap))
    frames = cleaned(telemetry, traces, question)
    times = when.timeline(frames.spans, frames.logs, frames.metrics, question)
    seen = partial(_scene, frames, telemetry, traces.gaps)
    at = when.given(times, question)
    if at is not None:
        return seen(at)
    at = when.detected(frames.spans, frames.logs, frames.metrics, times, question)
    at = when.refined(at, times, question, lambda w: explained(compare(frames, w)))
    near = seen(at)
    if _said(near) in NAMED:
        return near
    at = when.older(frames.spans, frames.logs, frames.metrics, times, question, than=at)
    return near if at is None else _worse_since(seen(at), near)


def _worse_since(far: _Scene, near: _Scene) -> _Scene:
    """Return what explains more: a look at what began long ago, or the usual one.

    What has been worse for long is like what lies just before it, and still is not healthy.
    """
    if not far.symptoms.felt:
        return near
    if _said(far) in NAMED:
        return far
    if _said(near) is not Verdict.HEALTHY:
        return near
    since = f"requests have been worse since about {from_us(far.onset_us):%H:%M} UTC"
    return replace(far, gaps=(*far.gaps, f"{since}, and nothing that was looked at tells why"))


def _scene(
    frames: Frames, telemetry: Telemetry, repaired: Sequence[str], at: when.Moments
) -> _Scene:
    seen, found = compare(frames, at.windows), at.found
    felt = symptoms(seen.spans, seen.samples, seen.tested.lines)
    named = [suspect.service for _, suspect in seen.ranked]
    lost = (*repaired, *left_out(seen.logs), *errors.unread(seen.logs, INCIDENT))
    absent = gaps.absent(frames.alerted, telemetry, seen.graph.components)
    otherwise = resampled(telemetry.spans, at.windows)
    covers = met(seen.spans, felt.traces, named) if len(felt.traces) >= MIN_BAD else {}
    return _Scene(
        seen=replace(seen, ranked=fuse.on_the_way(seen.ranked, covers)),
        covers=covers,
        windows=at.windows,
        onset_us=found.us if found.us is not None else at.windows.incident[0],
        bin_us=found.bin_us,
        stepped=found.stepped,
        chance=chance(seen.tables, seen.graph, quiet(seen)),
        symptoms=felt,
        through=through(seen.spans, felt.traces),
        blind=absent is not None or not telemetry.spans_whole,
        changes=frames.changes,
        gaps=gaps.gaps(telemetry, lost, seen.spans, felt, absent=absent, resampled=otherwise),
        resampled=otherwise,
    )


def _said(scene: _Scene) -> Verdict:
    return confidence.verdict(_standing(scene))[0]


def _standing(scene: _Scene) -> confidence.Standing:
    top = [score for score, _ in scene.seen.ranked[:2]] + [0.0, 0.0]
    return confidence.Standing(
        score=top[0],
        behaviour=fuse.behaviour(scene.seen.ranked[0][1]) if scene.seen.ranked else 0.0,
        runner_up=max(top[1], scene.seen.unnamed),
        others=sum(score for score, _ in scene.seen.ranked[1:]) + scene.seen.unnamed,
        chance=scene.chance,
        cover=scene.covers.get(scene.seen.ranked[0][1].service) if scene.seen.ranked else None,
        symptoms=scene.symptoms,
        stepped=scene.stepped,
        blind=scene.blind,
        resampled=scene.resampled,
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
