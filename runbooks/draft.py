"""From an incident that was solved to a runbook: only what helped, each step with its records.

What belongs to that one incident (a change, an instance, a version) becomes a placeholder; services
stay as they are, since the runbook is for them alone. Everything told may come from telemetry or
from people, so it is made plain text first. Knows records of a journal as numbers only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from runbooks.lint import UNFINISHED, lint_runbook
from runbooks.model import RunbookError, StepKind
from runbooks.parse import parse_runbook
from runbooks.render import printable

PLAIN_WORDS = {"instance": "one instance", "change": "the change", "version": "the release"}

_BARE = re.compile(r"[^\s\"{}]+")
_TELLING = re.compile(r"...|[^\W\d]\d")  # a shorter name is found where it is not meant
_TEMPLATE = re.compile(r"\{(?=[{%#])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence, and the numbers of the journal records that it rests on."""

    text: str
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An action with its arguments; `text` says in a sentence what it did."""

    action: str
    args: Mapping[str, str]
    text: str
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSource:
    """What a solved incident teaches.

    `services` are whom it is about, `names` what belongs to this incident alone: the values of the
    variables change, instance and version, where they are known. `rollback` takes `action` back; it
    is null where nothing does. `no_effect` are approaches that did not help. `reviewed` is an ISO
    date.
    """

    id: str
    incident: str
    title: str
    summary: str
    cause: str
    services: tuple[str, ...]
    names: Mapping[str, str]
    symptoms: tuple[str, ...]
    check: Told
    action: Done
    verify: Told
    rollback: Done | None
    no_effect: tuple[Told, ...]
    owners: tuple[str, ...]
    reviewed: str


def draft(source: DraftSource) -> tuple[str, tuple[tuple[int, ...], ...]]:
    """Return the runbook as Markdown, and for each step the records that it was made from.

    It passes `parse_runbook` and `lint_runbook`; raises `RunbookError` where that cannot be had,
    such as for an argument that no runbook can hold.
    """
    steps = _steps(source)
    blocks = [_written(number, *step) for number, step in enumerate(steps, 1)]
    body = ["## Steps", *blocks]
    if source.no_effect:
        tried = [f"- {_for_step(t.text, source)} (journal: {_joined(t)})" for t in source.no_effect]
        body += ["## What did not help", "\n".join(tried)]
    markdown = f"---\n{_front_matter(source)}---\n\n" + "\n\n".join(body) + "\n"
    runbook = parse_runbook(markdown, f"{source.id}.md")
    done = [source.action, *([source.rollback] if source.rollback else [])]
    faults = lint_runbook(runbook, {one.action for one in done})
    if faults:
        raise RunbookError("\n".join(str(fault) for fault in faults))
    return markdown, tuple(step.journal for step in runbook.steps)


_StepParts = tuple[StepKind, str, tuple[int, ...], tuple[str, ...]]


def _steps(source: DraftSource) -> list[_StepParts]:
    """Return kind, text, records and further lines of each step."""
    action, rollback = source.action, source.rollback
    reason = () if rollback else ("no rollback: firstline knows no call that takes this back.",)
    steps: list[_StepParts] = [
        (StepKind.CHECK, _for_step(source.check.text, source), source.check.records, ()),
        (
            StepKind.ACTION,
            _for_step(action.text, source),
            action.records,
            (_call(action, source), *reason),
        ),
        (StepKind.VERIFY, _for_step(source.verify.text, source), source.verify.records, ()),
    ]
    if rollback:
        by_hand = _belongs_to_the_incident(rollback, source)
        lines = () if by_hand else (_call(rollback, source),)
        text = _for_step(rollback.text, source)
        steps.append((StepKind.ROLLBACK, text, rollback.records, lines))
    return steps


def _written(
    number: int, kind: StepKind, text: str, records: Sequence[int], lines: Sequence[str]
) -> str:
    indent = " " * len(f"{number}. ")
    journal = "journal: " + ", ".join(str(record) for record in records)
    told = [*lines, *([journal] if records else [])]
    return f"{number}. **{kind}** — {text}" + "".join(f"\n\n{indent}{line}" for line in told)


def _call(done: Done, source: DraftSource) -> str:
    parts = [f"{k}={_argument(k, v, source.names)}" for k, v in sorted(done.args.items())]
    return " ".join([f"action: `{done.action}`", *parts])


def _argument(name: str, value: str, names: Mapping[str, str]) -> str:
    """Return a variable where the value belongs to the incident: the argument's namesake first."""
    for variable in (name, *sorted(names)):
        if names.get(variable) == value:
            return f"{{{{ {variable} }}}}"
    if _TEMPLATE.search(value) or '"' in value or printable(value) != value:
        raise RunbookError(f"the argument {name} holds what a runbook cannot hold")
    return value if _BARE.fullmatch(value) else f'"{value}"'


def _belongs_to_the_incident(done: Done, source: DraftSource) -> bool:
    """Tell whether an argument is a part of a name that another incident will not have."""
    known = {*source.names.values(), *source.services}
    return any(
        value not in known and _whole(value).search(name)
        for value in done.args.values()
        for name in source.names.values()
    )


def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _for_step(text: str, source: DraftSource) -> str:
    variables = {name: f"{{{{ {name} }}}}" for name in source.names}
    return _general(text, source.names, variables)


def _for_reading(text: str, source: DraftSource) -> str:
    return _general(text, source.names, PLAIN_WORDS)


def _general(text: str, names: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Return one plain line in which the incident's own names are replaced."""
    plain = _TEMPLATE.sub("{ ", " ".join(printable(text).split()))
    plain = UNFINISHED.sub("…", plain)
    for name in sorted(names, key=lambda n: -len(names[n])):
        if _TELLING.search(names[name]):
            plain = _whole(names[name]).sub(words[name], plain)
    return plain


def _front_matter(source: DraftSource) -> str:
    symptoms = dict.fromkeys(_for_reading(text, source) for text in source.symptoms)
    return yaml.safe_dump(
        {
            "id": source.id,
            "title": _for_reading(source.title, source),
            "summary": _for_reading(source.summary, source),
            "applies_to": [source.cause],
            "services": list(source.services),
            "symptoms": list(symptoms),
            "owners": list(source.owners),
            "reviewed": source.reviewed,
            "made_from": source.incident,
        },
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )


def _joined(told: Told) -> str:
    return ", ".join(str(record) for record in told.records)
