"""Accepted runbooks as files: whole, private, refused where they are no good."""

import pytest

from runbooks.model import RunbookError
from runbooks.shelf import Shelf

GOOD = """---
id: ledger-slow
title: ledger is slow
summary: It was slow, and a restart helped.
applies_to: [slow_code]
services: [ledger]
symptoms: [requests are slow, timeouts]
owners: [ana]
reviewed: 2026-03-01
made_from: INC-7
---

## Steps

1. **check** — Look.

2. **action** — Restart it.

   action: `restart_instance` service=ledger instance={{ instance }}

   no rollback: it is gone.

   journal: 3, 5

3. **verify** — Look again.
"""
ACTIONS = {"restart_instance"}


def test_a_runbook_is_found_again_and_only_its_owner_can_read_it(tmp_path):
    folder = tmp_path / "runbooks"
    shelf = Shelf(folder)
    assert shelf.all() == ()
    added = shelf.add(GOOD, ACTIONS)
    assert shelf.all() == (added,)
    assert (added.services, added.made_from) == (("ledger",), "INC-7")
    assert added.steps[1].journal == (3, 5)
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_same_again_changes_nothing_and_another_text_replaces_it(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.add(GOOD, ACTIONS)
    (file,) = tmp_path.iterdir()
    before = file.stat().st_mtime_ns, file.stat().st_ino
    shelf.add(GOOD, ACTIONS)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before
    shelf.add(GOOD.replace("is slow", "is very slow"), ACTIONS)
    assert [r.title for r in shelf.all()] == ["ledger is very slow"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("id: ledger-slow", "id: ../ledger", "small letters"),
        ("id: ledger-slow", "id: .hidden", "small letters"),
        ("[slow_code]", "[gremlins]", "not a known cause"),
        ("1. **check** — Look.", "1. **check** — TODO", "unfinished"),
        ("services: [ledger]\n", "", "services does not say"),
        ("services: [ledger]", "services: ledger", "must be a list"),
        ("made_from: INC-7", "made_from: [INC-7]", "must be text"),
        ("`restart_instance`", "`drop_database`", "no action is called"),
    ],
)
def test_what_is_no_good_is_refused_and_leaves_no_file(tmp_path, old, new, why):
    with pytest.raises(RunbookError, match=why):
        Shelf(tmp_path).add(GOOD.replace(old, new), ACTIONS)
    assert list(tmp_path.rglob("*")) == []


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(RunbookError, match="cannot be written"):
        Shelf(tmp_path / "file").add(GOOD, ACTIONS)
