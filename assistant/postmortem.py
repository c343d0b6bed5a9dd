"""The account of an incident, made from its journal records alone.

The same records give the same bytes, and each line of the timeline names its record. What was said
by people or read from telemetry is made plain first: it cannot become a link, a heading, a table
cell or a call to somebody.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from assistant.domain.action import Status, Tracked
from assistant.domain.events import HypothesesRanked
from assistant.domain.evidence import Evidence
from assistant.domain.hypothesis import NAMED, Finding, Hypothesis, Verdict
from assistant.domain.incident import Incident
from assistant.domain.record import Record
from assistant.domain.recovery import SINCE, Measure
from assistant.engine.recovery import MIN_REQUESTS, MIN_SAMPLES, WHAT
from assistant.engine.wording import cause_sentence, number

DIGEST_SHOWN = 12
UNKNOWN = "not observed"

_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MARKUP = re.compile(r"([\\`*\[\]<>|~]|(?<!\w)[@_]|_(?!\w)|!(?=\[)|(?<=:)/(?=/)|&(?=#?\w+;))")
_WWW = re.compile(r"\b(www)\.", re.IGNORECASE)
# At the start of a line these open a list, a heading or a rule.
_OPENING = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[+#=:-](?!\d)))")

# A line of the timeline. What was said cannot look like one: `plain` escapes its brackets.
_MOMENT = re.compile(r"- (?P<text>.+) \[#(?P<seq>\d+)\]")

Tell = Callable[[Record], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure three times, as a person reads it."""

    what: str
    before: str
    during: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One request and what became of it."""

    summary: str
    call: str
    requested_by: str
    approvals: tuple[str, ...]
    digest: str
    outcome: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the timeline."""

    at: str
    text: str
    seq: int


def postmortem(incident: str, records: Sequence[Record], state: Incident, tell: Tell) -> str:
    """Return the postmortem in Markdown. `state` is the fold of `records`; `tell` words one."""
    finding = state.finding
    by_id = {e.id: e for e in finding.evidence} if finding else {}
    first = _cause(finding)
    return _template().render(
        incident=incident,
        title=_cause_words(first) if first else state.opened.text,
        summary=tuple(_summary(state, first)),
        impact=tuple(_cited(e) for e in by_id.values() if e.kind.startswith("symptom_")),
        times=tuple(_times(records, state)),
        cause=_cause_words(first) if first else None,
        why=tuple(_why(finding, first, by_id)) if finding and first else (),
        why_verdict=finding.why_verdict if finding else None,
        ruled_out=[f"{r.why} ({r.evidence})" for r in finding.ruled_out] if finding else [],
        innocent=[_cited(by_id[c.evidence]) for c in finding.innocent_changes] if finding else [],
        actions=tuple(_act(tracked) for tracked in state.requests.values()),
        timeline=tuple(
            Moment(at=f"{r.at:%Y-%m-%d %H:%M:%S}", text=tell(r), seq=r.seq) for r in records
        ),
        gaps=state.gaps,
        questions=tuple(_questions(state, first)),
    )


def timeline(markdown: str) -> tuple[tuple[int, str], ...]:
    """Return the timeline of a postmortem: each record's number, and its line in Markdown."""
    found = (_MOMENT.fullmatch(line) for line in markdown.split("\n"))
    return tuple((int(line["seq"]), line["text"]) for line in found if line is not None)


def without(markdown: str, seqs: Collection[int]) -> str:
    """Return a postmortem without the timeline's lines of some records."""
    lines = markdown.split("\n")
    found = ((line, _MOMENT.fullmatch(line)) for line in lines)
    kept = [line for line, moment in found if moment is None or int(moment["seq"]) not in seqs]
    return "\n".join(kept)


def plain(text: object) -> str:
    """Return a text as one line in which nothing is Markdown."""
    line = _MARKUP.sub(r"\\\1", _BREAKS.sub(" ", str(text)).strip())
    return _WWW.sub(r"\1\\.", _OPENING.sub(r"\1\\", line))


@lru_cache(maxsize=1)
def _template() -> Template:
    # Markdown, not HTML; `finalize` makes everything plain that is not the template's own text.
    environment = Environment(  # noqa: S701
        loader=PackageLoader("assistant"), undefined=StrictUndefined, finalize=plain
    )
    return environment.get_template("postmortem.md.j2")


def _cause(finding: Finding | None) -> Hypothesis | None:
    if finding is None or finding.verdict not in NAMED:
        return None
    return finding.hypotheses[0] if finding.hypotheses else None


def _cause_words(first: Hypothesis) -> str:
    return cause_sentence(first.cause, first.service, first.instance, first.peer)


def _cited(evidence: Evidence) -> str:
    return f"{evidence.statement} ({evidence.id})"


def _summary(state: Incident, first: Hypothesis | None) -> Iterator[str]:
    opened, finding, resolved = state.opened, state.finding, state.resolved_by
    yield f"What: {opened.text}" + (f" (seen in {opened.service})" if opened.service else "")
    began = (finding.onset if finding else None) or opened.at
    ended = _recovered(resolved) or (state.closed.at if state.closed else None)
    lasted = f" to {ended:%Y-%m-%d %H:%M:%S} UTC, {_seconds(began, ended)} s" if ended else ""
    yield f"When: from {began:%Y-%m-%d %H:%M:%S}{lasted}"
    if finding and first:
        ids = ", ".join(first.supports)
        yield f"Cause ({finding.verdict.value}): {_cause_words(first)} ({ids})"
    for correction in state.corrections[-1:]:
        yield f"Corrected by {correction.by.name}: {correction.told}"
    if finding and finding.change:
        change = finding.change
        yield f"Change: {change.kind} {change.ref}: {change.why} ({change.evidence})"
    if resolved is None:
        yield "No action is known to have ended it."
        return
    yes = ", ".join(a.by.name for a in resolved.approvals) or "nobody, as it needs no approval"
    asked = resolved.request.requested_by.name
    yield f"Ended by: {resolved.request.summary} Requested by {asked}, approved by {yes}"
    for measure in resolved.recovery.measures if resolved.recovery else ():
        figure = _figure(measure)
        told = f"{figure.before} before, {figure.during} during, {figure.after} after"
        if shows_recovery(measure):
            yield f"Recovered: {figure.what}: {told}"
        else:
            n = measure.n_after
            yield f"Too little was seen to tell of {figure.what} ({n} since the action): {told}"


def _recovered(resolved: Tracked | None) -> datetime | None:
    """Return when the figures were seen to be as before."""
    if resolved is None or resolved.finished is None or resolved.recovery is None:
        return None
    return resolved.finished + timedelta(seconds=resolved.recovery.seconds)


def _times(records: Sequence[Record], state: Incident) -> Iterator[tuple[str, float | str]]:
    """Yield each step with its seconds after the alert, or after the question about the past."""
    opened, finding, resolved = state.opened, state.finding, state.resolved_by
    start = opened.at if opened.horizon is None else records[0].at
    ranked = [r.at for r in records if isinstance(r.event, HypothesesRanked)]
    steps = {
        "The first hypothesis was there": ranked[0] if ranked else None,
        "The action was approved": _approved(resolved),
        "The action was finished": resolved.finished if resolved else None,
        "The figures were as before": _recovered(resolved),
    }
    if finding and finding.onset:
        yield "The trouble had begun", _seconds(opened.at, finding.onset)
    for name, at in steps.items():
        yield name, "never" if at is None else _seconds(start, at)


def _approved(resolved: Tracked | None) -> datetime | None:
    return resolved.approvals[-1].at if resolved and resolved.approvals else None


def _seconds(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds(), 1)


def _why(finding: Finding, first: Hypothesis, by_id: Mapping[str, Evidence]) -> Iterator[str]:
    for evidence in first.supports:
        yield _cited(by_id[evidence])
    if finding.change:
        yield _cited(by_id[finding.change.evidence])
    for evidence in first.contradicts:
        yield f"Against it: {_cited(by_id[evidence])}"


def _act(tracked: Tracked) -> Act:
    request = tracked.request
    args = " ".join(f"{name}={value}" for name, value in request.args)
    outcome = [tracked.status.value, tracked.outcome, tracked.why]
    if tracked.recovery:
        outcome += [tracked.recovery.effect.value.replace("_", " "), tracked.recovery.why]
    return Act(
        summary=request.summary,
        call=f"{request.action} {args}",
        requested_by=f"{request.requested_by.name}: {request.reason}",
        approvals=tuple(f"{a.by.name} at {a.at:%H:%M:%S}" for a in tracked.approvals),
        digest=request.digest[:DIGEST_SHOWN],
        outcome="; ".join(part for part in outcome if part),
        figures=_figures(tracked),
    )


def shows_recovery(measure: Measure) -> bool:
    """Tell whether a figure after an action that helped was seen often enough to say so.

    An action may have helped by the other figures; what the judgement left out is not claimed.
    """
    requests = measure.what.startswith(tuple(WHAT.values()))
    before, during, after = measure.before, measure.during, measure.after
    known = before is not None and during is not None and after is not None and after <= during
    return known and measure.n_after >= (MIN_REQUESTS if requests else MIN_SAMPLES)


def _figures(tracked: Tracked) -> tuple[Figure, ...]:
    return tuple(_figure(m) for m in tracked.recovery.measures) if tracked.recovery else ()


def _figure(measure: Measure) -> Figure:
    told = [
        UNKNOWN if value is None else number(value, measure.unit)
        for value in (measure.before, measure.during, measure.after)
    ]
    what = f"{measure.what} ({measure.evidence or SINCE})"
    return Figure(what=what, before=told[0], during=told[1], after=told[2])


def _questions(state: Incident, first: Hypothesis | None) -> Iterator[str]:
    """Yield what nobody knows: most of all where no action ended it."""
    for tracked in state.requests.values():
        if tracked.status is Status.UNKNOWN:
            yield f"Was it done? {tracked.request.summary}"
    if state.resolved_by is not None:
        return
    yield "Is it over, and what ended it? No measurement shows it."
    if first is None:
        yield "What was the cause?"
    elif state.finding and state.finding.verdict is Verdict.POSSIBLE:
        yield f"Was this the cause? {state.finding.why_verdict}"
    sounding = len(state.fingerprints - state.silent)
    if sounding:
        yield f"Alerts that were not reported as resolved: {sounding}"
