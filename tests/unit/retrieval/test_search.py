import pytest

from retrieval.search import (
    CANDIDATES,
    LARGEST_BOOST,
    PIN_BOOST,
    WEAKEST_ANSWER,
    boost,
    explain,
    fuse,
    shared_labels,
    strength,
)


def test_margins_survive_fusion():
    """Rank fusion would put a and b level here: each is first once and second once."""
    fused = fuse({"a": 9.0, "b": 1.0, "c": 0.5}, {"a": 0.50, "b": 0.52, "c": 0.1})
    assert fused["a"] > fused["b"] > fused["c"]


def test_one_list_alone_decides():
    assert fuse({"a": 4.0, "b": 2.0}, {}) == {"a": 1.0, "b": 0.5}
    assert max(fuse({}, {"a": 0.2, "b": 0.4})) == "b"
    assert fuse({}, {}) == {}


def test_a_list_that_was_cut_is_stretched_from_its_last_page():
    words = {f"p{n}": 10.0 + n for n in range(CANDIDATES)}
    fused = fuse(words, {})
    assert fused["p0"] == 0.0
    assert fused[f"p{CANDIDATES - 1}"] == 1.0


def test_labels_raise_by_a_bounded_amount():
    wanted = {"service": ("a", "b"), "team": ("x",), "cause": ("c",), "component": ("k",)}
    shared = shared_labels(wanted, wanted)
    assert ("service", "a") in shared
    assert boost(()) == 0.0
    assert boost((("service", "a"), ("service", "b"))) == boost((("service", "a"),))
    assert boost(shared) == LARGEST_BOOST


def test_an_alerts_name_is_a_lookup():
    assert boost((("alertname", "X"),)) >= PIN_BOOST
    assert boost((("fault", "X"),)) >= PIN_BOOST


@pytest.mark.parametrize(("coverage", "similarity"), [(0.9, None), (0.6, 0.4), (0.0, 0.9)])
def test_a_good_match_is_strong(coverage, similarity):
    assert WEAKEST_ANSWER < strength(coverage, similarity) <= 1.0


def test_common_words_alone_are_weak_where_meaning_is_known():
    assert strength(0.75, 0.05) < WEAKEST_ANSWER
    assert strength(0.0, -0.5) == 0.0


def test_why_names_the_words_and_the_label():
    assert explain(("disk", "full"), None, (("service", "a"),)) == (
        "same service: a",
        "words: disk, full",
    )
