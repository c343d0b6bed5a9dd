"""`make setup` on a machine that lacks something says in one sentence what to install."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def checkout(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    for name in ("Makefile", ".ci/check-python", "requirements/build.txt"):
        place = tmp_path / "a checkout" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pytestconfig.rootpath / name, place)
    return tmp_path / "a checkout"


def _interpreter(folder: Path, body: str) -> None:
    folder.mkdir()
    script = folder / "python3"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)


def _setup(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{checkout / 'fake'}:{os.defpath}", "HOME": str(checkout)}
    command = [shutil.which("make") or "make", "setup", *arguments]
    return subprocess.run(
        command, cwd=checkout, env=env, capture_output=True, text=True, check=False
    )


def _only_sentence(run: subprocess.CompletedProcess[str]) -> str:
    """The one line that is not make's own closing word."""
    assert run.returncode != 0
    (line,) = [line for line in run.stderr.splitlines() if not line.startswith("make")]
    return line


def test_no_python_at_all(checkout: Path) -> None:
    sentence = _only_sentence(_setup(checkout, "PYTHON=python3.99"))
    assert "there is no 'python3.99'" in sentence
    assert "install Python 3.11" in sentence


def test_python_is_too_old(checkout: Path) -> None:
    _interpreter(checkout / "fake", "exit 1")
    assert "is not Python 3.11 or newer" in _only_sentence(_setup(checkout))


def test_python_cannot_make_a_venv(checkout: Path) -> None:
    hide = "import sys; sys.modules['ensurepip'] = None; exec(sys.argv[1])"
    _interpreter(checkout / "fake", f'exec "{sys.executable}" -c "{hide}" "$2"')
    assert "apt-get install python3-venv" in _only_sentence(_setup(checkout))
    assert not (checkout / ".venv").exists()


def test_an_interrupted_setup_leaves_no_marker(checkout: Path) -> None:
    _interpreter(
        checkout / "fake",
        f'[ "$1" = -m ] && mkdir .venv && exit 7; exec "{sys.executable}" "$@"',
    )
    assert _setup(checkout).returncode != 0
    assert list((checkout / ".venv").iterdir()) == []
