"""From what each mechanism says to one score: noisy-OR.

Each mechanism is nearly perfect for its own class of faults and blind outside it: averaging ranks
lets the blind outvote the one that sees, noisy-OR lets one good witness suffice.
"""

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


def fused(suspect: Suspect) -> float:
    """Return 1 − Π (1 − weight · strength), 0–1."""
    doubt = 1.0
    for mechanism, strength in suspect.parts.items():
        doubt *= 1.0 - WEIGHTS[mechanism] * min(1.0, strength)
    return 1.0 - doubt


def ranked(suspects: list[Suspect]) -> list[tuple[float, Suspect]]:
    """Return suspects by falling score, equal ones by name: the order is always the same."""
    scored = [(round(fused(s), 6), s) for s in suspects]
    return sorted(scored, key=lambda item: (-item[0], item[1].service))
