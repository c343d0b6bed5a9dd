"""Takes secrets out of what people and monitors say, before anything of it is written down.

What somebody pastes into a question or a reason goes on to cards, topics and the postmortem, and
from a journal nothing can be taken back unnoticed.
"""

from dataclasses import replace
from typing import Any, TypeVar

from assistant.commands import Command
from connectors.redact import redact_text

C = TypeVar("C", bound=Command)
FREE = ("text", "reason", "service")  # the fields of commands that hold somebody's own words


def sieved(command: C) -> C:
    """Return the command with each secret in its free words replaced by `[redacted:class]`."""
    said = {name: getattr(command, name, None) for name in FREE}
    clean = {name: redact_text(words) for name, words in said.items() if words}
    changed: dict[str, Any] = {name: words for name, words in clean.items() if words != said[name]}
    return replace(command, **changed) if changed else command
