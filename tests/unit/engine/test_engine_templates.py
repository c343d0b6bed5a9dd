"""Lines become templates, each line the same one in whatever company and order."""

import re
from datetime import timedelta

import pytest
from drain3.drain import Drain
from frames import T0, logs
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.engine.templates import MAX_CLUSTERED, OTHER, left_out, with_templates


def lines(bodies):
    return logs(
        {"time": T0 + timedelta(seconds=i), "service": "x", "body": body}
        for i, body in enumerate(bodies)
    )


def templates(bodies):
    return with_templates(lines(bodies)).get_column("template").to_list()


def letters(number):
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_what_varies_is_masked_and_values_in_a_row_are_one():
    said = templates(
        ["order 17 took 5 ms", "order 99 took 4.5ms", 'user "al b" left', "ids 1, 2, 3 4 gone"]
    )
    assert said == ["order <*> took <*> ms", "order <*> took <*>", "user <*> left", "ids <*> gone"]


def test_statements_that_differ_in_a_word_or_two_are_one_template():
    assert set(templates([f"loaded the {w} from the store" for w in ("hat", "cap", "bow")])) == {
        "loaded the <*> from the store"
    }


def test_a_line_without_text_and_no_lines_at_all_have_an_answer():
    assert templates([None, "", "x"])[:2] == ["", ""]
    assert templates([]) == []


def test_the_columns_of_the_lines_stay_as_they_were():
    before = lines(["a 1", "b 2", "a 3"])
    after = with_templates(before)
    assert after.drop("template").equals(before)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(alphabet="ab1 ,<*>\"'-", max_size=12), max_size=20), st.randoms())
def test_the_order_of_lines_changes_no_template(bodies, chance):
    shuffled = bodies[:]
    chance.shuffle(shuffled)
    once = dict(zip(bodies, templates(bodies), strict=True))
    assert once == dict(zip(shuffled, templates(shuffled), strict=True))


WORDS = ["read", "wrote", "the", "a", "book", "page", "7", "7,", "at=7"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=40))
def test_the_templates_are_those_of_drain(bodies):
    """Only the clusters that share a word are compared, and the outcome is the same."""
    said = with_templates(lines(bodies))
    masked = {b: re.sub(r"(<\*>[ ,]*)+", "<*> ", b.replace("7", "<*>")) for b in bodies}
    drain = Drain(depth=4, sim_th=0.5, max_clusters=1024, parametrize_numeric_tokens=True)
    cluster = {m: drain.add_log_message(m)[0].cluster_id for m in sorted(set(masked.values()))}
    final = {c.cluster_id: c.get_template() for c in drain.clusters}
    expected = {b: final[cluster[masked[b]]] for b in bodies}
    assert dict(said.select("body", "template").iter_rows()) == expected


def test_of_more_kinds_of_lines_than_can_be_told_apart_the_commonest_are():
    rare = [f"{letters(i)}x {letters(i * 7)}y {letters(i * 13)}z" for i in range(MAX_CLUSTERED)]
    common = ["heart beats", "lungs breathe"] * 3
    said = templates([*rare, *common])
    assert said[-6:] == common
    assert said.count(OTHER) == 2


@pytest.mark.parametrize("piece", ["x", "7", "7 ", '"', "'7", "ab-", "<*>"])
def test_of_a_very_long_line_the_head_decides(piece):
    said = templates(["lost " + piece * 70_000, "lost " + piece * 70_001])
    assert said[0] == said[1]
    assert len(said[0]) <= 410


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=500), max_size=9))
def test_text_in_any_alphabet_has_a_template(bodies):
    assert len(templates(bodies)) == len(bodies)


def test_lines_that_could_not_be_told_apart_are_counted():
    few = [f"{letters(i)} {letters(i)[::-1]}" for i in range(100, 200)]
    assert left_out(with_templates(lines(few))) == []
    many = [f"{letters(i)} {letters(i)[::-1]}" for i in range(MAX_CLUSTERED + 7)]
    (told,) = left_out(with_templates(lines(many)))
    assert told.startswith(f"7 of {MAX_CLUSTERED + 7} log lines")
