"""The measurement on generated systems asks what `firstline bench diagnosis` would ask."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from assistant.evaluate.diagnosis import outcomes, question_of
from bench.generated.__main__ import main, seeds
from bench.generated.judge import judge, seen
from bench.generated.plan import KINDS, make, plan, plan_healthy
from bench.generated.show import Block, as_json, line, wrong
from bench.generator import FAULTS, Shape
from connectors.recording import open_recording, write_recording

SMALL = Shape(services=5, minutes=12, rps=2.0, spans_per_trace=8)


def test_kinds_dirt_and_alerts_are_spread_evenly():
    plans = [plan(seed) for seed in range(1000, 1200)]
    kinds = Counter(p.fault for p in plans)
    assert set(kinds) == set(FAULTS) - {"healthy"}
    assert max(kinds.values()) - min(kinds.values()) <= 8
    assert sum(p.around.alert == "other" for p in plans) == pytest.approx(100, abs=4)
    assert sum(p.around.second is not None for p in plans) == 20
    assert all(p.around.second != p.fault for p in plans)
    for kind in KINDS:
        own = [p for p in plans if p.fault == kind and p.around.second is None]
        assert {p.dirt for p in own} == {0, 1, 2}
        assert {p.around.alert for p in own} == {"symptom", "other"}
    assert all(plan_healthy(seed).around.everyday for seed in range(2000, 2010))


def test_a_case_becomes_what_its_system_has_room_for():
    planned = plan(1011)
    made, recorded = make(planned, SMALL)
    (case,) = recorded.cases
    assert case.truth["fault"] == made.fault
    assert (case.truth["also"]["fault"] if made.around.second else None) == made.around.second
    assert (made.seed, made.dirt) == (planned.seed, planned.dirt)


@pytest.mark.parametrize("seed", [1014, 1015, 1016])
async def test_the_engine_says_the_same_as_about_the_written_recording(seed, tmp_path):
    planned = plan(seed)
    recorded = make(planned, SMALL)[1]
    folder = tmp_path / "recording"
    write_recording(
        folder,
        title=recorded.title,
        source="made",
        window=recorded.window,
        spans=recorded.spans,
        logs=recorded.logs,
        metrics=recorded.metrics,
        changes=recorded.changes,
        known_incidents=recorded.known_incidents,
        cases=recorded.cases,
    )
    (written,) = await outcomes(open_recording(folder), given=False)
    unwritten = judge(planned, SMALL).outcome
    assert unwritten.live
    assert replace(unwritten.finding, gaps=()) == replace(written.finding, gaps=())
    assert unwritten.candidates == written.candidates


def test_nothing_later_than_the_alert_is_seen():
    judged = judge(plan(1020), SMALL)
    recorded = make(plan(1020), SMALL)[1]
    (case,) = recorded.cases
    question = question_of(case, recorded.known_incidents, given=False)
    telemetry = seen(recorded, question)
    assert telemetry.spans["end"].max() < case.alert_at < recorded.spans["end"].max()
    assert telemetry.logs["time"].max() < case.alert_at
    assert telemetry.metrics["time"].max() < case.alert_at
    assert all(change.at < case.alert_at for change in telemetry.changes)
    assert question.onset is None
    assert question.service == case.alert["labels"]["service"]
    assert judged.outcome.case == case


def test_wrong_cases_are_told_with_truth_and_answer():
    judged = judge(plan(1013), SMALL)
    truth = {**judged.outcome.case.truth, "service": "elsewhere"}
    case = replace(judged.outcome.case, truth=truth)
    spoilt = replace(judged, outcome=replace(judged.outcome, case=case))
    block = Block(title="b", faulty=(spoilt,), healthy=())
    assert wrong(block) == [spoilt]
    said = line(spoilt)
    assert said.startswith("1013 ")
    assert "service" in said
    assert "truth elsewhere" in said
    assert as_json(block)["overall"]["ac1"] == 0.0
    assert as_json(block)["wrong"] == [said]


def test_the_command_prints_figures_and_writes_them(tmp_path, capsys):
    file = tmp_path / "figures.json"
    assert main(["--healthy", "2004", "--json", str(file)]) == 0
    said = capsys.readouterr()
    assert "false verdicts on healthy 0 of 1" in said.out
    assert "1 of 1 cases" in said.err
    (block,) = json.loads(file.read_text(encoding="utf-8"))["blocks"]
    assert block["false_verdicts"] == 0
    assert block["healthy"][0]["verdict"] in {"healthy", "not_determined"}


def test_seeds_are_first_and_last():
    assert seeds("3-5") == (3, 4, 5)
    assert seeds("7") == (7,)
    with pytest.raises(ValueError, match="before the first"):
        seeds("5-3")


def test_without_seeds_there_is_nothing_to_ask(capsys):
    assert main([]) == 2
    assert "--seeds" in capsys.readouterr().err
