from retrieval.api import Document
from retrieval.index import open_index
from retrieval.retriever import IndexRetriever


def test_the_search_serves_as_a_llama_index_retriever():
    index = open_index(None, embed=False)
    pages = [
        Document(id="a", collection="runbooks", title="Disk", text="volume is full", source="a.md"),
        Document(id="b", collection="runbooks", title="TLS", text="certificate", source="b.md"),
    ]
    index.sync("runbooks", pages)
    [found] = IndexRetriever(index, collection="runbooks").retrieve("full volume")
    index.close()
    assert found.node.node_id == "a"
    assert found.node.get_content() == "volume is full"
    assert found.node.metadata["source"] == "a.md"
    assert found.score > 0
