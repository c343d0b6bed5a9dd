"""The index: pages in, matches out, over whichever engine holds the points."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from retrieval import lexical
from retrieval import search as ranking
from retrieval.api import Document, Index, IndexStatus, Match, Query, RetrievalError
from retrieval.encoder import Encoder, EncoderUnavailable, load_encoder
from retrieval.store import CHUNK, PAGE, Point, Space, Store

WORDS_ONLY = "words only"
_COLLECTION = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_BATCH = 32  # pages embedded and written at a time, so that a stopped build is not lost


def open_index(
    folder: Path | None,
    *,
    url: str | None = None,
    api_key: str | None = None,
    embed: bool = True,
) -> Index:
    """Open the index: a Qdrant server at `url`, else the embedded engine in `folder`.

    Without either it is held for the life of the process only; `url=":memory:"` is the client's
    local mode, for tests. `embed=False` searches by words alone, as happens, and is said in
    `status`, where the sentence encoder is missing or not the reviewed one. Raises
    `RetrievalError`.
    """
    encoder, said = _encoder(wanted=embed)
    made_by = encoder.name if encoder else WORDS_ONLY
    space = Space(
        fingerprint=f"{made_by}+{lexical.VERSION}",
        dimensions=encoder.dimensions if encoder else None,
    )
    store: Store
    # Only the chosen engine is imported: the client alone costs more than a second.
    if url is None:
        from retrieval.edge import EdgeStore  # noqa: PLC0415

        store = EdgeStore(folder, space)
    else:
        from retrieval.qdrant import LOCAL, QdrantStore, connect  # noqa: PLC0415

        client = connect(url, api_key)
        store = QdrantStore(client, space, field_indexes=url != LOCAL)
    return StoredIndex(store, encoder, said)


def _encoder(*, wanted: bool) -> tuple[Encoder | None, str]:
    if not wanted:
        return None, f"none ({WORDS_ONLY}: switched off)"
    try:
        encoder = load_encoder()
    except EncoderUnavailable as error:
        return None, f"none ({WORDS_ONLY}: {error})"
    return encoder, encoder.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    page: Mapping[str, Any]
    fused: float
    section: ranking.Section | None


class StoredIndex:
    """`retrieval.api.Index` over a `Store`. Safe to share between threads; calls may block."""

    def __init__(self, store: Store, encoder: Encoder | None, said: str) -> None:
        self._store = store
        self._encoder = encoder
        self._said = said

    def sync(self, collection: str, documents: Sequence[Document]) -> None:
        if not _COLLECTION.fullmatch(collection):
            raise RetrievalError(
                f"{collection!r} cannot name a collection; use small letters, digits and dashes"
            )
        wanted = {document.id: document for document in documents}
        if len(wanted) < len(documents):
            raise RetrievalError(f"two pages for {collection} have the same id; make ids unique")
        held = self._store.hashes(collection)
        self._store.drop(collection, sorted(held.keys() - wanted.keys()))
        changed = [d for d in wanted.values() if held.get(d.id) != _content_hash(d)]
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]
            points = self._points(collection, batch)
            self._store.drop(collection, [d.id for d in batch if d.id in held])
            self._store.put(collection, points)

    def search(self, query: Query) -> list[Match]:
        sparse = lexical.encode_query(query.text)
        words: dict[str, float] = {}
        if sparse.indices:
            hits = self._store.by_words(query.collection, sparse, ranking.CANDIDATES)
            words = {hit.payload["doc_id"]: hit.score for hit in hits}
        sections = self._nearest_sections(query)
        similar = {page: section.similarity for page, section in sections.items()}
        fused = ranking.fuse(words, similar)
        pinned = self._pinned(query)
        first = sorted(fused, key=lambda page: (-fused[page], page))[: ranking.FINALISTS]
        pages = {page["doc_id"]: page for page in pinned}
        pages |= {p["doc_id"]: p for p in self._store.pages(query.collection, "doc_id", first)}
        candidates = [
            _Candidate(page=page, fused=fused.get(doc_id, 0.0), section=sections.get(doc_id))
            for doc_id, page in pages.items()
        ]
        return _rank(query, candidates, encoded=self._encoder is not None)

    def status(self) -> IndexStatus:
        documents, chunks = self._store.counts()
        return IndexStatus(
            engine=self._store.engine, embedder=self._said, documents=documents, chunks=chunks
        )

    def close(self) -> None:
        self._store.close()

    def _nearest_sections(self, query: Query) -> dict[str, ranking.Section]:
        if self._encoder is None or not query.text.strip():
            return {}
        (vector,) = self._encoder.encode([query.text])
        nearest: dict[str, ranking.Section] = {}
        for hit in self._store.by_meaning(query.collection, vector, ranking.CHUNK_CANDIDATES):
            doc_id = hit.payload["doc_id"]
            if doc_id not in nearest and len(nearest) < ranking.CANDIDATES:
                name = hit.payload.get("section") or None
                nearest[doc_id] = ranking.Section(name=name, similarity=hit.score)
        return nearest

    def _pinned(self, query: Query) -> list[Mapping[str, Any]]:
        """Return the pages that are candidates by a label, whatever their words."""
        pins = sorted((ranking.PIN_LABELS | query.required) & query.labels.keys())
        tags = [_tag(label, value) for label in pins for value in query.labels[label]]
        return self._store.pages(query.collection, "tags", tags)

    def _points(self, collection: str, documents: Sequence[Document]) -> list[Point]:
        points = [_page_point(collection, document) for document in documents]
        if self._encoder is None:
            return points
        # LlamaIndex takes over a second to import, and most starts find nothing new to cut.
        from retrieval.chunk import chunk  # noqa: PLC0415

        for number, node in enumerate(chunk(documents, self._encoder)):
            doc_id = node.metadata["doc_id"]
            points.append(
                Point(
                    id=_point_id(collection, doc_id, f"{CHUNK} {number}"),
                    payload={
                        "doc_id": doc_id,
                        "kind": CHUNK,
                        "section": node.metadata["section"],
                        "text": node.text,
                    },
                    meaning=node.get_embedding(),
                )
            )
        return points


def _rank(query: Query, candidates: Sequence[_Candidate], *, encoded: bool) -> list[Match]:
    """Best first, ties by id; nothing if not even one of the first pages is strong by itself.

    Unless a label decides: that is known, and not found by words.
    """
    scored: list[tuple[float, Document, _Candidate]] = []
    for candidate in candidates:
        document = _document(query.collection, candidate.page)
        shared = ranking.shared_labels(query.labels, document.labels)
        if query.required - {key for key, _ in shared}:
            continue
        scored.append((candidate.fused + ranking.boost(shared), document, candidate))
    scored.sort(key=lambda one: (-round(one[0], 6), one[1].id))
    shown = scored[: query.limit]
    judged = [_judge(query, document, one.section, encoded=encoded) for _, document, one in shown]
    strongest = max((strength for strength, _ in judged), default=0.0)
    if shown and (query.required or shown[0][0] >= ranking.PIN_BOOST):
        strongest = 1.0
    if strongest < ranking.WEAKEST_ANSWER:
        return []
    return [
        Match(
            document=document,
            score=round(min(1.0, score) * strongest, 4),
            section=candidate.section.name if candidate.section else None,
            why=why,
        )
        for (score, document, candidate), (_, why) in zip(shown, judged, strict=True)
    ]


def _judge(
    query: Query,
    document: Document,
    section: ranking.Section | None,
    *,
    encoded: bool,
) -> tuple[float, tuple[str, ...]]:
    """How strong a page is by itself, and why it was found."""
    asked = frozenset(lexical.terms(query.text))
    known = frozenset(lexical.terms(f"{document.title}\n{document.text}"))
    coverage = len(asked & known) / len(asked) if asked else 0.0
    similarity = (section.similarity if section else 0.0) if encoded else None
    words = lexical.shared_words(query.text, known)
    shared = ranking.shared_labels(query.labels, document.labels)
    return ranking.strength(coverage, similarity), ranking.explain(words, section, shared)


def _page_point(collection: str, document: Document) -> Point:
    text = lexical.without_front_matter(document.text)
    return Point(
        id=_point_id(collection, document.id, PAGE),
        payload={
            "doc_id": document.id,
            "kind": PAGE,
            "hash": _content_hash(document),
            "title": document.title,
            "text": document.text,
            "source": document.source,
            "labels": {key: list(values) for key, values in sorted(document.labels.items())},
            "tags": [_tag(k, v) for k, values in sorted(document.labels.items()) for v in values],
        },
        words=lexical.encode_page(document.title, text),
    )


def _document(collection: str, payload: Mapping[str, Any]) -> Document:
    return Document(
        id=payload["doc_id"],
        collection=collection,
        title=payload["title"],
        text=payload["text"],
        source=payload["source"],
        labels={key: tuple(values) for key, values in payload["labels"].items()},
    )


def _content_hash(document: Document) -> str:
    labels = {key: list(values) for key, values in document.labels.items()}
    content = [document.title, document.text, document.source, labels]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _point_id(collection: str, doc_id: str, part: str) -> str:
    return str(uuid5(NAMESPACE_URL, json.dumps([collection, doc_id, part])))


def _tag(label: str, value: str) -> str:
    return f"{label}={value}"
