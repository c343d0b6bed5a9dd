"""What the search needs from an engine: the small port that `edge` and `qdrant` implement.

A page is one point with a sparse vector (words of the whole page) and its text, and a point with a
dense vector for each of its chunks; all of them carry `doc_id` and `kind`. Each collection is its
own set of points, so that word statistics of incidents do not colour those of runbooks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from retrieval.api import RetrievalError
from retrieval.lexical import Sparse

WORDS = "words"  # name of the sparse vector
MEANING = "meaning"  # name of the dense vector
PAGE = "page"
CHUNK = "chunk"
INDEXED_FIELDS = ("doc_id", "kind", "tags")
ANEW = "start again: all of it is made anew from the runbooks and the journal"
HIT_FIELDS = ("doc_id", "section")  # what a hit carries; a page's text is fetched by `pages`


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """How vectors were made, and how long the dense ones are (null without an encoder)."""

    fingerprint: str
    dimensions: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One stored point; `id` is a UUID in text form, `payload` is JSON."""

    id: str
    payload: Mapping[str, Any]
    words: Sparse | None = None
    meaning: Sequence[float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A point that was found: BM25 for words, cosine for meaning."""

    payload: Mapping[str, Any]
    score: float


class Store(Protocol):
    """An engine. Reading a collection that was never written finds nothing. Thread-safe."""

    @property
    def engine(self) -> str: ...

    def put(self, collection: str, points: Sequence[Point]) -> None: ...

    def drop(self, collection: str, doc_ids: Sequence[str]) -> None:
        """Delete all points of these pages."""
        ...

    def hashes(self, collection: str) -> dict[str, str]:
        """Content hash by page id, for all pages."""
        ...

    def by_words(self, collection: str, query: Sparse, limit: int) -> list[Hit]: ...

    def by_meaning(self, collection: str, query: Sequence[float], limit: int) -> list[Hit]: ...

    def pages(self, collection: str, key: str, values: Sequence[str]) -> list[Mapping[str, Any]]:
        """Payloads of the pages whose field `key` is, or holds, one of `values`."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many pages and how many chunks are held, over all collections."""
        ...

    def close(self) -> None: ...


def require_same_space(recorded: object, space: Space, remedy: str) -> None:
    """Refuse to mix vectors that were made in different ways; `remedy` says what to do."""
    if recorded != space.fingerprint:
        raise RetrievalError(
            f"the index was built with {recorded or 'an unknown encoder'} but this process uses "
            f"{space.fingerprint}; {remedy}"
        )
