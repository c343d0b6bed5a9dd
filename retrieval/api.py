"""The words of finding. No I/O: the engines behind the port live in `edge` and `qdrant`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page to be found: Markdown text, a title, and exact labels (service, component, …)."""

    id: str
    collection: str  # runbooks, incidents
    title: str
    text: str
    source: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for: words, and labels that raise a page that carries them.

    Of the `required` labels a page has to carry one value each; what is known to be the case is not
    searched for, so that then the words only rank, and every page that carries them is an answer.
    """

    text: str
    collection: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    limit: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A page that was found. `score` is 0 to 1; `why` says in words what matched."""

    document: Document
    score: float
    section: str | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """How many pages and chunks are held, by which engine, embedded by what."""

    engine: str
    embedder: str
    documents: int
    chunks: int


class RetrievalError(Exception):
    """The index cannot be used; `str()` says why and what to do."""


class Index(Protocol):
    """The port in front of the search engine."""

    def sync(self, collection: str, documents: Sequence[Document]) -> None:
        """Make the collection hold exactly these documents; unchanged ones are not embedded."""
        ...

    def search(self, query: Query) -> list[Match]: ...

    def status(self) -> IndexStatus: ...

    def close(self) -> None: ...
