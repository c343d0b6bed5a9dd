"""A policy file is right as a whole or cannot be used, and says what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.policy.rules import PolicyError, parse
from assistant.policy.source import SHIPPED, reader, shipped, shipped_text

GOOD = """version: 1
zone: Europe/Berlin
rules:
  - {name: a, when: 'effect == "read"', then: allow}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file"),
        ("version: 1\nrules: []", "rules"),
        ("version: 2\nrules: [{name: a, when: 'true', then: allow}]", "version"),
        ("rules: [", "no YAML in line 1"),
        (GOOD.replace("Berlin", "Atlantis"), "there is no time zone 'Europe/Atlantis'"),
        (GOOD.replace("then: allow", "then: maybe"), "then"),
        (GOOD.replace("then: allow", "then: {approvals: 0}"), "approvals"),
        (GOOD.replace("then: allow", "then: {approvals: true}"), "approvals"),
        (GOOD.replace("then: allow", "then: {approvals: 1, form: sre}"), "form"),
        (GOOD.replace("effect", "efect"), "rule 'a': there is no fact 'efect'"),
        (GOOD.replace('effect == "read"', "effect ="), "rule 'a': the condition cannot be read"),
        (GOOD.replace('effect == "read"', 'target.matches(".*")'), "'matches' cannot be used"),
        (GOOD.replace('effect == "read"', "[1].all(hour, hour > 0)"), "cannot be used"),
        (GOOD.replace('effect == "read"', "(" * 30 + "true" + ")" * 30), "nested too deeply"),
        (GOOD + "  - {name: a, when: 'true', then: deny}\n", "two rules are called 'a'"),
        ("x" * 200_001, "longer than"),
        (GOOD + GOOD.replace("allow", "deny"), "'version' stands twice"),
        (GOOD.replace("then: allow", "then: deny, then: allow"), "'then' stands twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_the_place(text, said):
    with pytest.raises(PolicyError) as refused:
        parse(text, "team.yaml")
    assert str(refused.value).startswith("team.yaml")
    assert said in str(refused.value)


def is_said(text):
    """Tell whether a text is a policy, or is refused in words; anything else is raised."""
    try:
        return len(parse(text, "p").rules) > 0
    except PolicyError as error:
        return len(str(error)) > 10


@given(st.text(max_size=60) | st.text("{}[]:-&*!|>'\"%@`a1 \n", max_size=40))
def test_no_text_gives_anything_but_a_policy_or_its_error(text):
    assert is_said(text)


@given(
    st.text("()!&|<>=+-*/%?:.[]{}'\"0123456789 truefalsehouractionin,_", min_size=1, max_size=60)
)
def test_no_condition_gives_anything_but_a_policy_or_its_error(when):
    assert is_said(f"version: 1\nrules:\n  - name: a\n    when: {when!r}\n    then: allow\n")


def test_the_digest_names_the_rules_and_not_their_layout():
    assert parse(GOOD, "a").digest == parse("# a comment\n" + GOOD, "b").digest
    assert parse(GOOD, "a").digest != parse(GOOD.replace("read", "mutate"), "a").digest


def test_a_file_is_read_anew_each_time(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD)
    read = reader(file)
    first = read().digest
    file.write_text(GOOD.replace("allow", "deny"))
    assert read().digest != first
    file.write_text("rules: [")
    with pytest.raises(PolicyError, match="no YAML"):
        read()
    file.unlink()
    with pytest.raises(PolicyError, match=r"cannot be read: No such file"):
        read()


def test_the_shipped_policy_counts_where_none_is_named():
    assert reader(None)().digest == shipped().digest == parse(shipped_text(SHIPPED), "x").digest
