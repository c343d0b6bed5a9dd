import polars as pl
import pytest

from assistant.engine.ids import SpanIds


def frame(*pairs):
    return pl.DataFrame(pairs, schema={"trace_id": pl.String, "span_id": pl.String}, orient="row")


def rows(spans, *asked):
    wanted = frame(*asked)
    return SpanIds.of(spans).rows(wanted["trace_id"], wanted["span_id"]).to_list()


@pytest.mark.parametrize("last", ["c", "a"], ids=["ids-of-spans-differ", "two-traces-share-an-id"])
def test_a_span_is_found_by_its_own_trace_and_id_only(last):
    spans = frame(("t1", "a"), ("t1", "b"), ("t2", last))

    assert rows(spans, ("t2", last), ("t1", "b"), ("t1", "a")) == [2, 1, 0]
    assert rows(spans, ("t2", "b"), ("t1", "x"), (None, "a"), ("t1", None)) == [None] * 4


def test_many_lookups_in_any_order_find_what_each_asked_for():
    spans = frame(*((f"t{i // 7}", f"s{i:05}") for i in range(5_000)))
    turned = [(i * 37) % 5_000 for i in range(5_000)]

    assert rows(spans, *(spans.row(i) for i in turned)) == turned


def test_no_spans_and_no_questions_are_no_trouble():
    assert rows(frame(), ("t", "a")) == [None]
    assert rows(frame(("t", "a"))) == []
