"""Filling in: a runbook's steps with the names of the incident at hand.

Only plain placeholders (`{{ service }}`) are allowed: a runbook may come from a draft or a folder
that many can write to, and a template language with expressions is a programming language. What
the incident does not know stays visible as `<service>`. A value comes from telemetry, so it enters
a command or an argument only if nothing in it could mean something to a shell or a query.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from runbooks.model import Runbook, RunbookError, Step

_HARMLESS = re.compile(r"[\w.,:/@+=~*-][\w .,:/@+=~*-]*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_PLAIN = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name)


def render(runbook: Runbook, values: Mapping[str, str | None]) -> Runbook:
    """The same runbook with text, commands and arguments of its steps filled in.

    `values` by variable name (`runbooks.model.VARIABLES`); a missing or null one stays visible.
    Raises `RunbookError` for a placeholder that is more than a name.
    """
    return replace(runbook, steps=tuple(_render_step(runbook, s, values) for s in runbook.steps))


def variables(template: str) -> frozenset[str]:
    """Names of the placeholders in a text; raises `ValueError` for anything but plain names."""
    try:
        tree = _environment().parse(template)
    except TemplateSyntaxError:
        raise ValueError("a placeholder is not closed, or is not a plain name") from None
    found = list(tree.find_all(nodes.Node))
    if not all(isinstance(node, _PLAIN) for node in found):
        raise ValueError("a placeholder holds more than a plain name")
    return frozenset(node.name for node in found if isinstance(node, nodes.Name))


def printable(text: str) -> str:
    """Return a text without what breaks lines, moves the cursor or turns the direction."""
    return _UNPRINTABLE.sub(" ", text)


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    # Nothing is escaped: the result is plain text, which each surface escapes in its own way.
    return SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )


def _render_step(runbook: Runbook, step: Step, values: Mapping[str, str | None]) -> Step:
    shown = {n: printable(v) for n, v in values.items() if v}
    safe = {name: value for name, value in values.items() if value and _HARMLESS.fullmatch(value)}
    try:
        return replace(
            step,
            text=_fill(step.text, shown),
            command=None if step.command is None else _fill(step.command, safe),
            args={name: _fill(value, safe) for name, value in step.args.items()},
        )
    except ValueError as error:
        raise RunbookError(
            f"{runbook.source}:{step.line}: {error}; write {{{{ service }}}}"
        ) from None


def _fill(template: str, values: Mapping[str, str]) -> str:
    filled = {name: values.get(name, f"<{name}>") for name in variables(template)}
    return _environment().from_string(template).render(filled)
