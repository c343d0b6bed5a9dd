"""A small incident written by hand: two services, one cause, a change and a suspect cleared."""

from datetime import UTC, datetime, timedelta

from assistant.domain.events import (
    HypothesesRanked,
    Opened,
    PlanProposed,
    ReadFailed,
    ReadPerformed,
    ScopeSet,
)
from assistant.domain.evidence import Evidence, Stance, Subject
from assistant.domain.hypothesis import (
    BlamedChange,
    CauseType,
    Finding,
    Hypothesis,
    InnocentChange,
    RuledOut,
    Verdict,
)
from assistant.domain.incident import apply
from assistant.domain.plan import RemediationPlan, RemediationStep

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def evidence(number, statement, kind="error_origin", service="ledger", **more):
    return Evidence(
        id=f"E{number}",
        kind=kind,
        subject=Subject(service=service),
        stance=more.pop("stance", Stance.FOR),
        statement=statement,
        metric=kind,
        unit="share",
        before=0.0,
        after=0.3,
        n_before=more.pop("n_before", 400),
        n_after=more.pop("n_after", 100),
        strength=0.9,
        **more,
    )


FACTS = (
    evidence(1, "errors begin in ledger POST /book in 0 % → 30 % of its executions"),
    evidence(2, "requests to front POST / fail in 0 % → 29 %", "symptom_errors", "front"),
    evidence(3, "deploy v2 of ledger came 20 s before", "change", n_before=0, n_after=0),
    evidence(4, "front only passes the errors on", "cleared", "front", n_before=0, n_after=0),
    evidence(5, "flag f-7 was touched before the first error", "change", n_before=0, n_after=0),
)


def hypothesis(service="ledger", rank=1, score=0.9, **more):
    fields = {
        "instance": None,
        "peer": None,
        "operation": "POST /book",
        "type": CauseType.CODE,
        "cause": "code_error",
        "confidence": 0.9,
        "parts": {},
        "supports": ("E1",),
        "contradicts": (),
        "affected": (),
    }
    return Hypothesis(service=service, rank=rank, score=score, **{**fields, **more})


BLAMED = BlamedChange(
    ref="v2",
    kind="deploy",
    target="ledger",
    at=NOON - timedelta(seconds=80),
    why="it touched the service that fails, 20 s before",
    likelihood_ratio=12.0,
    evidence="E3",
)


def finding(verdict=Verdict.LIKELY, **more):
    fields = {
        "why_verdict": "the first cause explains the symptom",
        "onset": NOON - timedelta(minutes=1),
        "hypotheses": (hypothesis(), hypothesis("front", 2, 0.1, supports=("E2",))),
        "change": BLAMED,
        "innocent_changes": (InnocentChange(ref="f-7", why="too early", evidence="E5"),),
        "ruled_out": (RuledOut(service="front", reason="passes_on", why=FACTS[3].statement,
                               evidence="E4"),),
        "evidence": FACTS,
        "gaps": ("metrics were not recorded",),
    }  # fmt: skip
    return Finding(verdict=verdict, **{**fields, **more})


PLAN = RemediationPlan(
    runbook="exception-in-new-release",
    title="A new release raises exceptions",
    match=0.71,
    why=("words: errors",),
    steps=(
        RemediationStep(kind="check", text="Compare both versions.", action=None, args=(),
                        command="kubectl get pods"),
        RemediationStep(kind="action", text="Roll ledger back.", action="rollback",
                        args=(("service", "ledger"),), command=None),
    ),
)  # fmt: skip


def incident(found=None, plan=None):
    """Return the incident as its events fold to it."""
    events = [
        Opened(at=NOON, text="booking fails", service="front"),
        ScopeSet(start=NOON - timedelta(minutes=75), end=NOON),
        ReadPerformed(source="store", capability="spans", rows=500, seconds=0.4, complete=True,
                      query="all", link=None),
        ReadFailed(source="store", capability="logs", seconds=1.0, reason="The store is down."),
        HypothesesRanked(finding=found or finding(), seconds=0.2),
    ]  # fmt: skip
    if plan is not None:
        events.append(PlanProposed(plan=plan, seconds=0.1))
    state = None
    for event in events:
        state = apply(state, event)
    return state


def grown(*events, state=None):
    """Return what these events make of an incident, of this one if no other is given."""
    state = state or incident(plan=PLAN)
    for event in events:
        state = apply(state, event)
    return state
