"""Table cases fail when the policy is wrong, and the mutants show what they do not look at."""

from pathlib import Path

import pytest

from assistant.policy.cases import failures, parse_cases, survivors
from assistant.policy.rules import PolicyError, parse
from assistant.policy.source import SHIPPED, SHIPPED_CASES, shipped, shipped_text

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/policies").glob("*.cases.yaml"))
CASES = parse_cases(shipped_text(SHIPPED_CASES), SHIPPED_CASES)


def test_the_shipped_policy_says_what_its_cases_say_and_every_mutant_is_noticed():
    assert failures(shipped(), CASES) == []
    left, made = survivors(shipped(), CASES, SHIPPED)
    assert made > 40
    assert [mutant.what for mutant in left] == []


@pytest.mark.parametrize("cases", EXAMPLES, ids=lambda p: p.name)
def test_so_do_the_examples(cases):
    file = cases.with_name(cases.name.replace(".cases", ""))
    policy, table = parse(file.read_text(), file.name), parse_cases(cases.read_text(), cases.name)
    assert failures(policy, table) == []
    left, _ = survivors(policy, table, file.name)
    assert [mutant.what for mutant in left] == []


def test_a_wrong_answer_and_a_wrong_rule_are_failures():
    loose = parse(shipped_text(SHIPPED).replace("touches > 20", "touches > 50"), "loose")
    assert [case.name for case, _ in failures(loose, CASES)] == ["more than twenty"]
    renamed = parse(shipped_text(SHIPPED).replace("name: change", "name: other"), "renamed")
    assert {case.name for case, _ in failures(renamed, CASES)} >= {"one yes for a change"}


def test_what_no_case_looks_at_is_named():
    blind = tuple(c for c in CASES if "twenty" not in c.name)
    left, _ = survivors(shipped(), blind, SHIPPED)
    assert any(mutant.what.startswith("much at once") for mutant in left)


@pytest.mark.parametrize(
    "text", ["", "facts: {}\ncases: []", "facts: {}\ncases: [{name: a, expect: perhaps}]", "["]
)
def test_a_table_that_cannot_be_used_is_refused(text):
    with pytest.raises(PolicyError, match=r"^cases\.yaml"):
        parse_cases(text, "cases.yaml")
