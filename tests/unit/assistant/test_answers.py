"""The figures of peers, each worked out on paper."""

import io
import json

import pytest
from rich.console import Console
from test_figures import outcome
from written import NOON

from assistant.evaluate.answers import Answer, Judged, peer_figures, place, tied
from assistant.evaluate.report import report, show
from assistant.result import dumps
from connectors.recording import Case


def judged(places, *, candidates=9, truth=None, **more):
    case = Case(id="c", alert_at=NOON, symptom="slow", truth={"service": "a", **(truth or {})})
    return Judged(case=case, candidates=candidates, answer=Answer(places=places, **more))


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ((("a",), ("b",)), 1),
        ((("b",), ("a",)), 2),
        ((("a", "b"),), 1.5),
        ((("b",), ("a", "c", "d")), 3),
        ((("b",),), 10),
        ((), 10),
    ],
)
def test_a_tie_counts_as_its_mean_place_and_the_unnamed_come_last(places, where):
    assert place(Answer(places=places), "a", 9) == where


def test_equal_scores_are_tied():
    assert tied({"b": 1.0, "a": 1.0, "c": 3.0}) == (("c",), ("a", "b"))
    assert tied({}) == ()


def test_a_case_without_an_answer_counts_as_a_miss_and_not_as_a_case():
    said = peer_figures(
        [judged((("a",),), seconds=1.0), judged((("b",), ("a",)), seconds=3.0), judged(())]
    )
    assert said["cases"] == 2
    assert said["ac1"] == pytest.approx(1 / 3)
    assert said["ac3"] == pytest.approx(2 / 3)
    assert said["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 10) / 3)
    assert said["seconds_p50"] == 2.0


def test_what_a_peer_cannot_give_is_null():
    never = peer_figures([judged(()), judged(())])
    assert {name for name, value in never.items() if value is not None} == {"cases"}
    truth = {"change": None, "decoys": ["v1"]}
    no_change = peer_figures([judged(None, judges_changes=True, truth=truth)])
    assert (no_change["ac1"], no_change["mrr"]) == (None, None)
    assert (no_change["cases"], no_change["change_accuracy"], no_change["decoys"]) == (1, 1.0, 0)
    ranker = peer_figures([judged((("a",),), truth=truth)])
    assert (ranker["change_accuracy"], ranker["decoys"]) == (None, None)


def test_a_blamed_decoy_is_counted():
    truth = {"change": "v2", "decoys": ["v1"]}
    said = peer_figures([judged((), judges_changes=True, change="v1", truth=truth)])
    assert (said["change_accuracy"], said["decoys"]) == (0.0, 1)


def test_the_report_has_each_peer_overall_and_by_recording_and_the_table_below_firstline():
    found = [
        outcome(("a", 0.9, 0.9), recording="one", peers={"rule": Answer(places=(("a",),))}),
        outcome(("a", 0.9, 0.9), recording="two", peers={"rule": Answer(places=(("b",),))}),
    ]
    said = json.loads(dumps(report(found, (0, 0))))["peers"]["rule"]
    assert said["ac1"] == 0.5
    assert {name: row["ac1"] for name, row in said["by_recording"].items()} == {
        "one": 1.0,
        "two": 0.0,
    }
    out = io.StringIO()
    show(found, (0, 0), Console(width=120, file=out))
    rows = out.getvalue().split("Peers")[1]
    assert rows.index("firstline") < rows.index("rule")
