"""Recorded runs of the example shop: their verdicts, and the same ones under other names."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from assistant.clock import SystemClock
from assistant.demo import correct
from assistant.evaluate.diagnosis import outcomes
from assistant.gather import gather
from connectors.api import Window
from connectors.demo import Truth
from connectors.recording import RecordingConnector, open_recording, write_recording

RECORDINGS = sorted((Path(__file__).parents[1] / "fixtures" / "recordings").iterdir())


def truth_of(case):
    return Truth(
        service=case.truth["service"],
        instance=case.truth["instance"],
        type=case.truth["type"],
        change=case.truth["change"],
        innocent=tuple(case.truth["decoys"]),
    )


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda f: f.name)
async def test_the_recorded_run_gets_the_right_verdict(folder):
    (outcome,) = await outcomes(open_recording(folder), given=False)
    truth = truth_of(outcome.case)
    assert correct(outcome.finding, truth), outcome.finding
    if truth.service is not None:
        first = outcome.finding.hypotheses[0]
        assert first.type.value == truth.type
        assert truth.instance in (None, first.instance)
        assert truth.change not in {c.ref for c in outcome.finding.innocent_changes}


def invented(names, seed):
    """Other names of other lengths, in another alphabetical order."""
    rng = random.Random(seed)  # noqa: S311 — names, not secrets
    letters = "bcdfghklmnprstvwz"
    made = {"".join(rng.choice(letters) + rng.choice("aeiou") for _ in range(4)) for _ in range(99)}
    return dict(zip(sorted(names), rng.sample(sorted(made), len(names)), strict=True))


def renamed(text, names):
    if text is None:
        return None
    for old in sorted(names, key=len, reverse=True):
        text = text.replace(old, names[old])
    return text


async def with_other_names(folder, target, seed):
    """Write the recording anew with every service, instance, peer and change called otherwise."""
    recording = open_recording(folder)
    whole = Window(start=recording.info.start, end=recording.info.end + timedelta(seconds=1))
    read = await gather({"recording": RecordingConnector(folder)}, whole, SystemClock())
    frames = {n: getattr(read.telemetry, n) for n in ("spans", "logs", "metrics")}
    spans = frames["spans"]
    known = {*spans["service"].unique(), *spans["peer"].drop_nulls().unique()}
    names = invented(known, seed)
    for kind, frame in frames.items():
        columns = [c for c in ("service", "instance", "peer", "version") if c in frame.columns]
        frames[kind] = frame.with_columns(
            *(
                pl.col(c).replace({v: renamed(v, names) for v in frame[c].drop_nulls().unique()})
                for c in columns
            )
        )
    (case,) = recording.cases
    told = json.loads(renamed(json.dumps(dict(case.truth)), names))
    alert = json.loads(renamed(json.dumps(dict(case.alert)), names))
    write_recording(
        target,
        title="renamed",
        source=recording.info.source,
        window=Window(start=recording.info.start, end=recording.info.end),
        **frames,
        changes=[
            replace(
                c,
                target=renamed(c.target, names),
                ref=renamed(c.ref, names),
                summary=renamed(c.summary, names),
            )
            for c in recording.changes
        ],
        cases=[replace(case, truth=told, alert=alert, symptom=renamed(case.symptom, names))],
    )
    return names


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda f: f.name)
async def test_other_names_change_nothing_but_the_names(folder, tmp_path):
    (before,) = await outcomes(open_recording(folder), given=False)
    names = await with_other_names(folder, tmp_path / "renamed", seed=7)
    (after,) = await outcomes(open_recording(tmp_path / "renamed"), given=False)
    assert after.finding.verdict is before.finding.verdict
    assert correct(after.finding, truth_of(after.case))
    said = [(h.service, h.cause, h.score) for h in after.finding.hypotheses[:1]]
    expected = [
        (renamed(h.service, names), h.cause, h.score) for h in before.finding.hypotheses[:1]
    ]
    assert said == expected
