"""What a policy says: never more than its rules allow, whatever is asked of it."""

import threading
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.policy import source
from assistant.policy.cases import parse_cases
from assistant.policy.decide import LONGEST_S, Kind, decide
from assistant.policy.facts import NAMES
from assistant.policy.rules import parse
from assistant.policy.source import SHIPPED_CASES, shipped_text

USUAL = parse_cases(shipped_text(SHIPPED_CASES), SHIPPED_CASES)[0].facts
CASES = parse_cases(shipped_text(SHIPPED_CASES), SHIPPED_CASES)
shipped = cache(source.shipped)  # reading it takes longer than asking it
WEAK = [Kind.DENY, Kind.APPROVAL, Kind.ALLOW]


def policy(*rules):
    lines = ["version: 1", "rules:"]
    for number, (when, then) in enumerate(rules):
        lines += [f"  - name: r{number}", f"    when: '{when}'", f"    then: {then}"]
    return parse("\n".join(lines), "p.yaml")


def asked(made, **facts):
    return decide(made, {**USUAL, **facts})


def test_what_no_rule_allows_is_denied():
    ruling = asked(policy(('effect == "read"', "allow")))
    assert (ruling.kind, ruling.rule, ruling.failed) == (Kind.DENY, None, False)


def test_one_rule_that_denies_outweighs_all_others_wherever_it_stands():
    made = policy(("true", "allow"), ('risk == "medium"', "deny"))
    ruling = asked(made)
    assert (ruling.kind, ruling.rule) == (Kind.DENY, "r1")
    assert asked(made, risk="low").kind is Kind.ALLOW


def test_of_the_others_the_first_that_fits_counts():
    made = policy(("touches > 2", "{approvals: 3, from: dba}"), ("true", "{approvals: 1}"))
    wide, narrow = asked(made, touches=3), asked(made)
    assert (wide.kind, wide.needed, wide.group) == (Kind.APPROVAL, 3, "dba")
    assert (narrow.needed, narrow.group) == (1, None)


@pytest.mark.parametrize(
    "when",
    ["touches", "action + target", "touches > risk", "touches * 9223372036854775807 * 9 > 1"],
    ids=str,
)
def test_a_rule_that_cannot_be_answered_is_a_no(when):
    try:
        made = policy((when.replace("'", '"'), "allow"), ("true", "allow"))
    except ValueError:
        pytest.fail("the policy should be readable")
    ruling = asked(made)
    assert ruling.kind is Kind.DENY
    assert ruling.failed


def test_a_policy_that_takes_too_long_is_a_no():
    ticks = iter([0.0, 0.01, 0.2, 0.3, 0.4, 0.5, 0.6])
    ruling = decide(policy(("true", "allow"), ("true", "allow")), USUAL, lambda: next(ticks))
    assert (ruling.kind, ruling.failed) == (Kind.DENY, True)
    assert "too long" in ruling.why


@pytest.mark.parametrize("name", sorted(NAMES))
def test_without_any_one_fact_the_answer_is_no(name):
    for case in CASES:
        facts = {k: v for k, v in case.facts.items() if k != name}
        ruling = decide(shipped(), facts)
        assert (ruling.kind, ruling.failed) == (Kind.DENY, True)
        assert name in ruling.why


@given(
    st.fixed_dictionaries({
        "effect": st.sampled_from(["read", "mutate"]),
        "risk": st.sampled_from(["low", "medium", "high"]),
        "touches": st.integers(0, 40), "repeated": st.integers(0, 8),
        "break_glass": st.booleans(), "undo": st.booleans(), "hour": st.integers(0, 23),
    }),
    st.sets(st.sampled_from(sorted(NAMES)), min_size=1),
)  # fmt: skip
def test_removing_facts_never_makes_an_answer_weaker(facts, removed):
    full = decide(shipped(), {**USUAL, **facts})
    less = decide(shipped(), {k: v for k, v in {**USUAL, **facts}.items() if k not in removed})
    assert WEAK.index(less.kind) <= WEAK.index(full.kind)


@given(
    st.dictionaries(
        st.sampled_from(sorted(NAMES)) | st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
        | st.lists(st.integers(), max_size=2),
    )
)  # fmt: skip
def test_facts_of_a_wrong_kind_are_a_no_and_no_error(facts):
    ruling = decide(shipped(), facts)
    assert ruling.kind is Kind.DENY
    assert ruling.failed


def test_the_same_facts_are_named_by_the_same_digest():
    made = shipped()
    assert asked(made).facts == asked(made).facts != asked(made, hour=4).facts


class Interrupted:
    """A condition in whose middle the machine does something else."""

    def execute(self, facts):
        return not threading.Event().wait(2 * LONGEST_S)


def test_a_machine_that_does_something_else_meanwhile_does_not_make_it_a_no():
    made = replace(policy(("true", "allow")), conditions=(Interrupted(),))
    assert asked(made).kind is Kind.ALLOW
