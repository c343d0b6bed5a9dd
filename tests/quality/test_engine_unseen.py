"""What is asked late, or was hardly seen, is not called healthy."""

import pytest
from frames import minute, request
from verdicts import ONSET, ask, at

from assistant.domain.hypothesis import Verdict

RATE = 0.5
MINUTE = 60


def since(minutes, *, lasting=None, quiet=20):
    """What is said of a way that has been slow for so many minutes, after quiet ones."""
    lasting = minutes if lasting is None else lasting
    rows = minute(int(quiet * MINUTE * RATE), -quiet * MINUTE, rate=RATE)
    rows += minute(int(lasting * MINUTE * RATE), 0, prefix="u", rate=RATE, gap=60.0)
    left, over = minutes - lasting, lasting * MINUTE
    rows += minute(int(left * MINUTE * RATE), over, prefix="v", rate=RATE)
    return ask(rows, end=minutes * MINUTE)


@pytest.mark.parametrize("minutes", [14, 16, 20, 40])
def test_what_has_been_slow_for_long_is_found(minutes):
    finding = since(minutes)
    assert finding.verdict is Verdict.LIKELY
    assert finding.hypotheses[0].service == "back"
    assert abs((finding.onset - at(0)).total_seconds()) <= 15


def test_what_was_slow_for_a_while_and_is_over_is_healthy():
    assert since(30, lasting=8).verdict is Verdict.HEALTHY


def test_who_is_nowhere_to_be_seen_is_not_healthy():
    finding = ask(minute(700, 0), service="payments", text="payments is down")
    assert finding.verdict is Verdict.NOT_DETERMINED
    assert any("nothing was seen of payments" in gap for gap in finding.gaps)


@pytest.mark.parametrize("kind", ["spans", "peer", "logs", "metrics"])
def test_who_is_seen_anywhere_may_be_healthy(kind):
    rows = minute(700, 0)
    lines, samples = [], []
    if kind == "peer":
        rows[1]["peer"] = "payments"
        del rows[2]
    elif kind == "spans":
        rows[2]["service"] = "payments"
    elif kind == "logs":
        lines = [{"time": at(1), "service": "payments", "severity": "INFO", "body": "up"}]
    else:
        samples = [{"time": at(1), "service": "payments", "name": "cpu", "value": 0.1}]
    finding = ask(rows, lines=lines, samples=samples, service="payments")
    assert not any("nothing was seen of" in gap for gap in finding.gaps)


def kept(*, weight, share_failing):
    """What is said where failures are kept and the others are one of `weight` since the onset."""
    rows = []
    for i in range(700):
        late = i / 5 >= ONSET
        failing = i % (share_failing if late else 30) == 0
        stands_for = 1.0 if failing else (weight if late else 50.0)
        made = request(f"t{i}", i / 5, work=5 + 0.5 * (i % 5), failing=failing)
        rows += [{**row, "sampling_weight": stands_for} for row in made]
    return ask(rows)


def test_a_sampler_that_keeps_fewer_of_the_good_ones_makes_nobody_likely_at_fault():
    finding = kept(weight=500.0, share_failing=3)
    assert finding.verdict is Verdict.POSSIBLE
    assert "sampled otherwise" in finding.why_verdict
    assert any("rates are of sampled traces, and not as" in gap for gap in finding.gaps)


def test_more_failures_under_the_same_sampler_are_likely_all_the_same():
    finding = kept(weight=50.0, share_failing=3)
    assert finding.verdict is Verdict.LIKELY
    assert "rates are of sampled traces" in finding.gaps
