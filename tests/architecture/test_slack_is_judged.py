"""No test starts a Slack that nobody judges at its end."""

import ast
from collections.abc import Iterator
from pathlib import Path

STARTS = {"LocalSlack", "on_local_slack"}


def _started(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name in STARTS:
                yield node.lineno


def test_only_the_judged_slack_starts_one(root: Path) -> None:
    found = {
        path.relative_to(root).as_posix(): lines
        for path in sorted((root / "tests").rglob("*.py"))
        if (lines := list(_started(ast.parse(path.read_text()))))
    }
    assert list(found) == ["tests/slackrig.py"], "start it with `judged` of tests/slackrig.py"
