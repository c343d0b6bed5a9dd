"""What the engine may see under each protocol of `firstline bench diagnosis`."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from assistant.domain.hypothesis import Verdict
from assistant.evaluate.diagnosis import MIN_TRACES, WINDOW, abstentions, outcomes
from bench.generator import generate
from connectors.errors import Rejected
from connectors.recording import open_recording, write_recording

QUIET = (Verdict.HEALTHY, Verdict.NOT_DETERMINED)


@pytest.fixture(scope="module")
def made():
    return generate(3, fault="exception", services=3, rps=2, minutes=20)


def kept(folder, made, case, **more):
    parts = {
        "spans": made.spans,
        "logs": made.logs,
        "metrics": made.metrics,
        "changes": made.changes,
        "known_incidents": made.known_incidents,
        **more,
    }
    write_recording(
        folder, title=made.title, source="made", window=made.window, cases=[case], **parts
    )
    return open_recording(folder)


def until(made, moment):
    """Return the telemetry that a live backend could have told at `moment`."""
    return {
        "spans": made.spans.filter(pl.col("end") < moment),
        "logs": made.logs.filter(pl.col("time") < moment),
        "metrics": made.metrics.filter(pl.col("time") < moment),
        "changes": [
            c if c.until is None or c.until < moment else replace(c, until=None)
            for c in made.changes
            if c.at < moment
        ],
    }


@pytest.mark.parametrize("early", [timedelta(minutes=1), -timedelta(seconds=40)])
async def test_live_nothing_after_the_alert_is_seen(made, tmp_path, early):
    (case,) = made.cases
    case = replace(case, alert_at=case.onset - early, onset=None, until=None)
    (whole,) = await outcomes(kept(tmp_path / "whole", made, case), given=False)
    seen = until(made, case.alert_at)
    assert seen["spans"].height < made.spans.height
    (cut,) = await outcomes(kept(tmp_path / "cut", made, case, **seen), given=False)
    assert whole.live
    assert whole.finding == cut.finding
    if early > timedelta(0):  # the fault lies in the future
        assert whole.finding.verdict in QUIET


async def test_live_the_future_of_a_known_incident_is_not_told(made, tmp_path):
    (case,) = made.cases
    (told,) = await outcomes(kept(tmp_path / "told", made, case), given=False)
    untold = kept(tmp_path / "untold", made, case, known_incidents=())
    (alone,) = await outcomes(untold, given=False)
    assert told.finding == alone.finding


@pytest.mark.parametrize("given", [True, False])
async def test_both_protocols_find_a_plain_fault(made, tmp_path, given):
    (case,) = made.cases
    (said,) = await outcomes(kept(tmp_path / "recording", made, case), given=given)
    assert said.live is not given
    assert said.finding.hypotheses[0].service == case.truth["service"]
    assert said.finding.change.ref == case.truth["change"]
    if given:
        assert said.finding.onset == case.onset


async def test_a_case_without_an_onset_is_run_live(made, tmp_path):
    (case,) = made.cases
    case = replace(case, onset=None, until=None)
    (said,) = await outcomes(kept(tmp_path / "recording", made, case), given=True)
    assert said.live


async def test_quiet_windows_are_disjoint_and_lie_outside_known_incidents(made, tmp_path):
    (case,) = made.cases
    recording = kept(tmp_path / "recording", made, case)
    kept_quiet, asked = await abstentions(recording)
    room = (case.onset - made.window.start) / WINDOW
    assert 2 <= asked <= room
    assert kept_quiet == asked


async def test_windows_with_little_traffic_are_not_asked_about(made, tmp_path):
    (case,) = made.cases
    few = made.spans["trace_id"].unique().sort()[: MIN_TRACES - 1]
    spans = made.spans.filter(pl.col("trace_id").is_in(few.implode()))
    recording = kept(tmp_path / "recording", made, case, spans=spans)
    assert await abstentions(recording) == (0, 0)


async def test_what_cannot_be_read_is_no_figure(made, tmp_path):
    recording = kept(tmp_path / "spoilt", made, made.cases[0])
    (recording.folder / "logs.parquet").write_bytes(b"rubbish")
    with pytest.raises(Rejected, match=r"spoilt: logs\.parquet"):
        await outcomes(recording, given=False)
