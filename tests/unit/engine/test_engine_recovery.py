"""Whether an action helped, told from requests before, during and after it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from frames import T0, metrics, minute, spans

from assistant.domain.recovery import Effect
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from assistant.engine.recovery import Phases, recovery
from connectors.api import LOGS, METRICS, Window

ONSET, ACTED, END = 120, 180, 240


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def telemetry(rows):
    import polars as pl

    return Telemetry(
        spans=spans(rows), logs=pl.DataFrame(schema=LOGS), metrics=pl.DataFrame(schema=METRICS)
    )


def judged(*afterwards, cited=True, before=None, called=None):
    broken = before or [*minute(600, 0), *minute(200, ONSET, prefix="u", gap=150.0)]
    now = at(ACTED)
    finding = diagnose(telemetry(broken), Question(at=now, horizon=now))
    if not cited:
        kept = tuple(e for e in finding.evidence if not e.kind.startswith("symptom_"))
        finding = replace(finding, evidence=kept)
    if called is not None:
        named = (replace(e, subject=replace(e.subject, operation=called)) for e in finding.evidence)
        finding = replace(finding, evidence=tuple(named))
    phases = Phases(
        before=at(ONSET),
        during=Window(start=at(ONSET), end=at(ACTED)),
        after=Window(start=at(ACTED + 2), end=at(END)),
    )
    return recovery(telemetry([*broken, *afterwards]), finding, phases)


@pytest.mark.parametrize(
    ("gap", "effect"),
    [
        (0.0, Effect.RECOVERED),
        (150.0, Effect.NO_EFFECT),
        (40.0, Effect.IMPROVED),
        (2500.0, Effect.WORSE),
    ],
)
def test_the_same_requests_are_measured_again(gap, effect):
    extra = {"gap": gap} if gap else {}
    said = judged(*minute(200, ACTED + 2, prefix="v", **extra))
    assert said.effect is effect
    measure = said.measures[0]
    assert measure.before < measure.during
    assert measure.n_after >= 20


@pytest.mark.parametrize(
    ("gap", "effect"),
    [(0.0, Effect.RECOVERED), (150.0, Effect.NO_EFFECT)],
)
def test_requests_that_have_come_to_suffer_since_the_finding_are_measured(gap, effect):
    extra = {"gap": gap} if gap else {}
    said = judged(*minute(200, ACTED + 2, prefix="v", **extra), cited=False)
    assert said.effect is effect
    measure = said.measures[0]
    assert measure.evidence is None
    assert measure.what == "requests to front GET /"
    assert measure.before < measure.during


def test_where_no_request_ever_suffered_nothing_is_called_mended():
    quiet = [*minute(600, 0), *minute(200, ONSET, prefix="u")]
    said = judged(*minute(200, ACTED + 2, prefix="v"), cited=False, before=quiet)
    assert (said.effect, said.measures) == (Effect.NOT_MEASURED, ())


def handed_to(name, rows):
    """Rename the entry that the second half of the requests are handed to."""
    half = len(rows) // 2
    return [
        row | {"name": name} if i >= half and row["service"] == "back" else row
        for i, row in enumerate(rows)
    ]


@pytest.mark.parametrize("called", ["GET /", "GET / GET /items"])
@pytest.mark.parametrize("routes", [1, 2])
def test_requests_are_the_same_however_their_routes_were_told_apart(called, routes):
    after = minute(200, ACTED + 2, prefix="v")
    said = judged(*(after if routes == 1 else handed_to("GET /more", after)), called=called)
    assert said.effect is Effect.RECOVERED
    assert said.measures[0].n_after >= 20


def test_without_requests_nothing_is_claimed():
    assert judged().effect is Effect.NOT_MEASURED


@pytest.mark.parametrize(
    ("values", "effect"),
    [
        ((0.02, 0.021, 0.02, 0.022), Effect.RECOVERED),
        ((0.9, 0.95, 0.9, 0.92), Effect.NO_EFFECT),
        ((0.02, 0.02), Effect.NOT_MEASURED),
    ],
)
def test_what_only_metrics_told_is_read_from_them_again(values, effect):
    def sample(instance, seconds, value):
        return {
            "time": at(seconds), "service": "front", "instance": instance, "unit": "s",
            "name": "http.server.request.duration.mean", "value": value,
        }  # fmt: skip

    usual = [sample("f-1", i, 0.02 + 0.001 * (i % 3)) for i in range(0, ONSET, 2)]
    broken = [sample("f-1", i, 0.9) for i in range(ONSET, ACTED, 2)]
    again = [sample("f-2", ACTED + 4 * i + 3, value) for i, value in enumerate(values)]
    seen = replace(Telemetry.empty(), metrics=metrics([*usual, *broken]))
    now = at(ACTED)
    finding = diagnose(seen, Question(at=now, horizon=now))
    phases = Phases(
        before=at(ONSET),
        during=Window(start=at(ONSET), end=at(ACTED)),
        after=Window(start=at(ACTED + 2), end=at(END)),
    )
    later = replace(seen, metrics=metrics([*usual, *broken, *again]))
    said = recovery(later, finding, phases)
    assert said.effect is effect
    assert (said.measures[0].unit, round(said.measures[0].during)) == ("ms", 900)


def two_kinds(few, bad=None, was=None, **how):
    """Two kinds of requests that both fail, or are as `was` says; few of one are seen afterwards.

    The last `bad` of them, by default all, are as `how` says.
    """

    def rare(rows):
        return [row | {"name": "GET /checkout"} if row["name"] == "GET /" else row for row in rows]

    was = was or {"failing": True}
    broken = [
        *minute(600, 0),
        *rare(minute(300, 0, prefix="r")),
        *minute(200, ONSET, prefix="u", **was),
        *rare(minute(100, ONSET, prefix="ru", **was)),
    ]
    bad = few if bad is None else bad
    again = [
        *minute(200, ACTED + 2, prefix="v"),
        *rare(minute(few - bad, ACTED + 2, prefix="w")),
        *rare(minute(bad, ACTED + 2, prefix="x", **how)),
    ]
    return judged(*again, before=broken)


def test_a_symptom_that_the_few_requests_seen_still_show_counts_against_recovery():
    said = two_kinds(5, failing=True)
    assert said.effect is Effect.NO_EFFECT
    assert said.why == "at least one symptom is as large as before the action"


@pytest.mark.parametrize(("few", "how"), [(5, {}), (2, {"failing": True}), (0, {})])
def test_recovered_names_the_symptoms_of_which_too_little_was_seen(few, how):
    said = two_kinds(few, **how)
    assert said.effect is Effect.RECOVERED
    assert said.why == (
        "what was seen often enough is as before the incident; too little was seen to tell of "
        f"failed requests to front GET /checkout ({few} since the action)"
    )


def test_of_few_requests_one_that_fails_proves_nothing():
    said = two_kinds(3, bad=1, failing=True)
    assert said.effect is Effect.RECOVERED
    assert said.why.endswith("failed requests to front GET /checkout (3 since the action)")


@pytest.mark.parametrize(("gap", "effect"), [(150.0, Effect.NO_EFFECT), (15.0, Effect.RECOVERED)])
def test_few_requests_that_are_a_little_slow_prove_nothing_and_slow_ones_do(gap, effect):
    assert two_kinds(5, was={"gap": 150.0}, gap=gap).effect is effect


def test_recovered_says_all_where_all_was_measured():
    said = two_kinds(50)
    assert said.effect is Effect.RECOVERED
    assert said.why == "every symptom that was cited is as before the incident"
