"""What the files of the project must not say."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(work|tmp|root|home|Users)/",
    "a package registry": r"\b(pypi|pythonhosted|npmjs|docker|ghcr|quay)\.(org|com|io)\b",
    "who wrote it": r"(?i)\b(co-?authored|written|generated|assisted)[ -](by|with)[ -:]+"
    r"(an? )?(machine|model|bot|agent|ai)\b",
}


@pytest.fixture(scope="module")
def texts(root: Path) -> dict[str, str]:
    """Every file that is not ignored by git, by its place in the checkout."""
    ignored = [line.strip("/") for line in (root / ".gitignore").read_text().splitlines() if line]
    found = {}
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if ".git" in parts or any(fnmatch(part, rule) for part in parts for rule in ignored):
            continue
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            found["/".join(parts)] = content.decode()
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str, texts: dict[str, str]) -> None:
    assert "pyproject.toml" in texts
    pattern = re.compile(FORBIDDEN[what])
    named = {name: match[0] for name, text in texts.items() if (match := pattern.search(text))}
    assert named == {}
