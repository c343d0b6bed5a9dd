"""How sure: how the first stands beside the others and beside chance, and the verdict.

The incident has to beat what the same tests say of quiet times.
"""

from dataclasses import dataclass
from math import exp, log

from assistant.domain.hypothesis import Verdict
from assistant.engine.chance import Chance, usual
from assistant.engine.symptom import Symptoms

MIN_SCORE = 0.05
STRIKING_SCORE = 0.5  # a component that shifts so much is not called healthy
CLEAR_SCORE, CLEAR_OF_NULL = 0.2, 1.25  # it stands out although users hardly notice
MOVED_SCORE = 0.1  # what only machines show moves on quiet days as well
LIKELY_SCORE, LIKELY_CONFIDENCE = 0.2, 0.85
MOST_OF_LITTLE = 0.8  # the confidence where hardly a request was traced, or others than before
AT_ALL, OF_SCORE, OF_RUNNER_UP, OF_BEHAVIOUR, OF_COVER = -1.5, 2.0, 1.6, 2.9, 1.8  # log odds
LITTLE, TYPICAL_COVER, NOT_THOUGHT_OF = 0.02, 0.6, 0.05
LIKELY_COVER, POSSIBLE_COVER = 0.3, 0.2
POSSIBLE_P = 0.34
LIKELY_P, LEAST_QUIET = 0.15, 4  # of fewer quiet buckets, beating all may be luck


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the verdict is decided on; `cover` is the share of bad requests that touch the suspect.

    `others` is the sum of all scores but the first. `stepped` tells whether any signal has a point
    at which it changed. `behaviour` is the score without resources and complaints, which healthy
    systems shift as well. `blind` tells whether spans are missing, or nothing was seen of who was
    asked about; `resampled` whether traces were sampled otherwise before.
    """

    score: float
    behaviour: float
    runner_up: float
    others: float
    chance: Chance
    cover: float | None
    symptoms: Symptoms
    enough_data: bool
    stepped: bool
    blind: bool = False
    resampled: bool = False

    @property
    def confidence(self) -> float:
        """Return how often a first hypothesis that stood like this was right (0–1).

        A logistic model: it speaks for the first that it scores high, that it does what it never
        did, and that the bad requests meet it; a strong runner-up speaks against it. Fitted on
        generated systems that no other figure of the project is from (docs/diagnosis.md). Those
        are traced: where hardly a request is, or others than before are, it is never sure.
        """
        limited = self.resampled or not self.enough_data
        return min(self.by_standing, MOST_OF_LITTLE) if limited else self.by_standing

    @property
    def by_standing(self) -> float:
        """Return the confidence, whatever the amount of data (0–1)."""
        met = TYPICAL_COVER if self.cover is None else self.cover
        odds = (
            AT_ALL
            + OF_SCORE * log(self.score + LITTLE)
            - OF_RUNNER_UP * log(self.runner_up + LITTLE)
            + OF_BEHAVIOUR * self.behaviour
            + OF_COVER * met
        )
        return 1.0 / (1.0 + exp(-odds))

    def share(self, score: float) -> float:
        """Return the confidence of another hypothesis: its part of what the first leaves (0–1)."""
        rest = (1.0 - self.confidence) * score / (self.others + NOT_THOUGHT_OF)
        return min(rest, self.confidence)

    @property
    def p(self) -> float:
        """Return how often chance scored as high (add-one estimate)."""
        return self.chance.p(self.score, self.behaviour)

    @property
    def beaten(self) -> bool:
        """Tell whether chance hardly ever does as much."""
        enough = len(self.chance.scores) >= LEAST_QUIET
        return enough and self.p <= max(LIKELY_P, self.chance.least_p)

    @property
    def usual(self) -> float:
        """Return what chance scores here as a rule."""
        return usual(self.chance.scores)

    @property
    def clear(self) -> bool:
        """Tell whether the score stands out from chance by itself, whatever users notice."""
        return self.apart and self.behaviour >= CLEAR_SCORE

    @property
    def moved(self) -> bool:
        """Tell whether something shifted for certain, although nobody can say when it began."""
        return self.apart and (self.score >= LIKELY_SCORE or self.behaviour >= MOVED_SCORE)

    @property
    def apart(self) -> bool:
        """Tell whether the score is beyond what chance scores here, by more than luck."""
        odd = self.behaviour > max(MIN_SCORE, CLEAR_OF_NULL * usual(self.chance.behaviours))
        return self.beaten and (odd or self.score > CLEAR_OF_NULL * self.usual)


def verdict(standing: Standing) -> tuple[Verdict, str]:
    """Return the verdict and the sentence that justifies it."""
    said, why = _by_what_was_seen(standing)
    if said is Verdict.HEALTHY and standing.blind:
        return Verdict.NOT_DETERMINED, "what was seen is as before, but not all was seen"
    return said, why


def _by_what_was_seen(standing: Standing) -> tuple[Verdict, str]:
    s = standing
    if s.symptoms.stopped and not s.symptoms.felt and not s.clear:
        return Verdict.NOT_DETERMINED, "some requests are not sent any more, and nothing tells why"
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
    if s.enough_data and not s.stepped and not s.moved:
        return (
            Verdict.NOT_DETERMINED,
            "some figures drifted, but none has a moment at which it changed",
        )
    if s.behaviour < MIN_SCORE and s.score <= CLEAR_OF_NULL * s.usual:
        return Verdict.NOT_DETERMINED, "only resources moved, and no further than on other days"
    if s.p > max(POSSIBLE_P, s.chance.least_p):
        return Verdict.NOT_DETERMINED, "quiet periods show shifts as large as these"
    if s.cover is not None and s.cover < POSSIBLE_COVER and not s.clear:
        return Verdict.NOT_DETERMINED, "the suspect is on the path of too few of the bad requests"
    return _named(s)


def _named(standing: Standing) -> tuple[Verdict, str]:
    s = standing
    sure = s.score >= LIKELY_SCORE and s.by_standing >= LIKELY_CONFIDENCE and s.beaten
    if sure and (s.cover is None or s.cover >= LIKELY_COVER):
        if s.resampled:
            return (
                Verdict.POSSIBLE,
                "one component stands out, but traces are sampled otherwise than before",
            )
        if s.enough_data:
            stands = "one component stands out, beats chance and lies on the bad requests"
            return Verdict.LIKELY, stands
        return (
            Verdict.POSSIBLE,
            "one component stands out, but too few requests were traced to be sure",
        )
    return (
        Verdict.POSSIBLE,
        "the best explanation, but not clearly apart from others or from chance",
    )
