"""When the shop's monitor raises an alert, and when it stays silent."""

import pytest
from shop.slo import CLEAR_S, HOLD_S, Sample, Symptom, Watch

ROUTE = "GET /"
LIMIT_S = 0.25


def _run(seconds: float, samples: list[Sample]) -> list[tuple[float, Symptom]]:
    """Feed samples in order of time, judging twice a second, as the load generator does."""
    watch = Watch({ROUTE: LIMIT_S})
    found = []
    waiting = sorted(samples, key=lambda sample: sample.at)
    for tick in range(int(seconds * 2) + 1):
        now = tick / 2
        while waiting and waiting[0].at <= now:
            watch.add(ROUTE, waiting.pop(0))
        found += [(now, symptom) for symptom in watch.evaluate(now)]
    return found


def _traffic(start: float, end: float, *, slow_every: int = 0, fail_every: int = 0) -> list[Sample]:
    """Four requests a second, of which each n-th is slow or fails."""
    return [
        Sample(
            at=start + number / 4,
            seconds=0.6 if slow_every and number % slow_every == 0 else 0.02,
            failed=bool(fail_every) and number % fail_every == 0,
        )
        for number in range(int((end - start) * 4))
    ]


def test_healthy_traffic_is_silent():
    assert _run(60, _traffic(0, 60)) == []


def test_two_slow_requests_wake_nobody():
    outliers = [Sample(at=at, seconds=2.0, failed=True) for at in (10.0, 10.1)]
    assert _run(30, _traffic(0, 30) + outliers) == []


@pytest.mark.parametrize(
    ("bad", "name"),
    [({"slow_every": 2}, "HighLatency"), ({"fail_every": 3}, "HighErrorRatio")],
)
def test_a_fault_fires_within_eight_seconds_of_its_onset(bad: dict[str, int], name: str):
    found = _run(40, _traffic(0, 20) + _traffic(20, 40, **bad))
    assert [(symptom.name, symptom.firing) for _, symptom in found] == [(name, True)]
    assert 20 + HOLD_S <= found[0][0] <= 28
    assert found[0][1].text.startswith(ROUTE)


def test_a_fault_that_ends_resolves_once_it_has_been_gone_for_a_while():
    found = _run(60, _traffic(0, 10, slow_every=1) + _traffic(10, 60))
    assert [symptom.firing for _, symptom in found] == [True, False]
    assert found[1][0] >= 10 + CLEAR_S


def test_a_route_without_traffic_is_silent():
    assert _run(20, []) == []
