"""What the rules without an engine blame, over a few rows of telemetry."""

import pytest
from observed import asked, change, line, seen, span, window

from assistant.evaluate.naive import incident, naive


def said(name, telemetry, question):
    return naive(telemetry, question)[name].places


def test_the_incident_is_as_told_or_the_last_two_minutes_before_the_alert():
    assert incident(asked(at=600, onset=500, until=700)) == window(500, 700)
    assert incident(asked(at=600)) == window(480, 600)


def test_the_alerted_service_is_blamed_if_there_is_one():
    assert said("alerted service", seen(), asked(service="pay")) == (("pay",),)
    assert not naive(seen(), asked())["alerted service"].answered


def test_longest_total_duration_is_what_rose_not_what_was_always_long():
    usual = [span("slow", at, 5.0) for at in range(0, 400, 10)]
    usual += [span("quick", at, 0.1) for at in range(0, 400, 10)]
    now = [span("slow", at, 5.0) for at in range(500, 600, 10)]
    now += [span("quick", at, 2.0) for at in range(500, 600, 10)]
    telemetry = seen(spans=[*usual, *now])
    assert said("longest total duration", telemetry, asked(onset=500, until=600))[0] == ("quick",)


def test_a_known_incident_is_no_baseline():
    earlier = [span("quick", at, 9.0) for at in range(0, 100, 10)]
    usual = [span(name, at, 0.1) for name in ("slow", "quick") for at in range(100, 400, 10)]
    now = [span("slow", at, 1.0) for at in range(500, 600, 10)]
    now += [span("quick", at, 2.0) for at in range(500, 600, 10)]
    telemetry = seen(spans=[*earlier, *usual, *now])
    asked_with = asked(onset=500, until=600, known=[window(0, 100)])
    assert said("longest total duration", telemetry, asked_with)[0] == ("quick",)
    assert said("longest total duration", telemetry, asked(onset=500, until=600))[0] == ("slow",)


def test_live_the_future_end_of_a_known_incident_is_not_told():
    rows = [span("a", at, 1.0) for at in range(400, 480, 10)]
    rows += [span("a", at, 2.0) for at in range(480, 600, 10)]
    rows += [span("b", at, 1.5) for at in range(480, 600, 10)]
    now = said("longest total duration", seen(spans=rows), asked(known=[window(400, 700)]))
    assert now == (("b",), ("a",))  # with the rows from 400 on as baseline, b rose by more


def test_most_errors_counts_failed_spans_and_bad_lines_of_the_incident_alone():
    telemetry = seen(
        spans=[span("a", 500 + i, status="error") for i in range(2)]
        + [span("early", i, status="error") for i in range(9)],
        logs=[line("b", 500 + i, "ERROR") for i in range(3)]
        + [line("a", 510, "error"), line("c", 511, "FATAL"), line("d", 512, "WARN")],
    )
    assert said("most errors", telemetry, asked(onset=500, until=600)) == (("a", "b"), ("c",))


def test_without_any_error_there_is_no_answer():
    assert not naive(seen(spans=[span("a", 590)]), asked())["most errors"].answered


@pytest.mark.parametrize(
    ("changes", "places", "ref"),
    [
        ([change("v1", 100), change("v2", 300, target="b"), change("v3", 700)], (("b",),), "v2"),
        ([change("v1", 100), change("f", 300, kind="flag", target="b")], (("a",),), "v1"),
        ([change("f", 300, kind="flag", target="b")], (("b",),), "f"),
        ([change("c", 300, kind="commit", target=None)], (), "c"),
        ([], (), None),
    ],
)
def test_the_latest_deploy_before_the_alert_is_blamed_and_any_change_if_there_is_none(
    changes, places, ref
):
    answer = naive(seen(changes=changes), asked())["latest deploy"]
    assert (answer.places, answer.change, answer.judges_changes) == (places, ref, True)


def test_no_change_is_a_rule_that_names_no_service():
    answer = naive(seen(changes=[change("v1", 100)]), asked())["always no change"]
    assert answer.answered
    assert (answer.places, answer.change) == (None, None)
