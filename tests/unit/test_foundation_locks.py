"""The locks hold every requirement, with hashes and without a word on where to download it."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
LOCKS = ("build", "runtime", "dev")


def _pins(root: Path, lock: str) -> dict[str, str]:
    return dict(PIN.findall((root / f"requirements/{lock}.txt").read_text()))


def _wanted(root: Path, lock: str) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups, runtime = project["dependency-groups"], project["project"]["dependencies"]
    plain = [entry for entry in groups["dev"] if isinstance(entry, str)]
    wanted = {
        "build": groups["build"],
        "runtime": runtime,
        "dev": [*groups["build"], *runtime, *plain],
    }[lock]
    return [Requirement(text) for text in wanted]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_locked_at_a_version_it_allows(
    pytestconfig: pytest.Config, lock: str
) -> None:
    pins = _pins(pytestconfig.rootpath, lock)
    stale = [
        str(wanted)
        for wanted in _wanted(pytestconfig.rootpath, lock)
        if pins.get(canonicalize_name(wanted.name), "absent") not in wanted.specifier
    ]
    assert stale == [], "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_address(pytestconfig: pytest.Config, lock: str) -> None:
    text = (pytestconfig.rootpath / f"requirements/{lock}.txt").read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(PIN.findall(text))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("lock", ["build", "runtime"])
def test_the_locks_agree_with_one_another(pytestconfig: pytest.Config, lock: str) -> None:
    root = pytestconfig.rootpath
    assert _pins(root, lock).items() <= _pins(root, "dev").items()
