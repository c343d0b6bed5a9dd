"""How well a ranking finds the right page: pure measuring, for the benchmark and the tests."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from statistics import fmean

from retrieval.api import Document, Index, Query, RetrievalError

DEPTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledQuery:
    """What a person asked, and the ids of the pages that answer it; empty where none does."""

    text: str
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Means over the queries that have a page; null where there is nothing to take a mean of.

    `macro_…` are means over target pages of the mean over each page's queries, so that a page that
    most queries look for does not decide alone. `no_answer_rate` is the share of the queries
    without a page that rightly got none. Times in milliseconds.
    """

    queries: int
    docs: int
    hit1: float | None
    hit3: float | None
    hit5: float | None
    mrr10: float | None
    ndcg10: float | None
    macro_hit1: float | None
    macro_hit5: float | None
    macro_mrr10: float | None
    query_p50_ms: float | None
    query_p95_ms: float | None
    no_answer_rate: float | None


Rank = Callable[[str], Sequence[str]]


def rank_with(index: Index, collection: str) -> Rank:
    """The ids of the first ten pages that an index finds for a text."""

    def rank(text: str) -> list[str]:
        found = index.search(Query(text=text, collection=collection, limit=DEPTH))
        return [match.document.id for match in found]

    return rank


def measure(
    rank: Rank, queries: Sequence[LabelledQuery], *, docs: int, clock: Callable[[], float]
) -> Figures:
    """Ask every query and score the answers; `clock` gives seconds (`time.perf_counter`)."""
    milliseconds: list[float] = []
    scores: list[tuple[LabelledQuery, _Score]] = []
    unanswered: list[float] = []
    for query in queries:
        began = clock()
        found = list(rank(query.text))[:DEPTH]
        milliseconds.append((clock() - began) * 1_000)
        if query.relevant:
            scores.append((query, _score(found, query.relevant)))
        else:
            unanswered.append(float(not found))
    by_page: defaultdict[str, list[_Score]] = defaultdict(list)
    for query, score in scores:
        for page in query.relevant:
            by_page[page].append(score)
    flat = [score for _, score in scores]
    pages = [by_page[page] for page in sorted(by_page)]
    return Figures(
        queries=len(queries),
        docs=docs,
        hit1=_mean([s.within(1) for s in flat]),
        hit3=_mean([s.within(3) for s in flat]),
        hit5=_mean([s.within(5) for s in flat]),
        mrr10=_mean([s.reciprocal for s in flat]),
        ndcg10=_mean([s.ndcg for s in flat]),
        macro_hit1=_mean([fmean(s.within(1) for s in page) for page in pages]),
        macro_hit5=_mean([fmean(s.within(5) for s in page) for page in pages]),
        macro_mrr10=_mean([fmean(s.reciprocal for s in page) for page in pages]),
        query_p50_ms=_quantile(milliseconds, 0.50),
        query_p95_ms=_quantile(milliseconds, 0.95),
        no_answer_rate=_mean(unanswered),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    rank: int  # of the first relevant page, from 1; 0 if it was not found
    reciprocal: float
    ndcg: float

    def within(self, depth: int) -> float:
        return float(0 < self.rank <= depth)


def _score(found: Sequence[str], relevant: frozenset[str]) -> _Score:
    ranks = [rank for rank, page in enumerate(found, 1) if page in relevant]
    gained = sum(1 / log2(rank + 1) for rank in ranks)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(relevant), DEPTH) + 1))
    first = ranks[0] if ranks else 0
    return _Score(rank=first, reciprocal=1 / first if first else 0.0, ndcg=gained / ideal)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)]


def read_set(folder: Path, collection: str) -> tuple[list[Document], list[LabelledQuery]]:
    """Read a set: `docs.jsonl` (id, title, text) and `queries.jsonl` (text, relevant)."""
    documents = [
        Document(
            id=row["id"],
            collection=collection,
            title=row["title"],
            text=row["text"],
            source=folder.name,
        )
        for row in _rows(folder / "docs.jsonl", ("id", "title", "text"))
    ]
    queries = [
        LabelledQuery(text=row["text"], relevant=frozenset(row["relevant"]))
        for row in _rows(folder / "queries.jsonl", ("text", "relevant"))
    ]
    return documents, queries


def _rows(path: Path, fields: Sequence[str]) -> list[dict[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError:
        raise RetrievalError(f"{path} cannot be read; a set needs it") from None
    rows: list[dict[str, str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            raise RetrievalError(f"{path}:{number} is not JSON; write one object a line") from None
        missing = [field for field in fields if not isinstance(row, dict) or field not in row]
        if missing:
            raise RetrievalError(f"{path}:{number} has no {missing[0]}")
        rows.append(row)
    return rows
