"""The ranking against textbook BM25 on public runbooks, where that data is at hand."""

import time
from pathlib import Path

import pytest

from retrieval.baseline import bm25
from retrieval.evaluate import measure, rank_with, read_set
from retrieval.index import open_index

SETS = Path(__file__).parents[3] / "shared" / "data" / "retrieval"


@pytest.mark.parametrize("name", ["kube-prometheus", "gitlab"])
def test_words_alone_are_no_worse_than_plain_bm25(name):
    folder = SETS / name
    if not folder.is_dir():
        pytest.skip(f"../shared is absent: the development set {name} is not at hand")
    documents, queries = read_set(folder, "runbooks")
    index = open_index(None, embed=False)
    index.sync("runbooks", documents)
    clock = time.perf_counter
    ours = measure(rank_with(index, "runbooks"), queries, docs=len(documents), clock=clock)
    plain = measure(bm25(documents), queries, docs=len(documents), clock=clock)
    index.close()
    assert ours.mrr10 >= plain.mrr10, (ours, plain)
    assert ours.hit1 >= plain.hit1, (ours, plain)
    assert ours.macro_mrr10 >= plain.macro_mrr10, (ours, plain)
