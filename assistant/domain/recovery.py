"""Did it help: the same evidence, measured again after an action."""

from dataclasses import dataclass
from enum import StrEnum

SINCE = "seen since the finding"  # where a measure has no evidence to cite


class Effect(StrEnum):
    """What the figures say after an action."""

    RECOVERED = "recovered"
    IMPROVED = "improved"  # better, and not as before
    NO_EFFECT = "no_effect"
    WORSE = "worse"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure three times, in `unit`: before the incident, during it, after the action.

    `evidence` is the record of the finding that said it first, null where it showed only since
    then; `n_after` counts the observations after the action. A value is null where nothing was
    observed.
    """

    evidence: str | None
    what: str
    unit: str
    before: float | None
    during: float | None
    after: float | None
    n_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The judgement, its reason in a sentence, and the figures behind it."""

    effect: Effect
    why: str
    measures: tuple[Measure, ...]
    seconds: float  # from the end of the action to the judgement
