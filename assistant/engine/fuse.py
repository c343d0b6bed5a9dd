"""From what each mechanism says to one score: noisy-OR.

Each mechanism is nearly perfect for its own class of faults and blind outside it: averaging ranks
lets the blind outvote the one that sees, noisy-OR lets one good witness suffice.
"""

import math
from collections.abc import Mapping

from assistant.engine.explain import Suspect
from assistant.engine.shift import Mechanism

WEIGHTS: Mapping[Mechanism, float] = {
    Mechanism.LATENCY: 0.9,
    Mechanism.CONTROL: 0.9,
    Mechanism.ERROR: 0.9,
    Mechanism.RESOURCE: 0.7,
    Mechanism.LOG: 0.3,
}
ALERTED = 1.1  # odds
ON_THE_WAY, ASIDE = 0.2, 0.05  # of the bad requests: who is met by fewer explains them less


def fused(suspect: Suspect) -> float:
    """Return 1 − Π (1 − weight · strength), 0–1."""
    doubt = 1.0
    for mechanism, strength in suspect.parts.items():
        doubt *= 1.0 - WEIGHTS[mechanism] * min(1.0, strength)
    return 1.0 - doubt


def behaviour(suspect: Suspect) -> float:
    """Return the score of what a component does, without what it runs on and complains about."""
    aside = (Mechanism.RESOURCE, Mechanism.LOG)
    parts = {m: v for m, v in suspect.parts.items() if m not in aside}
    return fused(Suspect(suspect.service, parts))


def ranked(suspects: list[Suspect], alerted: str | None = None) -> list[tuple[float, Suspect]]:
    """Return suspects by falling score, equal ones by name: the order is always the same.

    That a monitor named a component says little, and decides between equals: it shows a symptom.
    """
    scored = []
    for suspect in suspects:
        score = fused(suspect)
        if suspect.service == alerted and score > 0:
            odds = ALERTED * score / (1.0 - score) if score < 1.0 else math.inf
            score = odds / (1.0 + odds) if odds < math.inf else 1.0
        scored.append((round(score, 6), suspect))
    return sorted(scored, key=lambda item: (-item[0], item[1].service))


def on_the_way(
    scored: list[tuple[float, Suspect]], covers: Mapping[str, float]
) -> list[tuple[float, Suspect]]:
    """Return suspects again, less of a score for those whom hardly any bad request meets.

    `covers` is the share of bad requests that touch a component, where it is known.
    """
    weighed = []
    for score, suspect in scored:
        met = max(ASIDE, covers.get(suspect.service, 1.0))
        weighed.append((round(score * min(1.0, met / ON_THE_WAY), 6), suspect))
    return sorted(weighed, key=lambda item: (-item[0], item[1].service))
