"""The search as a LlamaIndex retriever, for pipelines that are built of its parts."""

from llama_index.core.callbacks import CallbackManager
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from retrieval.api import Index, Query


class IndexRetriever(BaseRetriever):
    """Whole pages from one collection as scored nodes; metadata: title, source, section, why."""

    def __init__(self, index: Index, *, collection: str, limit: int = 5) -> None:
        # An own callback manager: the default would be read from LlamaIndex's global settings.
        super().__init__(callback_manager=CallbackManager([]))
        self._index = index
        self._collection = collection
        self._limit = limit

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        query = Query(text=query_bundle.query_str, collection=self._collection, limit=self._limit)
        return [
            NodeWithScore(
                node=TextNode(
                    id_=match.document.id,
                    text=match.document.text,
                    metadata={
                        "title": match.document.title,
                        "source": match.document.source,
                        "section": match.section,
                        "why": list(match.why),
                    },
                ),
                score=match.score,
            )
            for match in self._index.search(query)
        ]
