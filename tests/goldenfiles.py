"""Texts kept in files: what is made now must be what was looked at once.

`UPDATE_GOLDEN=1` writes them anew, and the difference is looked at before it is committed.
"""

import json
import os
from difflib import unified_diff
from pathlib import Path

GOLDEN = Path(__file__).with_name("golden")
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def pretty(value):
    """Return JSON as a person reads it, one thing a line."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def difference(name, made, folder=GOLDEN, *, update=UPDATE):
    """Return how `made` differs from the file of this name, as a diff; empty if it does not."""
    path = folder / name
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    told = unified_diff(
        kept.splitlines(), made.splitlines(), f"kept in {name}", "made now", lineterm=""
    )
    return "\n".join(told)


def same(name, made):
    """Fail with the difference, where there is one."""
    found = difference(name, made)
    assert not found, f"{found}\n(if this is meant: UPDATE_GOLDEN=1, and look at what changes)"
