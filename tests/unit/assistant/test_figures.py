"""The benchmark's figures over outcomes written by hand, each worked out on paper."""

import io
import json

import pytest
from rich.console import Console
from written import NOON, finding, hypothesis

from assistant.domain.hypothesis import BlamedChange, CauseType, Verdict
from assistant.evaluate.diagnosis import Outcome
from assistant.evaluate.figures import figures, rank
from assistant.evaluate.report import report, show
from assistant.result import dumps
from connectors.recording import Case


def outcome(*named, truth=None, verdict=Verdict.LIKELY, change=None, **more):
    """`named` are (service, score, confidence), best first; the truth is service "a"."""
    hypotheses = tuple(
        hypothesis(service, place, score, confidence=sure, affected=more.get("affected", ()))
        for place, (service, score, sure) in enumerate(named, start=1)
    )
    blamed = change and BlamedChange(
        ref=change, kind="deploy", target="a", at=NOON, why="", likelihood_ratio=9.0, evidence="E3"
    )
    return Outcome(
        recording=more.get("recording", "one"),
        case=Case(id="c", alert_at=NOON, symptom="slow", truth={"service": "a", **(truth or {})}),
        finding=finding(verdict, hypotheses=hypotheses, change=blamed),
        seconds=more.get("seconds", 1.0),
        live=True,
        candidates=more.get("candidates", 10),
        peers=more.get("peers", {}),
    )


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ([("a", 0.9, 1), ("b", 0.5, 1)], 1),
        ([("b", 0.9, 1), ("a", 0.5, 1)], 2),
        ([("a", 0.5, 1), ("b", 0.5, 1)], 1.5),
        ([("b", 0.5, 1), ("c", 0.5, 1), ("a", 0.5, 1)], 2),
        ([("b", 0.9, 1), ("a", 0.5, 1), ("c", 0.5, 1), ("d", 0.1, 1)], 2.5),
        ([("b", 0.9, 1)], 11),
        ([], 11),
    ],
)
def test_equal_scores_share_their_mean_place(named, place):
    assert rank(outcome(*named)) == place


def test_each_figure_is_what_paper_gives():
    first = outcome(("a", 0.9, 0.9), ("b", 0.1, 0.1))
    tied = outcome(("a", 0.5, 0.5), ("b", 0.5, 0.5), verdict=Verdict.POSSIBLE)
    third = outcome(("b", 0.9, 0.7), ("c", 0.5, 0.2), ("a", 0.4, 0.1))
    never = outcome(("b", 0.2, 0.1), verdict=Verdict.NOT_DETERMINED, candidates=4)
    said = figures([first, tied, third, never], (3, 4))
    assert said["cases"] == 4
    assert said["ac1"] == 0.25
    assert said["ac3"] == 0.75
    assert said["ac5"] == 1.0  # of four candidates the one that was not named comes fifth
    assert said["mrr"] == pytest.approx((1 + 1 / 1.5 + 1 / 3 + 1 / 5) / 4)
    assert said["brier"] == pytest.approx((0.1**2 + 0.5**2 + 0.7**2 + 0.1**2) / 4)
    assert said["brier_constant"] == pytest.approx(0.25 * 0.75)
    assert said["ece"] == pytest.approx((0.1 + 0.5 + 0.7 + 0.1) / 4)  # each in a bin of its own
    assert said["precision_likely"] == 0.5
    assert said["coverage_likely"] == 0.5
    assert said["kept"] == 0.75
    assert said["abstention"] == 0.75
    assert said["abstention_windows"] == 4
    assert said["chance_ac1"] == pytest.approx((3 / 10 + 1 / 4) / 4)


def test_calibration_is_the_gap_inside_a_bin():
    hits = [outcome(("a", 0.9, 0.9)) for _ in range(3)]
    miss = outcome(("b", 0.9, 0.9), ("a", 0.1, 0.1))
    assert figures([*hits, miss], (0, 0))["ece"] == pytest.approx(0.15)
    assert figures([outcome(("a", 1.0, 1.0))], (0, 0))["ece"] == 0.0


def test_type_change_decoys_and_affected_are_judged_where_they_are_known():
    truth = {"type": "code", "change": "v2", "decoys": ["f-7"], "affected": ["x", "y"]}
    right = outcome(("a", 0.9, 0.9), truth=truth, change="v2", affected=("x", "z"))
    wrong = outcome(("a", 0.9, 0.9), truth={**truth, "type": "network"}, change="f-7")
    unknown = outcome(("a", 0.9, 0.9))
    said = figures([right, wrong, unknown], (0, 0))
    assert right.finding.hypotheses[0].type is CauseType.CODE
    assert said["type_accuracy"] == 0.5
    assert said["change_accuracy"] == 0.5
    assert said["decoys"] == 1
    assert said["affected_f1"] == pytest.approx((0.5 + 0.0) / 2)


def test_no_change_at_fault_is_right_only_if_none_is_blamed():
    truth = {"change": None}
    assert figures([outcome(("a", 1, 1), truth=truth)], (0, 0))["change_accuracy"] == 1.0
    blamed = outcome(("a", 1, 1), truth=truth, change="v2")
    assert figures([blamed], (0, 0))["change_accuracy"] == 0.0


def test_a_figure_that_the_data_cannot_give_is_null():
    nothing = figures([], (0, 0))
    counts = {"cases", "live", "abstention_windows", "peak_mb"}
    assert {name for name, value in nothing.items() if value is not None} == counts
    bare = figures([outcome(("b", 0.9, 0.9), verdict=Verdict.POSSIBLE)], (0, 0))
    unknown = ("type_accuracy", "change_accuracy", "decoys", "affected_f1", "precision_likely")
    assert [bare[name] for name in unknown] == [None] * 5
    assert bare["abstention"] is None


def test_the_report_groups_by_recording_and_by_fault_and_is_json():
    found = [
        outcome(("a", 0.9, 0.9), truth={"fault": "leak"}, recording="one"),
        outcome(("b", 0.9, 0.9), truth={"fault": "leak"}, recording="two"),
        outcome(("a", 0.9, 0.9), recording="two"),
    ]
    said = json.loads(dumps(report(found, (0, 0))))
    assert {name: row["ac1"] for name, row in said["by_recording"].items()} == {
        "one": 1.0,
        "two": 0.5,
    }
    assert {name: row["cases"] for name, row in said["by_fault"].items()} == {"-": 1, "leak": 2}
    assert [case["rank"] for case in said["cases"]] == [1.0, 11.0, 1.0]
    out = io.StringIO()
    show(found, (2, 3), Console(width=120, file=out))
    assert "abstained in 2 of 3 quiet windows" in out.getvalue()
    assert "fault: leak" in out.getvalue()
