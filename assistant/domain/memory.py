"""What earlier incidents teach: the similar one, the postmortem, the runbook made from it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarIncident:
    """An earlier incident that was like this one.

    `score` is 0–1; `same` and `differed` say in sentences what agreed and what did not. `runbook`
    was made from it, `action` is what resolved it, `seconds` is how long that took from the alert.
    """

    incident: str
    title: str
    at: datetime
    score: float
    same: tuple[str, ...]
    differed: tuple[str, ...]
    action: str | None
    runbook: str | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A runbook made from a postmortem. `provenance` gives, for each step, journal record numbers.

    It is used only after a person has accepted exactly this `digest`.
    """

    runbook: str
    markdown: str
    digest: str
    provenance: tuple[tuple[int, ...], ...]
