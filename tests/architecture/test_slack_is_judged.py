"""No test starts a Slack that nobody judges at its end."""

import ast
from collections.abc import Iterator
from pathlib import Path

STARTS = {"LocalSlack", "on_local_slack"}
HOLD_A_SLACK = {"chat", "demo", "serve"}
REFUSED = ["test_command_line.py"]  # all that it starts is refused before there is a Slack


def _started(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            name = node.func.id if isinstance(node.func, ast.Name) else name
            if name in STARTS:
                yield node.lineno


def _words(tree: ast.AST) -> set[object]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_a_process_with_a_slack_is_one_that_is_judged(root: Path) -> None:
    found = [
        path.name
        for path in sorted((root / "tests" / "e2e").glob("test_*.py"))
        if (said := _words(ast.parse(path.read_text()))) & HOLD_A_SLACK
        and {"-m", "assistant"} <= said
    ]
    assert found == REFUSED, "start it with FIRSTLINE of tests/e2e/process.py"


def test_only_the_judged_slack_starts_one(root: Path) -> None:
    found = {
        path.relative_to(root).as_posix(): lines
        for path in sorted((root / "tests").rglob("*.py"))
        if (lines := list(_started(ast.parse(path.read_text()))))
    }
    assert list(found) == ["tests/slackrig.py"], "start it with `judged` of tests/slackrig.py"
