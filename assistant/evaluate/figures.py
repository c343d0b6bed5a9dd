"""From outcomes to the figures of `firstline bench diagnosis`; pure."""

import resource
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from assistant.domain.hypothesis import NAMED, Verdict
from assistant.evaluate.diagnosis import Outcome

BINS = 5
Figures = dict[str, float | int | None]


def figures(outcomes: Sequence[Outcome], abstained: tuple[int, int]) -> Figures:
    """Return the figures; one that the data cannot give is null."""
    ranks = [rank(o) for o in outcomes]
    hits = [float(r == 1) for r in ranks]
    sure = [o.finding.hypotheses[0].confidence if o.finding.hypotheses else 0.0 for o in outcomes]
    likely = [
        r == 1 for o, r in zip(outcomes, ranks, strict=True) if o.finding.verdict is Verdict.LIKELY
    ]
    seconds = [o.seconds for o in outcomes]
    quiet, asked = abstained
    return {
        "cases": len(outcomes),
        "live": sum(o.live for o in outcomes),
        "ac1": _mean(hits),
        "ac3": _mean([float(r <= 3) for r in ranks]),  # noqa: PLR2004 — the figure's own name
        "ac5": _mean([float(r <= 5) for r in ranks]),  # noqa: PLR2004 — the figure's own name
        "mrr": _mean([1.0 / r for r in ranks]),
        "type_accuracy": _share(outcomes, _type_right),
        "change_accuracy": _share(outcomes, _change_right),
        "decoys": _blamed_decoys(outcomes),
        "affected_f1": _share(outcomes, _affected),
        "brier": _mean([(c - h) ** 2 for c, h in zip(sure, hits, strict=True)]),
        "brier_constant": _mean([(float(np.mean(hits)) - h) ** 2 for h in hits]) if hits else None,
        "ece": _calibration(sure, hits),
        "precision_likely": _mean([float(v) for v in likely]),
        "coverage_likely": len(likely) / len(outcomes) if outcomes else None,
        "abstention": quiet / asked if asked else None,
        "abstention_windows": asked,
        "kept": _mean([float(o.finding.verdict in NAMED) for o in outcomes]),
        "chance_ac1": _mean([1.0 / o.candidates for o in outcomes]),
        "seconds_p50": float(np.quantile(seconds, 0.5)) if seconds else None,
        "seconds_p95": float(np.quantile(seconds, 0.95)) if seconds else None,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def by(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> dict[str, Figures]:
    """Return the figures of each group."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[key(outcome)].append(outcome)
    return {name: figures(group, (0, 0)) for name, group in sorted(groups.items())}


def rank(outcome: Outcome) -> float:
    """Return the place of the true service; equal scores count as their mean place."""
    hypotheses = outcome.finding.hypotheses
    true = next((h for h in hypotheses if h.service == outcome.case.truth.get("service")), None)
    if true is None:
        return float(outcome.candidates + 1)
    better = sum(h.score > true.score for h in hypotheses)
    equal = sum(h.score == true.score for h in hypotheses)
    return better + (equal + 1) / 2


def _type_right(outcome: Outcome) -> float | None:
    wanted = outcome.case.truth.get("type")
    if not wanted or not outcome.finding.hypotheses:
        return None if not wanted else 0.0
    return float(outcome.finding.hypotheses[0].type.value == wanted)


def _change_right(outcome: Outcome) -> float | None:
    if "change" not in outcome.case.truth:
        return None
    said = outcome.finding.change.ref if outcome.finding.change else None
    return float(said == outcome.case.truth["change"])


def _blamed_decoys(outcomes: Sequence[Outcome]) -> int | None:
    told = [o for o in outcomes if isinstance(o.case.truth.get("decoys"), list)]
    if not told:
        return None
    return sum(
        o.finding.change is not None and o.finding.change.ref in _names(o, "decoys") for o in told
    )


def _affected(outcome: Outcome) -> float | None:
    wanted = set(_names(outcome, "affected"))
    if not wanted or not outcome.finding.hypotheses:
        return 0.0 if wanted else None
    said = set(outcome.finding.hypotheses[0].affected)
    shared = len(wanted & said)
    return 2 * shared / (len(wanted) + len(said)) if shared else 0.0


def _names(outcome: Outcome, key: str) -> list[str]:
    value = outcome.case.truth.get(key)
    return [str(v) for v in value] if isinstance(value, list) else []


def _share(outcomes: Sequence[Outcome], judge: Callable[[Outcome], float | None]) -> float | None:
    return _mean([v for o in outcomes if (v := judge(o)) is not None])


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _calibration(sure: Sequence[float], hits: Sequence[float]) -> float | None:
    """Return the expected calibration error over five equal bins."""
    if not sure:
        return None
    said, true = np.asarray(sure), np.asarray(hits)
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(said[bins == b].mean() - true[bins == b].mean())) * float((bins == b).mean())
        for b in range(BINS)
        if (bins == b).any()
    ]
    return float(sum(gaps))
