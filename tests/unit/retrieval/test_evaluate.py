import json
from itertools import count
from math import log2

import pytest

from retrieval.api import Document, RetrievalError
from retrieval.baseline import bm25, tfidf
from retrieval.evaluate import LabelledQuery, measure, read_set


def asked(text, *relevant):
    return LabelledQuery(text=text, relevant=frozenset(relevant))


def seconds():
    """A clock that goes on by one millisecond whenever it is read."""
    ticks = count()
    return lambda: next(ticks) / 1_000


ANSWERS = {"first": ["a", "b"], "second": ["b", "a"], "lost": ["x", "y"], "nothing": []}


def test_figures_of_a_small_run():
    queries = [asked("first", "a"), asked("second", "a"), asked("lost", "b"), asked("nothing")]
    figures = measure(ANSWERS.__getitem__, queries, docs=4, clock=seconds())
    assert figures.queries == 4
    assert figures.docs == 4
    assert figures.hit1 == pytest.approx(1 / 3)
    assert figures.hit3 == figures.hit5 == pytest.approx(2 / 3)
    assert figures.mrr10 == pytest.approx((1 + 1 / 2) / 3)
    assert figures.ndcg10 == pytest.approx((1 + 1 / log2(3)) / 3)
    assert figures.macro_hit1 == pytest.approx((1 / 2 + 0) / 2)
    assert figures.macro_mrr10 == pytest.approx((3 / 4 + 0) / 2)
    assert figures.query_p50_ms == figures.query_p95_ms == pytest.approx(1.0)
    assert figures.no_answer_rate == 1.0


def test_a_page_given_where_none_exists_is_counted():
    figures = measure(
        ANSWERS.__getitem__, [asked("first"), asked("nothing")], docs=1, clock=seconds()
    )
    assert figures.no_answer_rate == 0.5
    assert figures.hit1 is None


def test_no_queries_give_no_figures():
    figures = measure(ANSWERS.__getitem__, [], docs=0, clock=seconds())
    assert figures.mrr10 is None
    assert figures.query_p95_ms is None


def test_two_relevant_pages_share_the_ideal_gain():
    figures = measure(ANSWERS.__getitem__, [asked("first", "a", "b")], docs=2, clock=seconds())
    assert figures.ndcg10 == pytest.approx(1.0)
    assert figures.macro_hit1 == 1.0


@pytest.mark.parametrize("baseline", [bm25, tfidf])
def test_a_baseline_finds_the_page_that_speaks_of_it(baseline):
    pages = [
        Document(id=name, collection="x", title=name, text=text, source="")
        for name, text in (("disk", "the volume has no space"), ("tls", "a certificate expired"))
    ]
    assert baseline(pages)("certificates expire")[0] == "tls"
    assert baseline(pages)("zebra") == []


def test_a_set_is_read_from_its_folder(tmp_path):
    row = {"id": "1", "title": "t", "text": "x\u2028y"}
    (tmp_path / "docs.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    (tmp_path / "queries.jsonl").write_text('{"text": "q", "relevant": ["1"]}\n', "utf-8")
    [document], [query] = read_set(tmp_path, "bench")
    assert (document.id, document.collection, document.text) == ("1", "bench", "x\u2028y")
    assert query == asked("q", "1")


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "docs.jsonl:1 is not JSON"), ('{"id": "1"}', "docs.jsonl:1 has no title")],
)
def test_a_broken_set_names_the_line(tmp_path, line, said):
    (tmp_path / "docs.jsonl").write_text(line)
    with pytest.raises(RetrievalError, match=said):
        read_set(tmp_path, "bench")
