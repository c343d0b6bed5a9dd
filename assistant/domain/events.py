"""Everything that can happen to an incident, in the words of the past.

The state of an incident is a fold of these (`assistant.domain.incident`).
"""

from dataclasses import dataclass
from datetime import datetime

from assistant.domain.hypothesis import Finding
from assistant.domain.plan import RemediationPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Somebody, or an alert, asked."""

    at: datetime
    text: str
    service: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeSet:
    """The window that is looked at (its end is the horizon of the answer)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPerformed:
    """A source answered one ask: `rows` in `seconds`; `query` is what was really asked."""

    source: str
    capability: str
    rows: int
    seconds: float
    complete: bool
    query: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailed:
    """A source did not answer: it was not looked at."""

    source: str
    capability: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesesRanked:
    """The engine's answer, with its evidence."""

    finding: Finding
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProposed:
    """A runbook fits; these are its steps for this incident."""

    plan: RemediationPlan
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFailed:
    """Runbooks could not be looked up."""

    reason: str


Event = (
    Opened | ScopeSet | ReadPerformed | ReadFailed | HypothesesRanked | PlanProposed | RecallFailed
)
