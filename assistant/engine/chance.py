"""What chance scores: the same tests with each quiet bucket in the incident's place.

A fixed threshold on the score does not tell a fault from a quiet quarter of an hour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.engine import explain, fuse, local
from assistant.engine.topology import Topology

USUAL = 0.85  # the highest few are left out, residue of earlier incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What the first suspect of each quiet bucket scored, in rising order.

    `behaviours` leave out resources and complaints, which move on quiet days as well: they must not
    drown a component that does what it never did.
    """

    scores: tuple[float, ...]
    behaviours: tuple[float, ...]

    def p(self, score: float, behaviour: float) -> float:
        """Return how often chance did as much as this (0–1, add-one estimate)."""
        by_score = _as_high(self.scores, score)
        return min(by_score, _as_high(self.behaviours, behaviour)) if behaviour else by_score

    @property
    def least_p(self) -> float:
        """Return the p of what no quiet bucket reached."""
        return 1 / (1 + len(self.scores))


def chance(tables: local.Tables, graph: Topology, buckets: Iterable[int]) -> Chance:
    """Return what is scored where nothing happened, in the buckets that hold anything."""
    firsts = []
    for bucket in sorted(buckets):
        suspects = fuse.ranked(explain.explain(local.run(tables, bucket), graph, {}, {}))
        behaviours = [fuse.behaviour(suspect) for _, suspect in suspects]
        firsts.append((suspects[0][0] if suspects else 0.0, max(behaviours, default=0.0)))
    return Chance(
        scores=tuple(sorted(round(score, 6) for score, _ in firsts)),
        behaviours=tuple(sorted(round(behaviour, 6) for _, behaviour in firsts)),
    )


def usual(values: Sequence[float]) -> float:
    """Return what chance scores as a rule."""
    return values[int(USUAL * (len(values) - 1))] if values else 0.0


def _as_high(values: Sequence[float], value: float) -> float:
    return (1 + sum(v >= value for v in values)) / (1 + len(values))
