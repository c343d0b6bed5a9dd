"""How sure: the share of the best score, what chance alone would have scored, and the verdict.

A fixed threshold on the score does not tell a fault from a quiet quarter of an hour. So the same
tests are run with each baseline bucket in the incident's place, and the incident has to beat them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.domain.hypothesis import Verdict
from assistant.engine.symptom import Symptoms

MIN_SCORE = 0.05
STRIKING_SCORE = 0.5  # a component that shifts so much is not called healthy
CLEAR_SCORE, CLEAR_OF_NULL, USUAL_NULL = (
    0.25,
    1.25,
    0.85,
)  # a shift that stands out although users hardly notice
LIKELY_SCORE, LIKELY_CONFIDENCE = 0.2, 0.83
SHARPNESS, NOTHING, OF_USUAL, OF_CHANCE = 3, 0.05, 0.35, 0.3
LIKELY_COVER, POSSIBLE_COVER = 0.3, 0.2
MIN_REQUESTS = 30
POSSIBLE_P = 0.34
LIKELY_P = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the verdict is decided on; `cover` is the share of bad requests that touch the suspect.

    `stepped` tells whether any signal has a point at which it changed; `behaviour` is the score
    without resources and complaints, which healthy systems shift as well.
    """

    score: float
    behaviour: float
    runner_up: float
    null: tuple[float, ...]
    cover: float | None
    symptoms: Symptoms
    enough_data: bool
    stepped: bool

    @property
    def confidence(self) -> float:
        return self.share(self.score, self.runner_up)

    def share(self, score: float, other: float) -> float:
        """Return how often a hypothesis with such a score, beside such another, was right (0–1).

        The ratio of the scores tells most. Its third power, with a little for what was not thought
        of and for what chance scores here, came closest (measured, docs/diagnosis.md).
        """
        mine, theirs = score**SHARPNESS, other**SHARPNESS
        rest = NOTHING**SHARPNESS + (OF_USUAL * self.usual) ** SHARPNESS
        return float(mine / (mine + theirs + rest)) * (1.0 - OF_CHANCE * self.p)

    @property
    def p(self) -> float:
        """Return how often chance scored as high (add-one estimate)."""
        return (1 + sum(1 for s in self.null if s >= self.score)) / (1 + len(self.null))

    @property
    def usual(self) -> float:
        """Return what chance scores; the highest few are left out, residue of earlier incidents."""
        return self.null[int(USUAL_NULL * (len(self.null) - 1))] if self.null else 0.0

    @property
    def clear(self) -> bool:
        """Tell whether the score stands out from chance by itself, whatever users notice."""
        return self.enough_data and self.apart and self.behaviour >= CLEAR_SCORE

    @property
    def apart(self) -> bool:
        """Tell whether the score is beyond what chance scores here, by more than luck."""
        beaten = self.p <= max(LIKELY_P, 1 / (1 + len(self.null)))
        return bool(self.null) and beaten and self.score > CLEAR_OF_NULL * self.usual


def verdict(standing: Standing) -> tuple[Verdict, str]:
    """Return the verdict and the sentence that justifies it."""
    s = standing
    if s.score < MIN_SCORE:
        if s.enough_data and not s.symptoms.felt:
            return Verdict.HEALTHY, "requests are served as before and no component has shifted"
        return Verdict.NOT_DETERMINED, "nothing that was looked at explains the symptom"
    if not s.symptoms.felt:
        if s.clear:
            return (
                Verdict.POSSIBLE,
                "one component behaves otherwise than it ever did; few requests are worse for it",
            )
        if s.enough_data and s.score < STRIKING_SCORE:
            return (
                Verdict.HEALTHY,
                "small shifts, but no request is slower or fails more than before",
            )
        return (
            Verdict.NOT_DETERMINED,
            "it cannot be told whether users are affected",
        )
    if s.enough_data and not s.stepped and not (s.apart and s.score >= LIKELY_SCORE):
        return (
            Verdict.NOT_DETERMINED,
            "some figures drifted, but none has a moment at which it changed",
        )
    floor = 1 / (1 + len(s.null))
    beaten = s.p <= max(LIKELY_P, floor) and len(s.null) > 0
    if s.behaviour < MIN_SCORE and s.score <= CLEAR_OF_NULL * s.usual:
        return Verdict.NOT_DETERMINED, "only resources moved, and no further than on other days"
    if s.p > max(POSSIBLE_P, floor):
        return Verdict.NOT_DETERMINED, "quiet periods show shifts as large as these"
    if s.cover is not None and s.cover < POSSIBLE_COVER:
        return Verdict.NOT_DETERMINED, "the suspect is on the path of too few of the bad requests"
    sure = s.score >= LIKELY_SCORE and s.confidence >= LIKELY_CONFIDENCE and beaten
    if sure and s.enough_data and (s.cover is None or s.cover >= LIKELY_COVER):
        return Verdict.LIKELY, "one component stands out, beats chance and lies on the bad requests"
    return (
        Verdict.POSSIBLE,
        "the best explanation, but not clearly apart from others or from chance",
    )


def null_scores(scores: Sequence[float]) -> tuple[float, ...]:
    """Return the scores of chance, sorted, so that equal evidence gives equal records."""
    return tuple(sorted(round(s, 6) for s in scores))
