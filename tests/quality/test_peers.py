"""The published methods on a system that never existed, where their environment is at hand."""

import json
import subprocess
import sys

import pytest

from bench.generator import generate
from connectors.recording import write_recording

METHODS = ("BARO", "TORAI", "TraceRCA", "MicroRank", "PDiagnose")


def run(folder, root, *more):
    return subprocess.run(
        [sys.executable, "-m", "bench.peers", str(folder), *more],
        cwd=root, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_every_method_answers_in_the_same_run(pytestconfig, tmp_path):
    python = pytestconfig.rootpath / ".venv-peers/bin/python"
    if not python.exists():
        pytest.skip("optional: `make peers` has not been run")
    made = generate(5, fault="slow_code", services=5, rps=2, minutes=20)
    write_recording(
        tmp_path / "recording", title=made.title, source="made", window=made.window,
        spans=made.spans, logs=made.logs, metrics=made.metrics, changes=made.changes,
        known_incidents=made.known_incidents, cases=made.cases,
    )  # fmt: skip
    figures = tmp_path / "figures.json"
    more = ("--onset", "given", "--json", str(figures))
    done = run(tmp_path / "recording", pytestconfig.rootpath, *more)
    assert done.returncode == 0, done.stderr
    peers = json.loads(figures.read_text())["peers"]
    assert {name: peers[name]["cases"] for name in METHODS} == dict.fromkeys(METHODS, 1)
    assert all(name in done.stdout for name in METHODS)


def test_without_the_environment_it_says_how_to_make_it(pytestconfig, tmp_path):
    absent = tmp_path / "python"
    done = run(tmp_path, pytestconfig.rootpath, "--python", str(absent))
    assert done.returncode == 2
    assert "make peers" in done.stderr
