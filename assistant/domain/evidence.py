"""A measured fact with everything that is needed to check it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Stance(StrEnum):
    """What a fact does to the hypothesis that cites it."""

    FOR = "for"
    AGAINST = "against"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the fact is about; the service is always known, the rest where it was measured."""

    service: str
    operation: str | None = None
    instance: str | None = None
    peer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One fact: `before` and `after` in `unit`, over `n_before` and `n_after` observations.

    `strength` is 0–1. `statement` is a sentence made from the other fields. `exemplars` are at most
    three trace ids or (redacted) log lines. Ids are E1, E2, … in order of their weight.
    """

    id: str
    kind: str
    subject: Subject
    stance: Stance
    statement: str
    metric: str
    unit: str
    before: float | None
    after: float | None
    n_before: int
    n_after: int
    strength: float
    first_seen: datetime | None = None
    exemplars: tuple[str, ...] = ()
    source: str = ""
