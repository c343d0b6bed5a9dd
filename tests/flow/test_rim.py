"""Settings, folder, gathering, recall, the card and the result, with real parts."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from fakes import Failing
from rich.console import Console

from assistant import oncall, wiring
from assistant.card import show
from assistant.clock import SystemClock
from assistant.commands import Investigate
from assistant.config import ConfigError, load
from assistant.domain.events import (
    Opened,
    PlanProposed,
    ReadFailed,
    ReadPerformed,
    Recalled,
    ScopeSet,
)
from assistant.domain.hypothesis import Verdict
from assistant.domain.incident import IllegalEvent, apply
from assistant.folder import FolderInUse, held
from assistant.gather import gather
from assistant.result import dumps, result
from assistant.views import view
from connectors.api import Window
from connectors.errors import Unavailable
from connectors.recording import RecordingConnector, open_recording

FIXTURES = Path(__file__).parents[1] / "fixtures" / "recordings"
RELEASE = FIXTURES / "bad-release-7"
DOWN = "The trace store does not answer; is it running?"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return load(data=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def investigated(settings):
    """Return, for a recording, the incident and the events that led to it; each is asked once."""

    async def ask(folder):
        case = open_recording(folder).cases[0]
        service = wiring.recorded(folder, settings)
        events = []

        async def watch(_, event, state):
            events.append(event)

        service.watch(watch)
        asked = Investigate(
            text=case.symptom,
            at=case.alert_at,
            horizon=case.alert_at,
            service=case.alert["service"],
        )
        return await service.investigate(asked), events

    return cache(lambda folder: asyncio.run(ask(folder)))


def test_all_faults_of_the_settings_are_told_at_once(tmp_path):
    config = tmp_path / "firstline.toml"
    config.write_text('colour = "red"\nrunbooks = 3\n')
    with pytest.raises(ConfigError) as refused:
        load(config, tmp_path)
    assert "colour" in str(refused.value)
    assert "runbooks" in str(refused.value)


def test_a_secret_is_taken_from_where_it_lies(tmp_path):
    (tmp_path / "key").write_text("hunter2\n")
    config = tmp_path / "firstline.toml"
    config.write_text(f'[qdrant]\nurl = "http://q"\napi_key = "file:{tmp_path}/key"\n')
    assert load(config, tmp_path).qdrant.api_key == "hunter2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('telemetry_endpoint = "env:NO_SUCH_VARIABLE_HERE"', "NO_SUCH_VARIABLE_HERE is not set"),
        ('telemetry_endpoint = "file:/no/such/file"', "cannot be read"),
        ("= 3", "cannot be read as TOML"),
    ],
)
def test_settings_that_cannot_be_read_say_which(tmp_path, text, said):
    config = tmp_path / "firstline.toml"
    config.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load(config, tmp_path)


def test_a_named_settings_file_must_exist(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "absent.toml", tmp_path)


def test_the_data_folder_is_private_and_held_by_one(tmp_path):
    folder = tmp_path / "data"
    code = (
        "import sys; from pathlib import Path; from assistant.folder import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout.readline() == b"held\n"
        assert folder.stat().st_mode & 0o777 == 0o700
        with pytest.raises(FolderInUse, match="another firstline process uses"), held(folder):
            pass
    finally:
        os.kill(other.pid, signal.SIGKILL)
        other.communicate()
    with held(folder):
        pass


async def test_a_source_that_cannot_be_built_ends_every_start_with_the_same_sentence(tmp_path):
    config = tmp_path / "firstline.toml"
    config.write_text(f'[connectors.recording]\npath = "{RELEASE}"\n[connectors.gremlins]\n')
    broken = load(config, tmp_path / "data")
    with pytest.raises(ConfigError, match="gremlins: No connector is called gremlins") as once:
        wiring.live(broken)
    with wiring.index(broken) as index, pytest.raises(ConfigError) as on_call:
        async with oncall.configured(broken, index):
            pass
    assert str(once.value) == str(on_call.value)


async def test_a_failed_source_is_not_looked_at_and_the_others_go_on():
    info = open_recording(RELEASE).info
    window = Window(start=info.start, end=info.end)
    sources = {"broken": Failing(Unavailable(DOWN)), "recording": RecordingConnector(RELEASE)}
    gathered = await gather(sources, window, SystemClock())
    (failed,) = [r for r in gathered.reads if isinstance(r, ReadFailed)]
    assert failed.reason == DOWN
    assert gathered.telemetry.spans.height > 1000
    assert gathered.telemetry.changes_seen


def test_the_events_come_in_the_order_of_the_line(investigated):
    kinds = [type(event) for event in investigated(RELEASE)[1]]
    assert kinds[:2] == [Opened, ScopeSet]
    assert kinds[2:6] == [ReadPerformed] * 4
    assert kinds[-2:] == [PlanProposed, Recalled]


def test_the_runbook_of_the_cause_is_proposed_with_its_names_filled_in(investigated):
    incident = investigated(RELEASE)[0]
    assert incident.plan.runbook == "exception-in-new-release"
    text = " ".join(step.text for step in incident.plan.steps)
    assert incident.finding.hypotheses[0].service in text
    assert "{{" not in text


async def test_a_folder_in_use_is_a_gap_not_a_failure(tmp_path, settings):
    own = settings.model_copy(update={"data": tmp_path / "data"})
    service = wiring.recorded(RELEASE, own)
    case = open_recording(RELEASE).cases[0]
    ask = Investigate(text="?", at=case.alert_at, horizon=case.alert_at)
    wiring.INDEX_PATIENCE_S, patience = 0.1, wiring.INDEX_PATIENCE_S
    try:
        with held(own.data):
            incident = await service.investigate(ask)
    finally:
        wiring.INDEX_PATIENCE_S = patience
    assert incident.plan is None
    assert any("runbooks were not looked at" in gap for gap in incident.gaps)
    assert incident.finding.verdict is Verdict.LIKELY


def test_the_card_says_what_why_and_what_next_and_each_claim_can_be_checked(investigated):
    incident = investigated(RELEASE)[0]
    shown = view(incident)
    known = {e.id for e in incident.finding.evidence}
    lines = [shown.headline, shown.change, *shown.symptom, *shown.why, *shown.ruled_out]
    lines += [*shown.innocent, *shown.others]
    assert all(line.evidence and set(line.evidence) <= known for line in lines)
    console = Console(width=110, record=True, file=io.StringIO())
    show(shown, console)
    card = console.export_text()
    for part in ("Verdict", "Likely", "Change", "Why", "Ruled out", "Innocent", "Next:", "Sources"):
        assert part in card
    assert "0 tokens" in card


def test_a_quiet_system_gets_a_card_that_names_no_cause(investigated):
    shown = view(investigated(FIXTURES / "none-6")[0])
    assert shown.verdict_text == "Looks healthy"
    assert shown.why == ()
    assert shown.change is None
    assert shown.steps == ()


def test_the_result_has_its_stable_names(investigated):
    said = result(investigated(RELEASE)[0])
    assert list(said) == [
        "verdict",
        "why_verdict",
        "onset",
        "hypotheses",
        "change",
        "innocent_changes",
        "ruled_out",
        "evidence",
        "gaps",
        "plan",
    ]
    assert json.loads(dumps(said))["hypotheses"][0]["rank"] == 1


def test_a_finding_that_cites_unknown_evidence_is_refused(investigated):
    _, events = investigated(RELEASE)
    ranked = next(e for e in events if hasattr(e, "finding"))
    bare = type(ranked.finding)(
        **{
            **{f: getattr(ranked.finding, f) for f in ranked.finding.__dataclass_fields__},
            "evidence": (),
        }
    )
    opened = apply(None, events[0])
    with pytest.raises(IllegalEvent, match="unknown evidence"):
        apply(opened, type(ranked)(finding=bare, seconds=0.0))


def test_an_incident_begins_with_being_opened_once():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    scope = ScopeSet(start=now, end=now + timedelta(minutes=1))
    with pytest.raises(IllegalEvent):
        apply(None, scope)
    opened = Opened(at=now, text="?", service=None)
    with pytest.raises(IllegalEvent):
        apply(apply(None, opened), opened)
