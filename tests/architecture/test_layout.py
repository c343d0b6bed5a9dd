"""Small files, small functions, names that say something, errors caught narrowly."""

import ast
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
SAYS_NOTHING = {"utils", "helpers", "common", "misc", "manager"}
# What stands between one broken part, ours or anybody's, and all the others.
MAY_CATCH_ALL = {
    "assistant/cli/line.py",  # the outermost frame: it becomes one sentence
    "assistant/runtime.py",  # one broken job must not stop the others of its lane
    "assistant/known.py",  # a surface that fails must not fail the record
    "assistant/gather.py",  # a source may be anybody's, and the others go on
    "assistant/actions/run.py",  # an actuator may be anybody's, and its outcome is unknown then
    "connectors/registry.py",
}


def test_no_file_is_longer_than_four_hundred_lines(sources: list[Path]) -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in sources}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_sixty_lines(sources: list[Path]) -> None:
    too_long = [
        f"{path}:{node.lineno} {node.name}"
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert too_long == []


def test_every_module_has_a_name_that_says_what_it_is_for(sources: list[Path]) -> None:
    assert [path for path in sources if SAYS_NOTHING & {path.stem, path.parent.name}] == []


def _catches_all(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=None):
                yield node.lineno
            case (
                ast.ExceptHandler(type=caught)
                | ast.Call(
                    func=ast.Attribute(attr="suppress") | ast.Name(id="suppress"), args=[caught, *_]
                )
            ):
                names = {name.id for name in ast.walk(caught) if isinstance(name, ast.Name)}
                if names & {"Exception", "BaseException"}:
                    yield node.lineno


def test_only_six_places_catch_everything(root: Path, sources: list[Path]) -> None:
    elsewhere = [
        f"{path}:{line}"
        for path in sources
        if path.relative_to(root).as_posix() not in MAY_CATCH_ALL
        for line in _catches_all(ast.parse(path.read_text()))
    ]
    assert elsewhere == []
