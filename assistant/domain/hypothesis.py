"""What the engine concludes: ranked causes, the change that explains them, and what it denies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from assistant.domain.evidence import Evidence


class Verdict(StrEnum):
    """How sure the answer is; the last two are answers as well."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    NOT_DETERMINED = "not_determined"
    HEALTHY = "healthy"


NAMED = (Verdict.LIKELY, Verdict.POSSIBLE)  # those that name a cause


class CauseType(StrEnum):
    """The three families that a responder treats differently."""

    RESOURCE = "resource"
    NETWORK = "network"
    CODE = "code"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One candidate cause.

    `cause` is a slug of `runbooks.model.CAUSES`; `score` the fused score and `confidence` its share
    of the two best, both 0–1; `parts` what each mechanism gave; `supports` and `contradicts` are
    evidence ids; `affected` the services that only pass the symptom on.
    """

    rank: int
    service: str
    instance: str | None
    peer: str | None
    operation: str | None
    type: CauseType
    cause: str
    score: float
    confidence: float
    parts: Mapping[str, float]
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]
    affected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlamedChange:
    """The change that explains the first hypothesis."""

    ref: str
    kind: str
    target: str | None
    at: datetime
    why: str
    likelihood_ratio: float
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InnocentChange:
    """A change near the onset that does not explain it, and why not."""

    ref: str
    why: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOut:
    """A suspect that the evidence clears: `reason` is a code, `why` a sentence."""

    service: str
    reason: str
    why: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The whole answer to one question; the same evidence gives the same bytes."""

    verdict: Verdict
    why_verdict: str
    onset: datetime | None
    hypotheses: tuple[Hypothesis, ...]
    change: BlamedChange | None
    innocent_changes: tuple[InnocentChange, ...]
    ruled_out: tuple[RuledOut, ...]
    evidence: tuple[Evidence, ...]
    gaps: tuple[str, ...]

    @property
    def components(self) -> frozenset[str]:
        """Return every component that is named somewhere in it."""
        named = {e.subject.service for e in self.evidence}
        for hypothesis in self.hypotheses:
            named |= {hypothesis.service, *hypothesis.affected}
        return frozenset(named)
