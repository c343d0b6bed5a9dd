"""What people install: exactly the four packages, working away from the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("assistant", "connectors", "retrieval", "runbooks")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and, from the test environment, what it depends on."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    python = home / "bin/python"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--offline", "--no-deps", "--python", python, wheel],
        check=True,
        capture_output=True,
    )
    site = next(home.glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def _run(installed: Path, *command: str) -> str:
    env = {"PATH": os.defpath, "HOME": str(installed)}
    return subprocess.run(
        [installed / "bin" / command[0], *command[1:]],
        cwd=installed,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_wheel_holds_the_packages_with_their_data_and_nothing_else(
    root: Path, shipped: list[Path], wheel: Path
) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == {path.relative_to(root).as_posix() for path in shipped}


def test_wheel_carries_its_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    licences = {name.rpartition("/")[2] for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_all_four_packages_import_from_an_environment_of_their_own(installed: Path) -> None:
    places = _run(
        installed,
        "python",
        "-c",
        f"import {', '.join(PACKAGES)}\nfor p in ({', '.join(PACKAGES)}): print(p.__file__)",
    ).splitlines()
    assert len(places) == len(PACKAGES)
    assert all(Path(place).is_relative_to(installed) for place in places)


def test_the_command_runs_away_from_the_checkout(installed: Path) -> None:
    assert "demo" in _run(installed, "firstline", "--help")
