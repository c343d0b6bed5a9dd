"""How the command line ends where its output or its start is cut off: cleanly, and once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
FIRSTLINE = [sys.executable, "-m", "assistant"]
RECORDING = Path(__file__).parents[1] / "fixtures/recordings/bad-release-6"


def test_what_the_output_cannot_hold_is_replaced(tmp_path):
    done = subprocess.run(
        [*FIRSTLINE, "investigate", "order fails", "--recording", RECORDING, "--data", tmp_path],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"LIKELY" in done.stdout.upper()


def test_a_reader_that_has_gone_is_not_complained_of():
    reading, writing = os.pipe()
    os.close(reading)
    command = [*FIRSTLINE, "slack", "manifest"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.stderr == b""


def test_an_interruption_while_it_loads_is_one_sentence(tmp_path):
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(FIRSTLINE, capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (130, "firstline: stopped\n")
