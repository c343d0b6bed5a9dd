"""The command line when it is misused, asked for help, or given what it cannot use."""

import json
import socket
import subprocess
import sys

import pytest

from assistant.folder import held
from bench.generator import generate
from connectors.recording import write_recording

pytestmark = pytest.mark.e2e
OVERALL = {
    "cases", "ac1", "ac3", "ac5", "mrr", "type_accuracy", "change_accuracy", "decoys",
    "affected_f1", "brier", "brier_constant", "ece", "precision_likely", "coverage_likely",
    "abstention", "abstention_windows", "kept", "chance_ac1", "seconds_p50", "seconds_p95",
    "peak_mb",
}  # fmt: skip


def firstline(*words):
    return subprocess.run(
        [sys.executable, "-m", "assistant", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def refused(*words):
    """Return the one sentence with which the command refuses."""
    done = firstline(*words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("firstline: ")
    assert done.stdout == ""
    return done.stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    made = generate(3, fault="exception", services=3, rps=2, minutes=20)
    folder = tmp_path_factory.mktemp("recorded") / "recording"
    write_recording(
        folder,
        title=made.title,
        source="made",
        window=made.window,
        spans=made.spans,
        logs=made.logs,
        metrics=made.metrics,
        changes=made.changes,
        known_incidents=made.known_incidents,
        cases=made.cases,
    )
    return folder, made.cases[0]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One data folder for all, so that runbooks are embedded once."""
    return tmp_path_factory.mktemp("data")


@pytest.mark.parametrize(
    ("command", "speaks_of"),
    [
        ("", "investigate"),
        ("investigate", "--recording"),
        ("demo", "--page"),
        ("serve", "--local"),
        ("chat", "--as"),
        ("slack manifest", "manifest"),
        ("audit verify", "--data"),
        ("doctor", "--json"),
        ("bench", "diagnosis"),
        ("bench diagnosis", "--onset"),
    ],
)
def test_every_command_helps(command, speaks_of):
    done = firstline(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ")
    assert speaks_of in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["investigate"], "Missing argument 'QUESTION'"),
        (["investigate", "?", "--at", "noon"], "'noon' is not a time like"),
        (["investigate", "?", "--at", "0001-01-01T00:00:00Z"], "is not in the years 1970 to 9998"),
        (["investigate", "?", "--tell"], "No such option '--tell'"),
        (["bench", "diagnosis", "x", "--onset", "guessed"], "'guessed' is not one of"),
        (["bench", "diagnosis", "no-such-folder"], "no recording folder no-such-folder"),
        (["demo", "--seed", "minus"], "'minus' is not a valid integer"),
        (["demo", "--port", "70000"], "70000"),
        (["gremlins"], "No such command 'gremlins'"),
        (["--config", "no-such.toml", "doctor"], "no-such.toml: there is no such file"),
    ],
)
def test_a_mistake_in_the_question_is_one_sentence(words, said):
    assert said in refused(*words)


def test_a_mistake_in_the_settings_is_one_sentence(tmp_path):
    config = tmp_path / "firstline.toml"
    config.write_text('colour = "red"\ntelemetry_endpoint = "env:FIRSTLINE_TEST_UNSET"\n')
    said = refused("--config", config, "investigate", "?")
    assert "colour: " in said
    assert "FIRSTLINE_TEST_UNSET is not set" in said


def test_what_cannot_be_written_is_said_before_the_work(recorded, tmp_path):
    folder, _ = recorded
    absent = tmp_path / "absent" / "figures.json"
    assert "there is no folder" in refused("bench", "diagnosis", folder, "--json", absent)
    assert "is not empty; name a new folder" in refused("demo", "--record", folder)
    (tmp_path / "kept-again").write_text("the second half of another run")
    assert "kept-again is not empty" in refused("demo", "--record", tmp_path / "kept")


def test_a_benchmark_of_what_cannot_be_read_gives_no_figures(tmp_path):
    made = generate(3, fault="healthy", services=3, rps=2, minutes=6)
    write_recording(
        tmp_path / "spoilt",
        title="spoilt",
        source="made",
        window=made.window,
        spans=made.spans,
        cases=made.cases,
    )
    (tmp_path / "spoilt" / "spans.parquet").write_bytes(b"PAR1")
    said = refused("bench", "diagnosis", tmp_path / "spoilt")
    assert "spoilt: spans.parquet is not a readable Parquet file" in said


def test_a_generated_incident_is_explained_the_same_way_twice(recorded, data):
    folder, case = recorded
    words = ("investigate", case.symptom, "--recording", folder, "--at", case.alert_at.isoformat())
    words += ("--json", "--data", data)
    first, second = firstline(*words), firstline(*words)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout == second.stdout
    said = json.loads(first.stdout)
    assert said["hypotheses"][0]["service"] == case.truth["service"]
    assert said["change"]["ref"] == case.truth["change"]


def test_the_benchmark_writes_every_figure_that_scripts_read(recorded, tmp_path):
    folder, _ = recorded
    done = firstline("bench", "diagnosis", folder, "--json", tmp_path / "figures.json")
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads((tmp_path / "figures.json").read_text())
    assert set(said) == {"overall", "by_recording", "by_fault", "cases", "peers"}
    assert set(said["overall"]) >= OVERALL
    assert said["overall"]["ac1"] == 1.0


def test_doctor_tells_which_source_is_ill_and_goes_on(recorded, data, tmp_path):
    folder, _ = recorded
    config = tmp_path / "firstline.toml"
    config.write_text(
        f"""
        [connectors.recording]
        path = "{folder}"
        [connectors.gremlins]
        [connectors.alertmanager]
        colour = "red"
        """
    )
    done = firstline("--config", config, "doctor", "--json", "--data", data)
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert [(c["name"], c["ok"]) for c in said["configured"]] == [
        ("alertmanager", False),
        ("gremlins", False),
        ("recording", True),
    ]
    assert "colour" in said["configured"][0]["message"]
    assert "installed: " in said["configured"][1]["message"]


def checked(tmp_path, port):
    """Return what doctor says of a receiver at `port` and of the index."""
    config = tmp_path / "firstline.toml"
    config.write_text(f"[connectors.otlp]\nport = {port}\n")
    done = firstline("--config", config, "doctor", "--json", "--data", tmp_path / "data")
    said = json.loads(done.stdout)
    (otlp,) = said["configured"]
    (index,) = [c for c in said["installation"] if c["name"] == "index"]
    return done.returncode, otlp, index


def test_doctor_hears_nothing_and_says_if_the_port_of_what_listens_is_taken(tmp_path):
    code, otlp, _ = checked(tmp_path, 0)
    assert (code, otlp["ok"]) == (0, True)
    assert otlp["message"] == "The OTLP receiver can listen on 127.0.0.1, port 0."
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, otlp, _ = checked(tmp_path, port)
    assert (code, otlp["ok"]) == (1, False)
    assert otlp["message"].startswith(f"Port {port} is already in use; ")


def test_doctor_tries_the_port_for_webhooks_and_says_if_it_is_taken(tmp_path):
    config = tmp_path / "firstline.toml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        config.write_text(f'listen = "{where}"\n')
        done = firstline("--config", config, "doctor", "--json", "--data", tmp_path / "data")
    (listen,) = [c for c in json.loads(done.stdout)["installation"] if c["name"] == "listen"]
    assert (done.returncode, listen["ok"]) == (1, False)
    assert listen["message"].startswith(f"{where}, for webhooks and health checks, cannot be")


def test_doctor_finds_nothing_ill_while_firstline_is_on_call(tmp_path):
    with held(tmp_path / "data"), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, otlp, index = checked(tmp_path, taken.getsockname()[1])
    assert (code, otlp["ok"], index["ok"]) == (0, True, True)
    why = "another firstline process uses the data folder (is it on call?)"
    assert otlp["message"] == f"not looked at: {why}"
    assert index["message"] == f"not looked at: {why}"


def test_the_manifest_for_http_wants_an_address_that_slack_posts_to():
    done = firstline("slack", "manifest", "--http", "https://firstline.example")
    assert "request_url: https://firstline.example/slack/events" in done.stdout
    assert "socket_mode_enabled: false" in done.stdout
    refused = firstline("slack", "manifest", "--http", "http://firstline.example")
    assert (refused.returncode, "https only" in refused.stderr) == (2, True)
