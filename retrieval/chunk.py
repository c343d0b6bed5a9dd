"""Pages cut into sections, for the dense half of the search.

A vector of a whole page says little about any part of it (measured: dense search must be chunked,
while BM25 should see the whole page). Each chunk is a heading's section of at most `MAX_WORDS`
words, led by the page's title and the headings above it; a code block is never cut.
LlamaIndex provides the nodes, the Markdown parser and the pipeline; its global `Settings` are never
read, because their defaults would send text to a service outside.
"""

import re
from collections.abc import Iterator, Sequence

from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.schema import BaseNode, MetadataMode, TextNode, TransformComponent
from llama_index.core.schema import Document as SourceNode

from retrieval.api import Document
from retrieval.embed import PackagedEmbedding
from retrieval.encoder import Encoder
from retrieval.lexical import without_front_matter

MAX_WORDS = 180

_HEADING_LINE = re.compile(r"\A#{1,6}\s+(.+)")
_FENCE = re.compile(r"\s*(```|~~~)")
_HIDDEN = ["doc_id", "title", "section", "header_path"]


def chunk(documents: Sequence[Document], encoder: Encoder | None) -> list[TextNode]:
    """Cut pages into nodes, embedded if there is an encoder; metadata: doc_id, title, section."""
    transformations: list[TransformComponent] = [
        MarkdownNodeParser(include_prev_next_rel=False, include_metadata=True),
        SectionSplitter(),
    ]
    if encoder is not None:
        transformations.append(PackagedEmbedding(encoder))
    pipeline = IngestionPipeline(transformations=transformations, disable_cache=True)
    sources = [_source(document) for document in documents]
    nodes = pipeline.run(documents=sources, show_progress=False)
    return [node for node in nodes if isinstance(node, TextNode)]


def _source(document: Document) -> SourceNode:
    # A page without text can still be found by its title.
    text = without_front_matter(document.text).strip() or document.title
    return SourceNode(
        id_=document.id,
        text=text,
        metadata={"doc_id": document.id, "title": document.title},
    )


class SectionSplitter(TransformComponent):
    """Cut the parser's sections to size and lead each piece with title and headings."""

    max_words: int = MAX_WORDS

    def __call__(self, nodes: Sequence[BaseNode], **_: object) -> Sequence[BaseNode]:
        return [piece for node in nodes for piece in self._pieces(node)]

    def _pieces(self, node: BaseNode) -> Iterator[TextNode]:
        text = node.get_content(metadata_mode=MetadataMode.NONE).strip()
        above = [part for part in str(node.metadata.get("header_path", "")).split("/") if part]
        heading = _HEADING_LINE.match(text)
        if heading:
            above.append(heading.group(1).strip())
            text = text[heading.end() :].strip()
        title = str(node.metadata["title"])
        section = " > ".join(above)
        lead = " > ".join(part for part in (title, section) if part)
        # A heading without text of its own is carried by the sections below it.
        for piece in split_blocks(text, self.max_words):
            yield TextNode(
                text=f"{lead}\n{piece}" if lead else piece,
                metadata={"doc_id": node.metadata["doc_id"], "title": title, "section": section},
                excluded_embed_metadata_keys=_HIDDEN,
                excluded_llm_metadata_keys=_HIDDEN,
            )


def split_blocks(text: str, max_words: int) -> list[str]:
    """Pack paragraphs into pieces of at most `max_words`; a code block stays whole, however long.

    A paragraph that is too long is cut between words.
    """
    pieces: list[str] = []
    current: list[str] = []
    size = 0
    for block in _blocks(text, max_words):
        words = len(block.split())
        if current and size + words > max_words:
            pieces.append("\n\n".join(current))
            current, size = [], 0
        current.append(block)
        size += words
    if current:
        pieces.append("\n\n".join(current))
    return pieces


def _blocks(text: str, max_words: int) -> Iterator[str]:
    for block, is_code in _paragraphs(text):
        words = block.split()
        if is_code or len(words) <= max_words:
            yield block
        else:
            for start in range(0, len(words), max_words):
                yield " ".join(words[start : start + max_words])


def _paragraphs(text: str) -> Iterator[tuple[str, bool]]:
    """Yield (block, is code) where blank lines outside code separate blocks."""
    lines: list[str] = []
    fence: str | None = None
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence is None and (mark or not line.strip()):
            if lines:
                yield "\n".join(lines), False
            lines = []
        if fence is None and not line.strip():
            continue
        lines.append(line)
        if mark and fence is None:
            fence = mark.group(1)
        elif mark and mark.group(1) == fence:
            yield "\n".join(lines), True
            lines, fence = [], None
    if lines:
        yield "\n".join(lines), fence is not None
