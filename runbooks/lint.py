"""What makes a runbook fit for use at three in the morning, checked before anybody needs it."""

import datetime
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from runbooks.model import CAUSES, VARIABLES, Runbook, Step, StepKind
from runbooks.render import variables

MIN_SYMPTOMS = 2

# Words, not parts of names: a service may be called todo-api.
UNFINISHED = re.compile(
    r"(?<![\w/-])(?<!\w\.)(TODO|TBD|FIXME|XXX|lorem ipsum|fill (this )?in)(?![\w/-]|\.\w)",
    re.IGNORECASE,
)
_ARGUMENTS = re.compile(r"^[ \t]*action: `.*$", re.MULTILINE)
_CHANGES_SOMETHING = re.compile(
    r"\bkubectl(\s+-\S+(\s+[^-\s]\S*)?)*?\s+(annotate|apply|cordon|cp|create|delete|drain|edit|exec|label|patch|replace"
    r"|rollout\s+(restart|undo|pause|resume)|scale|set|taint|uncordon)(?![-\w])"
    r"|(^|[;|&(]|\bsudo)\s*(rm|kill|pkill|reboot|shutdown|systemctl\s+(re)?(start|stop)|dd|mv)\b"
    r"|^\s*(alter|delete|drop|grant|insert|truncate|update|vacuum)\b"
    r"|\bpg_(cancel|terminate)_backend\b|\bcurl\b[^|\n]*\s-X\s*(POST|PUT|PATCH|DELETE)\b",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault in a runbook: the file, the line (1 for the front matter), and a sentence."""

    source: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.message}"


def lint(runbooks: Sequence[Runbook], actions: Collection[str]) -> tuple[Finding, ...]:
    """All faults of a set of runbooks; `actions` are the names that the catalogue knows."""
    findings = [finding for runbook in runbooks for finding in lint_runbook(runbook, actions)]
    seen: dict[str, str] = {}
    for runbook in runbooks:
        if runbook.id in seen:
            message = f"the id {runbook.id} is already taken by {seen[runbook.id]}"
            findings.append(Finding(source=runbook.source, line=1, message=message))
        seen.setdefault(runbook.id, runbook.source)
    return tuple(findings)


def lint_runbook(runbook: Runbook, actions: Collection[str]) -> tuple[Finding, ...]:
    """All faults of one runbook, in the order of its lines."""
    faults = [
        *((1, message) for message in _front_matter(runbook)),
        *_whole(runbook),
        *(fault for step in runbook.steps for fault in _step(step, actions)),
        *_order(runbook.steps),
    ]
    return tuple(
        Finding(source=runbook.source, line=line, message=message)
        for line, message in sorted(faults)
    )


def _front_matter(runbook: Runbook) -> Iterator[str]:
    if runbook.id != PurePath(runbook.source).stem:
        yield f"the id {runbook.id} differs from the file's name"
    for name in ("title", "summary"):
        if not getattr(runbook, name).strip():
            yield f"{name} is empty"
    if not runbook.applies_to:
        yield "applies_to names no cause"
    for cause in runbook.applies_to:
        if cause not in CAUSES:
            yield f"{cause} is not a known cause; known are {', '.join(sorted(CAUSES))}"
    if len([symptom for symptom in runbook.symptoms if symptom.strip()]) < MIN_SYMPTOMS:
        yield f"fewer than {MIN_SYMPTOMS} symptoms; nobody will find it"
    if runbook.made_from is not None and not runbook.services:
        yield "made_from names an incident, and services does not say whose it was"
    if not any(owner.strip() for owner in runbook.owners):
        yield "no owner is named"
    try:
        datetime.date.fromisoformat(runbook.reviewed)
    except ValueError:
        yield f"reviewed is {runbook.reviewed!r}, not a date like 2026-01-31"


def _whole(runbook: Runbook) -> Iterator[tuple[int, str]]:
    body = _ARGUMENTS.sub("", runbook.body)
    text = "\n".join([runbook.title, runbook.summary, *runbook.symptoms, body])
    for match in UNFINISHED.finditer(text):
        yield 1, f"unfinished text: {match.group()}"
    if not runbook.steps:
        yield 1, "there are no steps below a `## Steps` heading"


def _step(step: Step, actions: Collection[str]) -> Iterator[tuple[int, str]]:
    changes = step.kind in {StepKind.ACTION, StepKind.ROLLBACK}
    if step.kind is StepKind.ACTION and step.action is None and step.command is None:
        yield step.line, "an action needs an action: line, or a command that a person runs"
    if step.action is not None and not changes:
        yield step.line, f"a {step.kind} step must not run an action"
    if step.action is not None and step.action not in actions:
        yield (
            step.line,
            f"no action is called {step.action}; known are {', '.join(sorted(actions))}",
        )
    if step.command and not changes and _CHANGES_SOMETHING.search(step.command):
        yield step.line, f"the command of a {step.kind} step must only read"
    for part in (step.text, step.command or "", *step.args.values()):
        try:
            unknown = variables(part) - VARIABLES
        except ValueError as error:
            yield step.line, str(error)
            continue
        for name in sorted(unknown):
            yield step.line, f"{name} is not known; known are {', '.join(sorted(VARIABLES))}"


def _order(steps: Sequence[Step]) -> Iterator[tuple[int, str]]:
    acting = [number for number, step in enumerate(steps) if step.kind is StepKind.ACTION]
    first = acting[0] if acting else len(steps)
    if steps and not any(step.kind is StepKind.CHECK for step in steps[:first]):
        yield steps[0].line, "something must be checked before anything is changed"
    for number, following in pairwise([*acting, len(steps)]):
        kinds = {step.kind for step in steps[number + 1 : following]}
        action = steps[number]
        if StepKind.VERIFY not in kinds:
            yield action.line, "this action is not followed by a verify step"
        if StepKind.ROLLBACK not in kinds and not action.no_rollback:
            yield action.line, "this action has neither a rollback step nor a `no rollback:` reason"
