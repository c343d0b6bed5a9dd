"""The methods come from a lock of their own."""

import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


@pytest.fixture
def folder(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath / "bench/peers"


def test_the_lock_holds_what_is_asked_for(folder: Path) -> None:
    locked = dict(PIN.findall((folder / "requirements.txt").read_text()))
    wanted = PIN.findall((folder / "requirements.in").read_text())
    assert ("RCAEval", "1.8.1") in wanted
    assert {n: v for n, v in wanted if locked.get(canonicalize_name(n)) != v} == {}, (
        "run `make lock`"
    )


def test_every_pin_has_a_hash_and_no_address(folder: Path) -> None:
    text = (folder / "requirements.txt").read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(PIN.findall(text))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
