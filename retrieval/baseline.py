"""Plain rankings to be measured against: textbook BM25 and TF-IDF over title and text."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log, sqrt

from retrieval.api import Document
from retrieval.evaluate import DEPTH, Rank
from retrieval.lexical import terms, without_front_matter

Postings = dict[str, list[tuple[int, float]]]


def bm25(documents: Sequence[Document], *, k1: float = 1.2, b: float = 0.75) -> Rank:
    """Okapi BM25 with the collection's own mean length."""
    counts = _counts(documents)
    mean = sum(c.total() for c in counts) / max(1, len(counts))
    postings: Postings = defaultdict(list)
    for number, count in enumerate(counts):
        norm = k1 * (1 - b + b * count.total() / mean)
        for term, times in count.items():
            postings[term].append((number, times * (k1 + 1) / (times + norm)))
    held = len(counts)
    idf = {t: log(1 + (held - len(p) + 0.5) / (len(p) + 0.5)) for t, p in postings.items()}
    return _rank(documents, postings, idf)


def tfidf(documents: Sequence[Document]) -> Rank:
    """Cosine of TF-IDF vectors with smoothed inverse document frequency."""
    counts = _counts(documents)
    frequency = Counter(term for count in counts for term in count)
    idf = {term: log((1 + len(counts)) / (1 + n)) + 1 for term, n in frequency.items()}
    postings: Postings = defaultdict(list)
    for number, count in enumerate(counts):
        weights = {term: times * idf[term] for term, times in count.items()}
        length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for term, weight in weights.items():
            postings[term].append((number, weight / length))
    return _rank(documents, postings, idf)


def _counts(documents: Sequence[Document]) -> list[Counter[str]]:
    return [Counter(terms(f"{d.title}\n{without_front_matter(d.text)}")) for d in documents]


def _rank(documents: Sequence[Document], postings: Postings, idf: dict[str, float]) -> Rank:
    def rank(text: str) -> list[str]:
        scores: dict[int, float] = defaultdict(float)
        for term, times in Counter(terms(text)).items():
            for number, weight in postings.get(term, []):
                scores[number] += times * idf[term] * weight
        ordered = sorted(scores, key=lambda number: (-scores[number], documents[number].id))
        return [documents[number].id for number in ordered[:DEPTH]]

    return rank
