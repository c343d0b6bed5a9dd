"""Markdown to runbooks: YAML front matter, prose, and one section of typed steps.

The form is described in docs/runbooks.md. It is strict, since a step that is silently misread may
be run one day: whatever does not fit is an error that names file and line.
"""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from runbooks.model import Runbook, RunbookError, Step, StepKind

TEXT_FIELDS = ("id", "title", "summary", "reviewed")
LIST_FIELDS = ("applies_to", "symptoms", "owners")
OPTIONAL_TEXT, OPTIONAL_LIST = ("made_from",), ("services",)

_KINDS = "|".join(StepKind)
_STEP = re.compile(rf"(\d+)\. \*\*({_KINDS})\*\* (?:—|-) (\S.*)")
_ACTION = re.compile(r"action: `([a-z][a-z0-9_]*)`(.*)")
_ARGUMENT = re.compile(r"\s+([a-z][a-z0-9_]*)=(\{\{.*?\}\}|\"[^\"]*\"|[^\s\"{}]+)")
_NO_ROLLBACK = re.compile(r"no rollback: (\S.*)")
_JOURNAL = re.compile(r"journal: (\d{1,9}(?:, \d{1,9})*)")
_FENCE = "```"
_INDENT = "   "


def load_library() -> tuple[Runbook, ...]:
    """The runbooks that are shipped, ordered by id; works from source and from a wheel."""
    return _load(files("runbooks").joinpath("library").iterdir())


def load_folder(folder: Path) -> tuple[Runbook, ...]:
    """All `*.md` of a folder (not below it), ordered by id.

    Raises `RunbookError` with a line for every file that cannot be read.
    """
    if not folder.is_dir():
        raise RunbookError(f"{folder} is not a folder; name the folder that holds the runbooks")
    return _load(folder.iterdir())


def _load(entries: Iterable[Traversable]) -> tuple[Runbook, ...]:
    runbooks: list[Runbook] = []
    faults: list[str] = []
    for entry in sorted(entries, key=lambda entry: entry.name):
        if not entry.name.endswith(".md"):
            continue
        try:
            runbooks.append(parse_runbook(entry.read_text(encoding="utf-8"), entry.name))
        except RunbookError as error:
            faults.append(str(error))
        except UnicodeDecodeError:
            faults.append(f"{entry.name}:1: the file is not UTF-8 text")
        except OSError as error:
            faults.append(f"{entry.name}:1: the file cannot be read: {error.strerror}")
    if faults:
        raise RunbookError("\n".join(faults))
    return tuple(sorted(runbooks, key=lambda runbook: runbook.id))


def parse_runbook(text: str, source: str) -> Runbook:
    """Read one runbook; `source` is the file's name as errors shall show it.

    Raises `RunbookError`. Whether the content is any good is for `lint` to say.
    """
    lines = text.splitlines()
    end = _end_of_front_matter(lines, source)
    fields = _front_matter(lines[1:end], source)
    return Runbook(
        id=fields["id"],
        title=fields["title"],
        summary=fields["summary"],
        applies_to=tuple(fields["applies_to"]),
        symptoms=tuple(fields["symptoms"]),
        owners=tuple(fields["owners"]),
        reviewed=fields["reviewed"],
        steps=_steps(lines, end + 1, source),
        source=source,
        body="\n".join(lines[end + 1 :]).strip() + "\n",
        services=tuple(fields.get("services", ())),
        made_from=fields.get("made_from"),
    )


def _end_of_front_matter(lines: Sequence[str], source: str) -> int:
    if not lines or lines[0].rstrip() != "---":
        raise RunbookError(f"{source}:1: a runbook begins with front matter between --- lines")
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return number
    raise RunbookError(f"{source}:1: the front matter is not closed by a --- line")


def _front_matter(lines: Sequence[str], source: str) -> dict[str, Any]:
    text = "\n".join(lines)
    try:
        loaded = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise RunbookError(f"{source}:{line}: the front matter is not YAML") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 2
        raise RunbookError(f"{source}:{line}: the front matter has a control character") from None
    except (ValueError, OverflowError, RecursionError) as error:  # 2026-02-30 is no date
        raise RunbookError(f"{source}:1: the front matter has a wrong value: {error}") from None
    if not isinstance(loaded, dict):
        raise RunbookError(f"{source}:2: the front matter is not a list of `name: value` lines")
    fields: dict[str, Any] = dict(loaded)
    for name in fields:
        if name not in TEXT_FIELDS + LIST_FIELDS + OPTIONAL_TEXT + OPTIONAL_LIST:
            raise RunbookError(f"{source}:{_line_of(name, lines)}: {name} is not a known field")
    for name in TEXT_FIELDS + LIST_FIELDS:
        if name not in fields:
            raise RunbookError(f"{source}:1: the front matter has no {name}")
    _check_types(fields, lines, source)
    return fields


def _check_types(fields: dict[str, Any], lines: Sequence[str], source: str) -> None:
    if isinstance(fields["reviewed"], datetime.date):  # YAML reads an unquoted date as one
        fields["reviewed"] = fields["reviewed"].isoformat()
    for name in (*TEXT_FIELDS, *(n for n in OPTIONAL_TEXT if n in fields)):
        if not isinstance(fields[name], str):
            raise RunbookError(f"{source}:{_line_of(name, lines)}: {name} must be text")
    for name in (*LIST_FIELDS, *(n for n in OPTIONAL_LIST if n in fields)):
        value = fields[name]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise RunbookError(f"{source}:{_line_of(name, lines)}: {name} must be a list of texts")


def _line_of(name: object, lines: Sequence[str]) -> int:
    return next((n for n, line in enumerate(lines, 2) if line.startswith(f"{name}:")), 1)


def _steps(lines: Sequence[str], start: int, source: str) -> tuple[Step, ...]:
    """The steps below `## Steps`, up to the next heading of that level."""
    steps: list[Step] = []
    block: list[str] = []
    began = 0
    in_steps = in_code = False
    for number, line in enumerate(lines[start:], start + 1):
        if line.strip().startswith(_FENCE):
            in_code = not in_code
        if line.startswith("## ") and not in_code:
            in_steps = line.strip() == "## Steps"
        elif not in_steps or (not line.strip() and not block):
            continue
        elif _STEP.match(line):
            if block:
                steps.append(_step(block, began, len(steps) + 1, source))
            block, began = [line], number
        elif block and (line.startswith(_INDENT) or not line.strip()):
            block.append(line)
        else:
            raise RunbookError(
                f"{source}:{number}: a step begins like `1. **check** — text`, with what belongs "
                "to it indented by three spaces"
            )
    if in_code:
        raise RunbookError(f"{source}:{len(lines)}: a code block is not closed by ```")
    if block:
        steps.append(_step(block, began, len(steps) + 1, source))
    return tuple(steps)


def _step(block: Sequence[str], line: int, expected: int, source: str) -> Step:
    head = _STEP.match(block[0])
    if head is None or int(head.group(1)) != expected:
        raise RunbookError(f"{source}:{line}: this step must have the number {expected}")
    width = head.start(2) - len("**")  # of the number and its dot, which grows at 10
    text = [head.group(3).strip()]
    command: list[str] | None = None
    action: tuple[str, Mapping[str, str]] | None = None
    no_rollback: str | None = None
    journal: tuple[int, ...] = ()
    in_code = False
    for number, raw in enumerate(block[1:], line + 1):
        content = raw[width:] if not raw[:width].strip() else raw.strip()
        if content.startswith(_FENCE):
            if not in_code and command is not None:
                raise RunbookError(f"{source}:{number}: a step has one command; make it two steps")
            command = command or []
            in_code = not in_code
        elif in_code and command is not None:
            command.append(content)
        elif content.startswith("action:"):
            action = _action(content, f"{source}:{number}")
        elif match := _NO_ROLLBACK.fullmatch(content.strip()):
            no_rollback = match.group(1)
        elif match := _JOURNAL.fullmatch(content.strip()):
            journal = tuple(int(one) for one in match.group(1).split(", "))
        elif content.strip():
            text.append(content.strip())
    return Step(
        kind=StepKind(head.group(2)),
        text=" ".join(text),
        action=action[0] if action else None,
        args=action[1] if action else {},
        command="\n".join(command) if command is not None else None,
        no_rollback=no_rollback,
        journal=journal,
        line=line,
    )


def _action(content: str, where: str) -> tuple[str, Mapping[str, str]]:
    match = _ACTION.fullmatch(content.rstrip())
    if match is None:
        raise RunbookError(f"{where}: an action is written action: `name` key=value …")
    name, rest = match.groups()
    arguments = {m.group(1): m.group(2).strip('"') for m in _ARGUMENT.finditer(rest)}
    if _ARGUMENT.sub("", rest).strip():
        raise RunbookError(f"{where}: the arguments of {name} are written key=value")
    return name, arguments
