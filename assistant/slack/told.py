"""The words of a message, wherever its author has put them. Pure.

People write text; monitors also use blocks and the attachments of older days. What comes of it is
what a person reads, without what acts. Source: docs.slack.dev, message payloads.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assistant.slack.text import words

_NAMED = ("pretext", "title", "text")
_ONE_LINE = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")
_NO_TEXT = "This content can't be displayed."  # what Slack writes where there are blocks alone
_WORD = re.compile(r"\w+")
_INSIDE = ("text", "fields", "elements", "child_blocks", "rows")


def told_in(message: Mapping[str, Any]) -> str:
    """Return what a message says: its text, what its blocks say beyond that, and attachments."""
    body = words(str(message.get("text") or ""))
    body = "" if body == _NO_TEXT else body
    known = set(_WORD.findall(body))
    beyond = (
        line
        for line in _shown(message.get("blocks") or ())
        if not known.issuperset(_WORD.findall(line))
    )
    return _lines((body, *beyond, *_attached(message.get("attachments") or ())))


def _attached(attachments: object) -> Iterator[str]:
    for one in attachments if isinstance(attachments, list) else ():
        if not isinstance(one, Mapping):
            continue
        said = [words(str(one[name])) for name in _NAMED if one.get(name)]
        said += _shown(one.get("blocks") or ())
        said += _fields(one.get("fields"))
        yield _lines(said or [words(str(one.get("fallback") or ""))])


def _fields(fields: object) -> Iterator[str]:
    for one in fields if isinstance(fields, list) else ():
        if isinstance(one, Mapping):
            named = (words(str(one.get(part) or "")) for part in ("title", "value"))
            yield ": ".join(part for part in named if part)


def _shown(part: object) -> Iterator[str]:
    """Yield every text of blocks, one block a line at least."""
    if isinstance(part, list | tuple):
        for item in part:
            yield from _shown(item)
    elif isinstance(part, Mapping) and part.get("type") in _ONE_LINE:
        yield "".join(_shown(part.get("elements") or ()))
    elif isinstance(part, Mapping):
        held = part.get("text")
        if isinstance(held, str):
            yield words(held)
        for name in _INSIDE:
            if not isinstance(part.get(name), str):
                yield from _shown(part.get(name) or ())


def _lines(said: Iterable[str]) -> str:
    return "\n".join(line for line in said if line.strip())
