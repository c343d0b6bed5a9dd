from hypothesis import given
from hypothesis import strategies as st

from retrieval.lexical import encode_page, encode_query, shared_words, term_hash, terms


def test_a_name_is_kept_whole_and_split():
    assert terms("KubePodCrashLooping") == ["kubepodcrashlooping", "kube", "pod", "crash", "loop"]
    assert "kube-system" in terms("in kube-system")
    assert {"kube", "system"} <= set(terms("in kube-system"))


def test_error_codes_survive():
    assert terms("ECONNREFUSED") == terms("econnrefused")
    assert len(terms("ECONNREFUSED")) == 1
    assert "x509" in terms("x509: certificate has expired")
    assert "10.0.0.7:5432" in terms("connect ECONNREFUSED 10.0.0.7:5432")


def test_forms_of_a_word_meet_and_small_words_vanish():
    assert terms("throttled") == terms("throttling") == terms("throttle")
    assert terms("the of and is") == []


def test_hash_is_the_same_everywhere():
    # Written down once: a change would make every stored index unreadable.
    assert term_hash("cpu") == 0x18AED61D
    assert 0 <= term_hash("anything") < 2**32


def test_a_title_weighs_more_than_the_same_word_in_the_body():
    body = "disk " + "word " * 50
    in_title = dict(zip(*_pair(encode_page("disk", body)), strict=True))[term_hash("disk")]
    in_body = dict(zip(*_pair(encode_page("other", body)), strict=True))[term_hash("disk")]
    assert in_title > in_body


def test_repeating_a_word_counts_less_each_time():
    once, often = (encode_page("", text) for text in ("disk " * 1 + "x " * 20, "disk " * 20))
    weights = [dict(zip(*_pair(s), strict=True))[term_hash("disk")] for s in (once, often)]
    assert weights[0] < weights[1] < 20 * weights[0]


@given(st.text())
def test_any_text_gives_a_valid_sparse_vector(text):
    for sparse in (encode_page(text, text), encode_query(text)):
        assert list(sparse.indices) == sorted(set(sparse.indices))
        assert len(sparse.values) == len(sparse.indices)
        assert all(value > 0 for value in sparse.values)


def test_matches_are_told_in_the_readers_words():
    known = frozenset(terms("the pods are throttled by their quota"))
    assert shared_words("Throttling of a Pod, throttled again", known) == ("Throttling", "Pod")


def _pair(sparse):
    return sparse.indices, sparse.values
