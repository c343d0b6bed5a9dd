"""What a verdict rests on: chance, users, and whether the suspect is met by the bad requests."""

import pytest

from assistant.domain.hypothesis import Verdict
from assistant.engine import fuse
from assistant.engine.chance import Chance
from assistant.engine.confidence import LIKELY_CONFIDENCE, Standing, verdict
from assistant.engine.explain import Suspect
from assistant.engine.shift import Mechanism, Shift
from assistant.engine.symptom import Symptoms

SLOWER = Shift(
    mechanism=Mechanism.LATENCY,
    kind="symptom_latency",
    service="front",
    unit="ms",
    before=20.0,
    after=90.0,
    n0=400,
    n1=80,
    t=12.0,
    weight=1.0,
    strength=0.8,
)
LOUD_MACHINES = Chance(scores=(0.1, 0.3, 0.35, 0.4, 0.4, 0.45), behaviours=(0.0,) * 6)
QUIET = Chance(scores=(0.0,) * 6, behaviours=(0.0,) * 6)


def standing(*, felt=True, **told):
    """Return a clear case, less what is told."""
    clear = {
        "score": 0.6,
        "behaviour": 0.6,
        "runner_up": 0.05,
        "others": 0.08,
        "chance": QUIET,
        "cover": 0.9,
        "symptoms": Symptoms((SLOWER,) if felt else (), frozenset(), 200, 400),
        "enough_data": True,
        "stepped": True,
    }
    return Standing(**clear | told)


def judged(**told):
    return verdict(standing(**told))[0]


def test_a_clear_case_is_likely():
    assert judged() is Verdict.LIKELY


def test_machines_that_are_busy_on_quiet_days_do_not_drown_what_a_component_never_did():
    assert judged(score=0.37, behaviour=0.37, chance=LOUD_MACHINES) is not Verdict.NOT_DETERMINED
    assert judged(score=0.37, behaviour=0.0, chance=LOUD_MACHINES) is Verdict.NOT_DETERMINED


@pytest.mark.parametrize(
    ("behaviour", "said"), [(0.15, Verdict.POSSIBLE), (0.0, Verdict.NOT_DETERMINED)]
)
def test_without_a_moment_only_what_a_component_does_counts(behaviour, said):
    assert judged(score=0.15, behaviour=behaviour, stepped=False) is said


def test_a_component_that_does_what_it_never_did_is_told_although_few_requests_were_seen():
    assert judged(felt=False, enough_data=False, score=0.48, behaviour=0.48) is Verdict.POSSIBLE
    assert judged(felt=False, enough_data=False, behaviour=0.0) is Verdict.NOT_DETERMINED


def test_who_is_met_by_too_few_bad_requests_is_told_only_where_it_stands_out_by_itself():
    assert judged(cover=0.1, behaviour=0.0) is Verdict.NOT_DETERMINED
    assert judged(cover=0.1) is Verdict.POSSIBLE


def test_who_is_met_by_no_bad_request_explains_them_less_than_who_is_met_by_most():
    aside, met = (Suspect(name, {Mechanism.LATENCY: 0.5}) for name in ("aside", "met"))
    scored = [(0.41, aside), (0.31, met)]
    assert [s.service for _, s in fuse.on_the_way(scored, {"aside": 0.01, "met": 0.96})] == [
        "met",
        "aside",
    ]
    assert fuse.on_the_way(scored, {}) == scored
    assert fuse.on_the_way(scored, {"aside": 0.4, "met": 0.96}) == scored


def test_all_confidences_together_leave_room_for_what_was_not_thought_of():
    stands = standing(runner_up=0.3, others=0.4)
    others = [stands.share(0.3), stands.share(0.1)]
    assert stands.confidence > others[0] > others[1] > 0
    assert stands.confidence + sum(others) < 1


@pytest.mark.parametrize(
    "less", [{"score": 0.2}, {"runner_up": 0.4}, {"behaviour": 0.0}, {"cover": 0.2}]
)
def test_each_weakness_lowers_the_confidence(less):
    assert standing(**less).confidence < standing().confidence


@pytest.mark.parametrize("score", [0.01, 0.15])
def test_what_was_not_wholly_seen_is_not_healthy(score):
    quiet = {"felt": False, "score": score, "behaviour": 0.0}
    assert judged(**quiet) is Verdict.HEALTHY
    assert judged(**quiet, blind=True) is Verdict.NOT_DETERMINED
    assert judged(blind=True) is Verdict.LIKELY


def test_of_few_traced_requests_the_verdict_names_that_and_is_less_sure():
    stands = standing(enough_data=False, score=0.97, runner_up=0.0, others=0.0)
    said, why = verdict(stands)
    assert said is Verdict.POSSIBLE
    assert "too few requests were traced" in why
    assert stands.confidence < LIKELY_CONFIDENCE < standing().confidence
    weak = verdict(standing(enough_data=False, score=0.3, runner_up=0.3))[1]
    assert "not clearly apart" in weak


def test_two_quiet_buckets_are_too_few_to_beat_chance():
    assert judged(chance=Chance(scores=(0.0, 0.0), behaviours=(0.0, 0.0))) is not Verdict.LIKELY


def test_the_second_is_never_surer_than_the_first():
    stands = standing(score=0.32, runner_up=0.3, others=0.3, behaviour=0.0, cover=0.2)
    assert stands.share(0.3) <= stands.confidence
