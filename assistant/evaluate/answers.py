"""What others than the engine answer to a case, and their figures: the peers of one run; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from connectors.recording import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a rule or a method said about one case.

    `places` are services in groups, the best first; those in one group are tied. It is empty where
    nothing was answered, and null where services are never named. `change` (a ref; null for "no
    change is at fault") counts only where changes are judged at all. `seconds` is its time.
    """

    places: tuple[tuple[str, ...], ...] | None
    judges_changes: bool = False
    change: str | None = None
    seconds: float = 0.0

    @property
    def answered(self) -> bool:
        return bool(self.places) or (self.places is None and self.judges_changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer beside its case; `candidates` is how many services there are to choose from."""

    case: Case
    candidates: int
    answer: Answer


def place(answer: Answer, service: object, candidates: int) -> float:
    """Return the place of `service`; a tie counts as its mean place, the unnamed come last."""
    before = 0
    for group in answer.places or ():
        if service in group:
            return before + (len(group) + 1) / 2
        before += len(group)
    return float(candidates + 1)


def peer_figures(judged: Sequence[Judged]) -> dict[str, float | int | None]:
    """Return a peer's figures; one that it cannot give is null.

    `cases` is how many it answered. A case without an answer counts as one in which the true
    service was not named; a peer without any answer has no rank.
    """
    answered = [j for j in judged if j.answer.answered]
    ranks = [
        place(j.answer, j.case.truth.get("service"), j.candidates)
        for j in (judged if any(j.answer.places for j in judged) else ())
    ]
    return {
        "cases": len(answered),
        "ac1": _mean([float(r == 1) for r in ranks]),
        "ac3": _mean([float(r <= 3) for r in ranks]),  # noqa: PLR2004 — the figure's own name
        "ac5": _mean([float(r <= 5) for r in ranks]),  # noqa: PLR2004 — the figure's own name
        "mrr": _mean([1.0 / r for r in ranks]),
        "change_accuracy": _mean(
            [
                float(j.answer.change == j.case.truth["change"])
                for j in judged
                if j.answer.judges_changes and "change" in j.case.truth
            ]
        ),
        "decoys": _blamed_decoys(judged),
        "seconds_p50": float(np.median([j.answer.seconds for j in answered])) if answered else None,
    }


def tied(scores: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """Return the services in groups of equal score, the highest first."""
    return tuple(
        tuple(sorted(name for name, score in scores.items() if score == level))
        for level in sorted(set(scores.values()), reverse=True)
    )


def _blamed_decoys(judged: Sequence[Judged]) -> int | None:
    told = [
        (j.answer.change, decoys)
        for j in judged
        if j.answer.judges_changes and isinstance(decoys := j.case.truth.get("decoys"), list)
    ]
    return sum(change is not None and change in decoys for change, decoys in told) if told else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
