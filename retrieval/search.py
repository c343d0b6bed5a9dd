"""Ranking: how two lists of scores become one answer, or none. Pure.

BM25 over the page and cosine over its best chunk are each stretched to 0 to 1 and added. Scores are
fused, not ranks: rank fusion throws away the margin by which BM25 prefers its first page (measured
on alert → runbook pages, where it was worse than BM25 alone). A page that carries a label of the
query is raised by a bounded amount. What is stretched to 1 says nothing about whether there is an
answer at all, so `strength` looks at the absolute values, and a query without a strong page gets
no page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CANDIDATES = 100  # pages of each kind; measured better than all pages
CHUNK_CANDIDATES = 400  # chunks looked at to find that many pages
FINALISTS = 30  # whose text and labels are looked at
MEANING_SHARE = 0.35
PIN_LABELS = frozenset({"alertname", "fault"})  # an exact match is a lookup, not a search
PIN_BOOST = 2.0
LABEL_BOOSTS: Mapping[str, float] = MappingProxyType(
    {"service": 0.15, "cause": 1.0, "component": 0.10, "environment": 0.05}
)
OTHER_LABEL_BOOST = 0.05
LARGEST_BOOST = 1.15

COVERAGE_SHARE = 0.3
WEAKEST_ANSWER = 0.34

Labels = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The chunk of a page that is nearest in meaning (`similarity` is a cosine)."""

    name: str | None
    similarity: float


def fuse(words: Mapping[str, float], meaning: Mapping[str, float]) -> dict[str, float]:
    """Join two score lists by page id into 0 to 1; a page that a list lacks has its lowest score.

    With one list empty the other decides alone.
    """
    # A list of words that was not cut ends where nothing matches, at zero; cosines have no zero.
    cut = len(words) >= CANDIDATES
    by_words = _stretch(words, low=min(words.values()) if cut else 0.0)
    by_meaning = _stretch(meaning, low=min(meaning.values(), default=0.0))
    if not meaning or not words:
        return by_words or by_meaning
    share = MEANING_SHARE
    return {
        page: (1 - share) * by_words.get(page, 0.0) + share * by_meaning.get(page, 0.0)
        for page in by_words.keys() | by_meaning.keys()
    }


def _stretch(scores: Mapping[str, float], *, low: float) -> dict[str, float]:
    high = max(scores.values(), default=0.0)
    if high <= low:
        return dict.fromkeys(scores, 1.0)
    return {page: (score - low) / (high - low) for page, score in scores.items()}


def shared_labels(wanted: Labels, carried: Labels) -> tuple[tuple[str, str], ...]:
    """The (label, value) pairs that both have, in a fixed order."""
    return tuple(
        (key, value)
        for key in sorted(wanted)
        for value in sorted(set(wanted[key]) & set(carried.get(key, ())))
    )


def boost(shared: tuple[tuple[str, str], ...]) -> float:
    """How far shared labels raise a page; each label counts once, a pinning one pins it."""
    keys = {key for key, _ in shared}
    raised = sum(LABEL_BOOSTS.get(key, OTHER_LABEL_BOOST) for key in keys - PIN_LABELS)
    return min(LARGEST_BOOST, raised) + (PIN_BOOST if keys & PIN_LABELS else 0.0)


def strength(coverage: float, similarity: float | None) -> float:
    """How far (0 to 1) a page answers a query by itself, whatever the other pages are.

    `coverage` is the share of the query's terms that the page has, `similarity` the cosine of its
    nearest chunk, null without an encoder. A long page has many words of any sentence, so meaning
    counts more. Set on two development sets and the shipped runbooks so that off-topic sentences
    stay below `WEAKEST_ANSWER` and alerts above it.
    """
    if similarity is None:
        return coverage
    return min(1.0, max(0.0, COVERAGE_SHARE * coverage + similarity))


def explain(
    words: tuple[str, ...], section: Section | None, shared: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    """Say in words why a page was found."""
    why = [f"same {key}: {value}" for key, value in shared]
    if words:
        why.append("words: " + ", ".join(words[:8]))
    if section is not None:
        where = f"section “{section.name}”" if section.name else "the page"
        why.append(f"meaning: {where} is {section.similarity:.2f} similar")
    return tuple(why)
