"""The command line as a person and a script use it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
FIXTURES = Path(__file__).parents[1] / "fixtures" / "recordings"
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One data folder for all, so that runbooks are embedded once."""
    return tmp_path_factory.mktemp("data")


def firstline(data, *words):
    return subprocess.run(
        [sys.executable, "-m", "assistant", *map(str, words), "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_same_question_gets_the_same_bytes_and_a_picture_adds_nothing(data, tmp_path):
    words = ("investigate", "orders fail", "--recording", FIXTURES / "bad-release-6", "--json")
    picture = tmp_path / "evidence.png"
    first, second = firstline(data, *words), firstline(data, *words, "--plot", picture)
    assert (first.returncode, first.stdout) == (0, second.stdout)
    assert json.loads(first.stdout)["verdict"] == "likely"
    assert picture.read_bytes().startswith(b"\x89PNG")
    told = (tmp_path / "evidence.png.txt").read_text(encoding="utf-8")
    assert told.startswith("Line chart of E")
    assert told in second.stderr


def test_a_person_reads_what_the_picture_shows(data, tmp_path):
    words = ("investigate", "orders fail", "--recording", FIXTURES / "bad-release-6")
    done = firstline(data, *words, "--plot", tmp_path / "evidence.png")
    told = (tmp_path / "evidence.png.txt").read_text(encoding="utf-8")
    assert told.count("\n") == 2
    assert done.stdout.endswith(told)


def test_where_nothing_was_cited_nothing_is_drawn_and_that_is_said(data, tmp_path):
    words = ("investigate", "?", "--recording", FIXTURES / "none-6")
    done = firstline(data, *words, "--plot", tmp_path / "none.png")
    assert done.returncode == 0
    assert "nothing to draw" in done.stdout
    assert not (tmp_path / "none.png").exists()


def test_a_picture_that_cannot_be_written_is_one_sentence(data, tmp_path):
    (tmp_path / "taken.png").mkdir()
    words = ("investigate", "orders fail", "--recording", FIXTURES / "bad-release-6")
    for place, said in (
        ("taken.png", "cannot be written"),
        ("absent/a.png", "is no .png in a folder"),
        ("a.gif", "is no .png in a folder"),
    ):
        done = firstline(data, *words, "--plot", tmp_path / place)
        assert done.returncode == 2
        assert said in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "spans.parquet").write_bytes(b"rubbish"), "spans.parquet"),
        (lambda f: (f / "recording.json").write_text("{"), "recording.json"),
        (lambda f: (f / "changes.jsonl").write_text("[]\n"), "changes.jsonl"),
        (lambda f: (f / "recording.json").unlink(), "recording"),
    ],
)
def test_a_malformed_recording_is_one_sentence_that_names_the_file(data, tmp_path, spoil, said):
    folder = tmp_path / "recording"
    folder.mkdir()
    for file in (FIXTURES / "none-6").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    spoil(folder)
    done = firstline(data, "investigate", "?", "--recording", folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("investigate", "?", "--recording", "no-such-folder"),
        ("investigate", "?", "--recording", FIXTURES / "none-6", "--at", "noon"),
        ("investigate", "?"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(data, words):
    done = firstline(data, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_doctor_tells_scripts_what_is_there(data):
    done = firstline(data, "doctor", "--json")
    said = json.loads(done.stdout)
    assert {"otlp", "recording", "alertmanager"} <= set(said["available_connectors"])
    assert said["configured"] == []
    well = {c["name"]: c["ok"] for c in said["installation"]}
    assert well == {"packages": True, "index": True, "journal": True, "listen": True}
    assert done.returncode == 0
    assert "index" in firstline(data, "doctor").stdout


def bench(tmp_path, *folders, onset="detected"):
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "assistant", "bench", "diagnosis", *map(str, folders)]
    command += ["--onset", onset, "--json", str(figures)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "overall" in done.stdout
    return json.loads(figures.read_text())


@pytest.mark.parametrize("onset", ["given", "detected"])
def test_the_benchmark_gives_its_figures(tmp_path, onset):
    folders = [FIXTURES / n for n in ("bad-release-6", "slow-dependency-6", "cpu-contention-6")]
    said = bench(tmp_path, *folders, onset=onset)
    assert set(said) == {"overall", "by_recording", "by_fault", "cases", "peers"}
    assert said["overall"]["cases"] == 3
    assert said["overall"]["ac1"] == 1.0


@pytest.mark.timeout(200)
def test_real_labelled_incidents_are_answered(tmp_path):
    if not SHARED.is_dir():
        pytest.skip("../shared is absent")
    said = bench(tmp_path, SHARED / "train-ticket-2023-01-30")
    assert said["overall"]["cases"] == 6
    assert said["overall"]["abstention_windows"] >= 0
