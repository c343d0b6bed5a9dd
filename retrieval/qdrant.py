"""A Qdrant server or cluster, by the official client; its local mode stands in for one in tests.

The only importer of `qdrant_client`. The client's local mode is not safe to share between threads,
so every call goes through one lock. Whatever goes wrong leaves as a `RetrievalError`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from retrieval.api import RetrievalError
from retrieval.lexical import Sparse
from retrieval.store import (
    ANEW,
    CHUNK,
    HIT_FIELDS,
    INDEXED_FIELDS,
    MEANING,
    PAGE,
    WORDS,
    Hit,
    Point,
    Space,
    require_same_space,
)

LOCAL = ":memory:"  # the client's local mode

_TIMEOUT_S = 10
_PAGE_SIZE = 500
_BATCH = 256
_PREFIX = "firstline-"


def connect(url: str, api_key: str | None = None) -> QdrantClient:
    """A client for a server's URL or for `LOCAL`; it opens no connection yet."""
    if url == LOCAL:
        return QdrantClient(LOCAL)
    return QdrantClient(
        url=url, api_key=api_key, timeout=_TIMEOUT_S, check_compatibility=False, prefer_grpc=False
    )


class QdrantStore:
    """Collections named `firstline-…` on the server behind `client`, which it owns.

    `field_indexes` asks the server for payload indexes; the local mode has none.
    """

    engine = "qdrant"

    def __init__(
        self,
        client: QdrantClient,
        space: Space,
        *,
        field_indexes: bool = True,
    ) -> None:
        self._client = client
        self._field_indexes = field_indexes
        self._space = space
        self._guard = Lock()
        with self._call():
            names = self._names()
            for name in names:
                metadata = client.get_collection(name).config.metadata or {}
                remedy = f"delete the server's collections {', '.join(names)} and {ANEW}"
                require_same_space(metadata.get("fingerprint"), space, remedy)
            self._known = set(names)

    def put(self, collection: str, points: Sequence[Point]) -> None:
        name = _PREFIX + collection
        with self._call():
            if name not in self._known:
                self._create(name)
            for start in range(0, len(points), _BATCH):
                batch = [_point(point) for point in points[start : start + _BATCH]]
                self._client.upsert(name, batch, wait=True)

    def drop(self, collection: str, doc_ids: Sequence[str]) -> None:
        name = _PREFIX + collection
        with self._call():
            if name in self._known and doc_ids:
                selector = models.FilterSelector(filter=_any("doc_id", doc_ids))
                self._client.delete(name, selector, wait=True)

    def hashes(self, collection: str) -> dict[str, str]:
        payloads = self._scroll(collection, _any("kind", [PAGE]), ["doc_id", "hash"])
        return {payload["doc_id"]: payload["hash"] for payload in payloads}

    def by_words(self, collection: str, query: Sparse, limit: int) -> list[Hit]:
        vector = models.SparseVector(indices=list(query.indices), values=list(query.values))
        return self._query(collection, vector, WORDS, limit)

    def by_meaning(self, collection: str, query: Sequence[float], limit: int) -> list[Hit]:
        return self._query(collection, list(query), MEANING, limit)

    def pages(self, collection: str, key: str, values: Sequence[str]) -> list[Mapping[str, Any]]:
        wanted = models.Filter(must=[_condition("kind", [PAGE]), _condition(key, values)])
        return self._scroll(collection, wanted, None) if values else []

    def counts(self) -> tuple[int, int]:
        with self._call():
            pages, chunks = (
                sum(
                    self._client.count(name, count_filter=_any("kind", [kind]), exact=True).count
                    for name in sorted(self._known)
                )
                for kind in (PAGE, CHUNK)
            )
        return pages, chunks

    def close(self) -> None:
        with self._guard:
            self._client.close()

    @contextmanager
    def _call(self) -> Iterator[None]:
        with self._guard:
            try:
                yield
            except ApiException as error:
                raise RetrievalError(
                    f"the Qdrant server did not do what it was asked ({type(error).__name__}); "
                    "check its address, its key and its log"
                ) from error

    def _names(self) -> list[str]:
        found = self._client.get_collections().collections
        return sorted(c.name for c in found if c.name.startswith(_PREFIX))

    def _create(self, name: str) -> None:
        size = self._space.dimensions
        vectors = (
            {MEANING: models.VectorParams(size=size, distance=models.Distance.COSINE)}
            if size
            else {}
        )
        self._client.create_collection(
            name,
            vectors_config=vectors,
            sparse_vectors_config={WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            metadata={"fingerprint": self._space.fingerprint},
        )
        if self._field_indexes:
            for field in INDEXED_FIELDS:
                self._client.create_payload_index(name, field, models.PayloadSchemaType.KEYWORD)
        self._known.add(name)

    def _query(
        self, collection: str, query: list[float] | models.SparseVector, using: str, limit: int
    ) -> list[Hit]:
        name = _PREFIX + collection
        with self._call():
            if name not in self._known:
                return []
            found = self._client.query_points(
                name, query=query, using=using, limit=limit, with_payload=list(HIT_FIELDS)
            ).points
        return [Hit(payload=point.payload or {}, score=point.score) for point in found]

    def _scroll(
        self, collection: str, wanted: models.Filter, fields: list[str] | None
    ) -> list[Mapping[str, Any]]:
        name = _PREFIX + collection
        payloads: list[Mapping[str, Any]] = []
        offset = None
        with self._call():
            while name in self._known:
                records, offset = self._client.scroll(
                    name,
                    scroll_filter=wanted,
                    limit=_PAGE_SIZE,
                    offset=offset,
                    with_payload=fields or True,
                )
                payloads += [record.payload or {} for record in records]
                if offset is None:
                    break
        return payloads


def _condition(key: str, values: Sequence[str]) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _any(key: str, values: Sequence[str]) -> models.Filter:
    return models.Filter(must=[_condition(key, values)])


def _point(point: Point) -> models.PointStruct:
    vector: dict[str, Any] = {}
    if point.words is not None:
        vector[WORDS] = models.SparseVector(
            indices=list(point.words.indices), values=list(point.words.values)
        )
    if point.meaning is not None:
        vector[MEANING] = list(point.meaning)
    return models.PointStruct(id=point.id, vector=vector, payload=dict(point.payload))
