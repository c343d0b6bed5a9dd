"""Every answer can be checked: what is cited exists, and lies in what could be seen."""

from pathlib import Path

import pytest

from assistant.domain.evidence import Evidence
from assistant.domain.hypothesis import Finding
from assistant.engine.question import Question, Telemetry
from assistant.evaluate.diagnosis import outcomes
from connectors.recording import open_recording

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings"
DATA = Path(__file__).parents[3] / "shared" / "data"


OF_A_MOMENT = ("peer_contrast", "k8s_event")  # not of before and after


def folders() -> list[Path]:
    return sorted(p.parent for p in RECORDINGS.glob("*/cases.json"))


def development() -> list[Path]:
    return sorted(p.parent for p in (*DATA.glob("train*/cases.json"), *DATA.glob("*/*/cases.json")))


def shown_times(evidence: Evidence) -> bool:
    return evidence.before is not None and evidence.after is not None and evidence.n_after > 0


def check(finding: Finding, question: Question, telemetry: Telemetry) -> None:
    known = {e.id: e for e in finding.evidence}
    cited = {i for h in finding.hypotheses for i in (*h.supports, *h.contradicts)}
    cited |= {r.evidence for r in finding.ruled_out}
    cited |= {c.evidence for c in finding.innocent_changes}
    cited |= {finding.change.evidence} if finding.change else set()
    assert cited <= known.keys()
    for hypothesis in finding.hypotheses:
        speaking = [known[i] for i in hypothesis.supports]
        assert speaking, f"nothing speaks for {hypothesis.service}"
        assert all(e.stance.value == "for" for e in speaking)
        assert any(e.exemplars for e in speaking), f"nothing to open of {hypothesis.service}"
        assert all(shown_times(e) for e in speaking if e.kind not in OF_A_MOMENT)
        assert any(shown_times(e) for e in speaking), f"no numbers of {hypothesis.service}"
    if len(finding.hypotheses) > 1:
        runner_up = finding.hypotheses[1].service
        assert runner_up in {r.service for r in finding.ruled_out}
    traces = set(telemetry.spans.get_column("trace_id").unique().to_list())
    traces |= set(telemetry.logs.get_column("trace_id").drop_nulls().unique().to_list())
    for evidence in finding.evidence:
        assert evidence.first_seen is None or evidence.first_seen <= question.horizon
        if evidence.source == "traces":
            assert set(evidence.exemplars) <= traces


async def asked(folder: Path, *, given: bool) -> int:
    seen: list[tuple[Question, Telemetry]] = []
    answers = await outcomes(
        open_recording(folder),
        given=given,
        onlooker=lambda _r, _c, question, telemetry: seen.append((question, telemetry)),
    )
    for answer, (question, telemetry) in zip(answers, seen, strict=True):
        check(answer.finding, question, telemetry)
        if not given:
            ends = telemetry.spans.get_column("end")
            assert not ends.len() or ends.max() <= question.at
    return len(answers)


@pytest.mark.parametrize("folder", folders(), ids=lambda p: p.name)
async def test_what_a_recorded_verdict_cites_can_be_opened(folder: Path):
    assert await asked(folder, given=False) > 0


@pytest.mark.parametrize("place", range(12))
async def test_what_is_cited_of_a_development_set_can_be_opened(place: int):
    found = development()
    if len(found) <= place:
        pytest.skip("../shared is absent: the development sets are not at hand")
    assert await asked(found[place], given=False) > 0


async def test_what_is_cited_with_the_onset_told_can_be_opened():
    found = development()
    if not found:
        pytest.skip("../shared is absent: the development sets are not at hand")
    assert await asked(found[-1], given=True) > 0
