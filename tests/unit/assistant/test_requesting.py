"""What is wanted when somebody asks for an action, and because of what."""

from dataclasses import replace

import pytest
from written import PLAN, finding, hypothesis, incident

from assistant.commands import RequestAction, RequestStep
from assistant.domain.hypothesis import Verdict
from assistant.requesting import meant

STEP = RequestStep(incident="INC-1", step=1)


def because(found=None):
    return meant(STEP, incident(found, plan=PLAN)).reason


def test_a_step_is_asked_for_because_of_the_cause_with_its_evidence():
    assert because() == "ledger raises errors of its own (E1)"
    more = finding(hypotheses=(hypothesis(supports=("E1", "E2")),))
    assert because(more).endswith("(E1, E2)")


@pytest.mark.parametrize(
    "found",
    [finding(hypotheses=(hypothesis(supports=()),)), finding(Verdict.NOT_DETERMINED)],
)
def test_no_cause_is_told_that_no_evidence_names(found):
    assert because(found) == "step 2 of the runbook: A new release raises exceptions"


def test_before_there_is_an_answer_no_cause_is_told():
    state = replace(incident(plan=PLAN), finding=None)
    assert meant(STEP, state).reason.startswith("step 2 of the runbook")


def test_what_a_person_asks_for_has_the_reason_of_that_person():
    wish = RequestAction(incident="INC-1", action="rollback", args={}, reason="the pager said so")
    assert meant(wish, incident(plan=PLAN)).reason == "the pager said so"
