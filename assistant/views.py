"""An incident as a surface-neutral view: the parts of a card, in the order in which they are read.

Every line that claims something carries the ids of the evidence behind it; one that has none is not
made. Surfaces decide on colour and layout, never on content.
"""

from dataclasses import dataclass
from datetime import datetime

from assistant.button import Button
from assistant.commands import (
    AskCause,
    Close,
    GoOn,
    Reopen,
    RequestStep,
    SeeEvidence,
    SeePlan,
    Stop,
)
from assistant.domain.action import Status
from assistant.domain.events import ReadFailed
from assistant.domain.evidence import Evidence
from assistant.domain.hypothesis import NAMED, Finding, Hypothesis, Verdict
from assistant.domain.incident import Incident
from assistant.engine.wording import cause_sentence

VERDICT_WORDS = {
    Verdict.LIKELY: "Likely",
    Verdict.POSSIBLE: "Possible",
    Verdict.NOT_DETERMINED: "Not determined",
    Verdict.HEALTHY: "Looks healthy",
}
WHY_SHOWN, OTHERS_SHOWN, INNOCENT_SHOWN = 5, 2, 3
OTHERS_SHARE = 0.2
REQUESTS_SHOWN = 2  # more of them are in the plan, each beside what it would do
# A step that was asked for is offered again only where nothing came of it.
NOTHING_CAME_OF_IT = (Status.DENIED, Status.EXPIRED, Status.STALE, Status.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sentence and the evidence that it rests on."""

    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the plan: `kind` check, action, verify or rollback."""

    kind: str
    text: str
    command: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source: what it gave, or that it was not looked at; `link` is where a person sees it."""

    ok: bool
    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The card before there is an answer: what was asked, and who was looked at so far."""

    name: str
    title: str
    state: str
    since: datetime
    sources: tuple[Source, ...]
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The card. Sections that are empty are not shown.

    `name` is the incident's id, `state` says in words where it stands, `since` is its onset.
    """

    name: str
    title: str
    state: str
    since: datetime
    verdict: Verdict
    verdict_text: str
    headline: Line
    change: Line | None
    symptom: tuple[Line, ...]
    why: tuple[Line, ...]
    others: tuple[Line, ...]
    against: tuple[Line, ...]
    ruled_out: tuple[Line, ...]
    innocent: tuple[Line, ...]
    could_not_see: tuple[str, ...]
    plan_title: str | None
    steps: tuple[Step, ...]
    sources: tuple[Source, ...]
    footer: str
    buttons: tuple[Button, ...]


def progress(incident: Incident, name: str = "") -> Progress:
    """Return the card of an incident that is being looked at."""
    return Progress(
        name=name,
        title=incident.opened.text,
        state=state(incident),
        since=incident.opened.at,
        sources=_sources(incident),
        buttons=_endings(incident, name),
    )


def view(incident: Incident, name: str = "", offered: frozenset[str] = frozenset()) -> View:
    """Return the card of an investigated incident; `offered` are the actions that exist."""
    finding = incident.finding
    if finding is None:
        raise ValueError("the incident was not investigated yet")
    by_id = {e.id: e for e in finding.evidence}
    told = finding.verdict in NAMED
    first = finding.hypotheses[0] if finding.hypotheses else None
    confidence = f" ({first.confidence:.2f})" if told and first is not None else ""
    plan = incident.plan
    return View(
        name=name,
        title=incident.opened.text,
        state=state(incident),
        since=finding.onset or incident.opened.at,
        verdict=finding.verdict,
        verdict_text=VERDICT_WORDS[finding.verdict] + confidence,
        headline=_headline(finding, incident.steering.since),
        change=_change(finding) if told else None,
        symptom=_symptom(finding),
        why=_why(first, by_id) if told and first is not None else (),
        others=_others(finding),
        against=_lines(first.contradicts, by_id) if told and first is not None else (),
        ruled_out=tuple(Line(text=r.why, evidence=(r.evidence,)) for r in finding.ruled_out)
        if told
        else (),
        innocent=tuple(
            Line(text=by_id[c.evidence].statement, evidence=(c.evidence,))
            for c in finding.innocent_changes[:INNOCENT_SHOWN]
        ),
        could_not_see=incident.gaps,
        plan_title=None
        if plan is None
        else f"{plan.title} — {plan.runbook} (match {plan.match:.2f})",
        steps=()
        if plan is None
        else tuple(Step(kind=s.kind, text=s.text, command=s.command) for s in plan.steps),
        sources=_sources(incident),
        footer=_footer(incident),
        buttons=(
            *requests(incident, name, offered)[:REQUESTS_SHOWN],
            *_endings(incident, name),
            *_looks(incident, name),
        ),
    )


def state(incident: Incident) -> str:
    """Say where the incident stands."""
    if incident.merged_into is not None:
        return f"merged into {incident.merged_into}, and followed there"
    if incident.closed is not None:
        return f"closed by {incident.closed.by.name}: {incident.closed.reason}"
    if incident.stopped is not None:
        return f"stopped by {incident.stopped.by.name}"
    if incident.finding is None:
        return "looking"
    if incident.asked_anew:
        return "looking again, with what was said"
    if incident.resolved_by is not None:
        return "recovered"
    if ended(incident):
        return "the alert has ended"
    return "open"


def ended(incident: Incident) -> bool:
    """Tell whether every monitor that had raised it is content again."""
    return bool(incident.fingerprints) and incident.fingerprints <= incident.silent


def requests(incident: Incident, name: str, offered: frozenset[str]) -> tuple[Button, ...]:
    """Return a button for each step that can be asked for; taking back is offered elsewhere."""
    if incident.plan is None or not incident.open:
        return ()
    asked = {
        t.request.step for t in incident.requests.values() if t.status not in NOTHING_CAME_OF_IT
    }
    return tuple(
        Button(label=f"Request: {step.text}", command=RequestStep(incident=name, step=number))
        for number, step in enumerate(incident.plan.steps)
        if step.ready and step.action in offered and step.kind != "rollback" and number not in asked
    )


def _looks(incident: Incident, name: str) -> tuple[Button, ...]:
    """Return what opens more than a card holds."""
    evidence = Button(label="Evidence", command=SeeEvidence(incident=name))
    plan = Button(label="Review plan", command=SeePlan(incident=name))
    named = incident.finding is not None and incident.finding.verdict in NAMED
    label = "Wrong cause" if named else "Tell the cause"
    cause = Button(label=label, command=AskCause(incident=name))
    return (evidence, plan, cause) if incident.plan else (evidence, cause)


def _endings(incident: Incident, name: str) -> tuple[Button, ...]:
    if incident.closed is not None:
        return (Button(label="Reopen", command=Reopen(incident=name)),)
    if incident.stopped is not None:
        return (Button(label="Go on", command=GoOn(incident=name)),)
    if incident.open and (incident.finding is None or incident.asked_anew):
        return (Button(label="Stop", command=Stop(incident=name)),)
    if incident.open and (incident.resolved_by is not None or ended(incident)):
        return (
            Button(
                label="Close and write the postmortem",
                command=Close(incident=name),
                style="primary",
            ),
        )
    return ()


def _headline(finding: Finding, told: datetime | None) -> Line:
    """Say the answer; for the two verdicts without a cause, why there is none.

    `told` is since when somebody said that it is so: that was looked at, and nothing else.
    """
    if finding.verdict in NAMED:
        first = finding.hypotheses[0]
        since = f", since {finding.onset:%H:%M:%S} UTC" if finding.onset else ""
        return Line(text=f"{_cause(first)}{since}", evidence=first.supports[:2])
    since = f" Looked at since {told:%H:%M:%S} UTC on {told:%Y-%m-%d}, as was said." if told else ""
    return Line(text=f"{finding.why_verdict}{since}")


def _cause(hypothesis: Hypothesis) -> str:
    h = hypothesis
    return cause_sentence(h.cause, h.service, h.instance, h.peer)


def _change(finding: Finding) -> Line:
    change = finding.change
    if change is not None:
        of = f" of {change.target}" if change.target else ""
        text = f"{change.kind} {change.ref}{of} at {change.at:%H:%M:%S}: {change.why}"
        return Line(text=text, evidence=(change.evidence,))
    none = [e for e in finding.evidence if e.kind == "no_change"]
    if none:
        return Line(text=none[0].statement, evidence=(none[0].id,))
    return Line(text="changes were not looked at")


def _others(finding: Finding) -> tuple[Line, ...]:
    """Return what else it may be: near enough to the best, and not cleared."""
    if not finding.hypotheses:
        return ()
    told = finding.verdict in NAMED
    rest = finding.hypotheses[1:] if told else finding.hypotheses
    cleared = {r.service for r in finding.ruled_out}
    near = OTHERS_SHARE * finding.hypotheses[0].score
    kept = [h for h in rest if h.supports and h.score >= near and h.service not in cleared]
    return tuple(Line(text=_cause(h), evidence=h.supports[:1]) for h in kept[:OTHERS_SHOWN])


def _symptom(finding: Finding) -> tuple[Line, ...]:
    felt = [e for e in finding.evidence if e.kind.startswith("symptom_")]
    return tuple(Line(text=e.statement, evidence=(e.id,)) for e in felt[:2])


def _why(first: Hypothesis, by_id: dict[str, Evidence]) -> tuple[Line, ...]:
    return _lines(first.supports[:WHY_SHOWN], by_id)


def _lines(ids: tuple[str, ...], by_id: dict[str, Evidence]) -> tuple[Line, ...]:
    return tuple(Line(text=_counted(by_id[i]), evidence=(i,)) for i in ids)


def _counted(evidence: Evidence) -> str:
    if evidence.n_after:
        return f"{evidence.statement} (n {evidence.n_before} → {evidence.n_after})"
    return evidence.statement


def _sources(incident: Incident) -> tuple[Source, ...]:
    out = []
    for read in incident.reads:
        name = f"{read.capability} ({read.source})"
        if isinstance(read, ReadFailed):
            out.append(Source(ok=False, text=f"{name} not looked at: {read.reason}"))
        else:
            cut = "" if read.complete else ", cut"
            out.append(
                Source(
                    ok=True,
                    text=f"{name} {read.rows} rows in {read.seconds:.1f} s{cut}",
                    link=read.link,
                )
            )
    return tuple(out)


def _footer(incident: Incident) -> str:
    # All sources are asked at once.
    spent = max((r.seconds for r in incident.reads), default=0.0) + incident.analysis_seconds
    spent += incident.recall_seconds
    looked = len(incident.finding.evidence) if incident.finding else 0
    return f"{looked} evidence records · 0 tokens · {spent:.1f} s"
