"""Documents that keep up with the code."""

import re
import tomllib
from pathlib import Path

LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")


def test_every_connector_has_a_heading(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    names = project["entry-points"]["firstline.connectors"]
    headings = re.findall(r"^#+ (.*)$", (root / "docs/connectors.md").read_text(), re.MULTILINE)
    words = {word.lower() for heading in headings for word in re.findall(r"\w+", heading)}
    assert set(names) - words == set()


def test_a_decision_fits_on_one_screen(root: Path) -> None:
    decisions = sorted((root / "docs/decisions").glob("*.md"))
    assert decisions
    assert [path for path in decisions if len(path.read_text().splitlines()) > 40] == []


def test_every_link_between_documents_leads_somewhere(root: Path) -> None:
    documents = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *root.glob("*/README.md")]
    broken = [
        f"{path.relative_to(root)}: {target}"
        for path in documents
        for target in LINK.findall(path.read_text())
        if not (path.parent / target).exists()
    ]
    assert broken == []
