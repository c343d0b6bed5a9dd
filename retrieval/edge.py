"""The embedded engine: Qdrant's own, in this process, one shard a collection.

The only importer of `qdrant_edge`, whose interface is young and pinned. Its errors are plain
`Exception`s, so the one that a person can cause, a second process on the same folder, is prevented
here by a lock of our own.
"""

import fcntl
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, TextIO

from qdrant_edge import (
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    MatchAny,
    Modifier,
    PayloadSchemaType,
    Query,
    QueryRequest,
    ScrollRequest,
    SparseVector,
    UpdateOperation,
)
from qdrant_edge import Point as EdgePoint

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

_PAGE_SIZE = 1_000
_DESCRIPTION = "index.json"


class EdgeStore:
    """Shards under `folder`; without a folder they live in a temporary one until `close`."""

    engine = "qdrant-edge"

    def __init__(self, folder: Path | None, space: Space) -> None:
        self._guard = Lock()
        self._space = space
        self._temporary = TemporaryDirectory(prefix="firstline-index-") if folder is None else None
        self._folder = folder or Path(self._temporary.name if self._temporary else "")
        self._lock_file = _lock(self._folder)
        try:
            _describe(self._folder, space)
        except RetrievalError:
            self._lock_file.close()
            raise
        self._shards = {
            path.name: EdgeShard.load(str(path)) for path in _shard_folders(self._folder)
        }

    def put(self, collection: str, points: Sequence[Point]) -> None:
        with self._guard:
            shard = self._shards.get(collection) or self._create(collection)
            if points:
                shard.update(UpdateOperation.upsert_points([_edge_point(p) for p in points]))
            shard.flush()

    def drop(self, collection: str, doc_ids: Sequence[str]) -> None:
        with self._guard:
            shard = self._shards.get(collection)
            if shard and doc_ids:
                shard.update(UpdateOperation.delete_points_by_filter(_any("doc_id", doc_ids)))
                shard.flush()

    def hashes(self, collection: str) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._guard:
            for payload in self._scroll(collection, _any("kind", [PAGE]), ["doc_id", "hash"]):
                found[payload["doc_id"]] = payload["hash"]
        return found

    def by_words(self, collection: str, query: Sparse, limit: int) -> list[Hit]:
        vector = SparseVector(list(query.indices), list(query.values))
        return self._query(collection, Query.Nearest(vector, using=WORDS), limit)

    def by_meaning(self, collection: str, query: Sequence[float], limit: int) -> list[Hit]:
        return self._query(collection, Query.Nearest(list(query), using=MEANING), limit)

    def pages(self, collection: str, key: str, values: Sequence[str]) -> list[Mapping[str, Any]]:
        wanted = Filter(must=[_condition("kind", [PAGE]), _condition(key, values)])
        with self._guard:
            return self._scroll(collection, wanted, None) if values else []

    def counts(self) -> tuple[int, int]:
        with self._guard:
            pages, chunks = (
                sum(
                    shard.count(CountRequest(filter=_any("kind", [kind])))
                    for shard in self._shards.values()
                )
                for kind in (PAGE, CHUNK)
            )
        return pages, chunks

    def close(self) -> None:
        with self._guard:
            for shard in self._shards.values():
                shard.close()
            self._shards.clear()
            self._lock_file.close()
            if self._temporary:
                self._temporary.cleanup()

    def _create(self, collection: str) -> EdgeShard:
        size = self._space.dimensions
        path = self._folder / collection
        path.mkdir(mode=0o700, exist_ok=True)
        shard = EdgeShard.create(
            str(path),
            EdgeConfig(
                vectors={MEANING: EdgeVectorParams(size=size, distance=Distance.Cosine)}
                if size
                else None,
                sparse_vectors={WORDS: EdgeSparseVectorParams(modifier=Modifier.Idf)},
            ),
        )
        for field in INDEXED_FIELDS:
            shard.update(UpdateOperation.create_field_index(field, PayloadSchemaType.Keyword))
        self._shards[collection] = shard
        return shard

    def _query(self, collection: str, query: Query, limit: int) -> list[Hit]:
        with self._guard:
            shard = self._shards.get(collection)
            if shard is None:
                return []
            found = shard.query(
                QueryRequest(limit=limit, query=query, with_payload=list(HIT_FIELDS))
            )
        return [Hit(payload=point.payload or {}, score=point.score) for point in found]

    def _scroll(
        self, collection: str, wanted: Filter, fields: list[str] | None
    ) -> list[Mapping[str, Any]]:
        payloads: list[Mapping[str, Any]] = []
        shard, offset = self._shards.get(collection), None
        while shard:
            records, offset = shard.scroll(
                ScrollRequest(
                    offset=offset, limit=_PAGE_SIZE, filter=wanted, with_payload=fields or True
                )
            )
            payloads += [record.payload or {} for record in records]
            if offset is None:
                break
        return payloads


def _lock(folder: Path) -> TextIO:
    """Take the folder for this process; the lock ends with the process, however it ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise RetrievalError(
            f"the index in {folder} is open in another process; stop it, or use a Qdrant server"
        ) from None
    return file


def _describe(folder: Path, space: Space) -> None:
    path = folder / _DESCRIPTION
    if not path.exists():
        path.write_text(json.dumps({"fingerprint": space.fingerprint}))
        return
    remedy = f"remove the folder {folder} and {ANEW}"
    try:
        recorded = json.loads(path.read_text())["fingerprint"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise RetrievalError(f"{path} cannot be read; {remedy}") from None
    require_same_space(recorded, space, remedy)


def _shard_folders(folder: Path) -> list[Path]:
    return [path.parent for path in sorted(folder.glob("*/edge_config.json"))]


def _condition(key: str, values: Sequence[str]) -> FieldCondition:
    return FieldCondition(key=key, match=MatchAny(list(values)))


def _any(key: str, values: Sequence[str]) -> Filter:
    return Filter(must=[_condition(key, values)])


def _edge_point(point: Point) -> EdgePoint:
    vector: dict[str, Any] = {}
    if point.words is not None:
        vector[WORDS] = SparseVector(list(point.words.indices), list(point.words.values))
    if point.meaning is not None:
        vector[MEANING] = list(point.meaning)
    return EdgePoint(point.id, vector, dict(point.payload))
