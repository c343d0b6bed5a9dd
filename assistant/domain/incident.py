"""The state of an incident: a pure fold of its events."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from assistant.domain.events import (
    Event,
    HypothesesRanked,
    Opened,
    PlanProposed,
    ReadFailed,
    ReadPerformed,
    RecallFailed,
    ScopeSet,
)
from assistant.domain.hypothesis import Finding
from assistant.domain.plan import RemediationPlan


class IllegalEvent(Exception):
    """An event that cannot follow the ones before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is known so far. `finding` and `plan` are null until they are there."""

    opened: Opened
    window: tuple[datetime, datetime] | None = None
    reads: tuple[ReadPerformed | ReadFailed, ...] = ()
    finding: Finding | None = None
    analysis_seconds: float = 0.0
    plan: RemediationPlan | None = None
    recall_seconds: float = 0.0
    recall_failure: str | None = None

    @property
    def gaps(self) -> tuple[str, ...]:
        """Return, as sentences, everything that could not be seen."""
        failed = [
            f"{r.source} {r.capability} were not looked at: {r.reason}"
            for r in self.reads
            if isinstance(r, ReadFailed)
        ]
        if self.recall_failure:
            failed.append(f"runbooks were not looked at: {self.recall_failure}")
        return tuple(dict.fromkeys([*(self.finding.gaps if self.finding else ()), *failed]))


def apply(state: Incident | None, event: Event) -> Incident:
    """Return the state after an event; raises `IllegalEvent` instead of guessing."""
    if isinstance(event, Opened):
        if state is not None:
            raise IllegalEvent("an incident is opened once")
        return Incident(opened=event)
    if state is None:
        raise IllegalEvent("an incident begins with being opened")
    match event:
        case ScopeSet():
            return replace(state, window=(event.start, event.end))
        case ReadPerformed() | ReadFailed():
            return replace(state, reads=(*state.reads, event))
        case HypothesesRanked():
            _check_citations(event.finding)
            return replace(state, finding=event.finding, analysis_seconds=event.seconds)
        case PlanProposed():
            if state.finding is None or not state.finding.hypotheses:
                raise IllegalEvent("a plan needs a hypothesis")
            return replace(state, plan=event.plan, recall_seconds=event.seconds)
        case RecallFailed():
            return replace(state, recall_failure=event.reason)
        case _:
            assert_never(event)


def _check_citations(finding: Finding) -> None:
    """Refuse a finding that cites evidence which is not in it."""
    known = {e.id for e in finding.evidence}
    cited = [i for h in finding.hypotheses for i in (*h.supports, *h.contradicts)]
    cited += [r.evidence for r in finding.ruled_out] + [
        c.evidence for c in finding.innocent_changes
    ]
    if finding.change is not None:
        cited.append(finding.change.evidence)
    unknown = sorted(set(cited) - known)
    if unknown:
        raise IllegalEvent(f"a hypothesis cites unknown evidence: {', '.join(unknown)}")
