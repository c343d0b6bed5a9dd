"""The seeded plan: the same seed the same run, faults in many places, decoys where they mislead."""

from collections import Counter

import pytest
from shop.model import edges, entry
from shop.naming import invent
from shop.plan import FAULTS, BadRelease, Burn, Multiplied, SlowEdge, Unreachable, make
from shop.services import SERVICES

SEEDS = range(300)


@pytest.mark.parametrize("fault", [*FAULTS, None])
def test_same_seed_gives_the_same_run(fault: str | None):
    assert [make(SERVICES, seed, fault) for seed in SEEDS] == [
        make(SERVICES, seed, fault) for seed in SEEDS
    ]


@pytest.mark.parametrize(
    ("fault", "places"),
    [
        ("slow-dependency", len(SERVICES) - 1),
        ("bad-release", len(SERVICES)),
        ("cpu-contention", len(SERVICES)),
        ("n-plus-one", 6),  # services that read from elsewhere
        ("third-party-unreachable", 3),
        ("pool-exhaustion", 1),  # one service has a database
    ],
)
def test_a_fault_comes_wherever_it_can_and_nowhere_too_often(fault: str, places: int):
    hit = Counter(make(SERVICES, seed, fault).service for seed in SEEDS)
    assert len(hit) == places
    assert max(hit.values()) < len(SEEDS) * max(0.35, 1.2 / places)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_alerted_service_is_seldom_the_cause(fault: str):
    at_entry = sum(make(SERVICES, seed, fault).service == entry(SERVICES) for seed in SEEDS)
    assert at_entry < len(SEEDS) * 0.2


@pytest.mark.parametrize("fault", FAULTS)
def test_half_of_the_innocent_changes_are_at_the_faulty_service_and_near_the_onset(fault: str):
    plans = [make(SERVICES, seed, fault) for seed in SEEDS]
    same = sum(plan.innocents[0].service == plan.nearest for plan in plans)
    assert 0.4 < same / len(plans) < 0.6
    offsets = [innocent.offset_s for plan in plans for innocent in plan.innocents]
    assert all(-15 <= offset <= -5 or 3 <= offset <= 6 for offset in offsets)
    assert {innocent.kind for plan in plans for innocent in plan.innocents} == {
        "deploy",
        "config",
        "flag",
        "restart",
    }


def test_no_innocent_change_can_end_a_fault():
    for fault in FAULTS:
        for seed in SEEDS:
            plan = make(SERVICES, seed, fault)
            for innocent in plan.innocents:
                if innocent.offset_s > 0 and innocent.service == plan.nearest:
                    assert innocent.kind in {"config", "flag"}


def test_every_edge_becomes_slow_in_some_run():
    slow = {
        (plan.breakage.caller, plan.breakage.callee)
        for seed in SEEDS
        if isinstance((plan := make(SERVICES, seed, "slow-dependency")).breakage, SlowEdge)
    }
    assert slow == set(edges(SERVICES))


def test_a_bad_release_fails_on_one_real_operation_for_a_large_share():
    for seed in SEEDS:
        bad = make(SERVICES, seed, "bad-release").breakage
        assert isinstance(bad, BadRelease)
        route = next(r for r in SERVICES[bad.service].routes if r.name == bad.defect.route)
        assert bad.defect.step < len(route.steps)
        users = [{"user": f"u-{number:04d}"} for number in range(500)]
        share = sum(bad.defect.hits(user) for user in users) / len(users)
        assert 0.3 < share < 1


def test_cpu_is_burnt_in_an_instance_that_exists_and_often_has_a_sibling():
    burns = [make(SERVICES, seed, "cpu-contention").breakage for seed in SEEDS]
    assert all(
        isinstance(burn, Burn) and burn.index < SERVICES[burn.service].instances for burn in burns
    )
    paired = sum(SERVICES[burn.service].instances > 1 for burn in burns if isinstance(burn, Burn))
    assert paired / len(burns) > 0.5


def test_a_healthy_run_breaks_nothing_and_is_sometimes_crowded():
    plans = [make(SERVICES, seed, None) for seed in SEEDS]
    assert all(plan.breakage is None and plan.service is None for plan in plans)
    assert {len(plan.innocents) for plan in plans} == {1, 2}
    crowds = {plan.crowd for plan in plans}
    assert min(crowds) == 1.0
    assert 1.5 < max(crowds) <= 2.0


def test_invented_names_differ_from_one_another_and_from_seed_to_seed():
    for seed in SEEDS:
        names = invent(seed, SERVICES)
        assert len(set(names.values())) == len(SERVICES)
        assert not set(names.values()) & set(SERVICES)
    assert invent(1, SERVICES) == invent(1, SERVICES) != invent(2, SERVICES)


def test_a_loop_waits_at_a_step_that_reads_and_no_innocent_flag_starts_it():
    for seed in SEEDS:
        plan = make(SERVICES, seed, "n-plus-one")
        assert isinstance(plan.breakage, Multiplied)
        loop = plan.breakage.loop
        assert loop.flag in SERVICES[loop.service].flags
        assert 10 <= loop.times <= 120
        route = next(r for r in SERVICES[loop.service].routes if r.name == loop.route)
        assert "GET" in repr(route.steps[loop.step]) or "SELECT" in repr(route.steps[loop.step])
        (innocent,) = plan.innocents
        assert (innocent.service, innocent.detail) != (loop.service, loop.flag)


def test_a_third_party_fails_in_both_ways_and_is_no_service_of_the_shop():
    plans = [make(SERVICES, seed, "third-party-unreachable") for seed in SEEDS]
    assert not {plan.service for plan in plans} & set(SERVICES)
    assert {plan.nearest for plan in plans} < set(SERVICES)
    modes = {p.breakage.mode for p in plans if isinstance(p.breakage, Unreachable)}
    assert len(modes) == 2
