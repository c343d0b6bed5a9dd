"""Markdown of ours as rich text: headings, lists, tables and code become what Slack can show.

Only what our own writers use is understood; all else stays literal, so that nothing which a log or
a person had put into the text becomes a link, an image or a call to somebody.
"""

import json
import re
from collections.abc import Iterator
from itertools import groupby

from assistant.slack.blocks.pieces import bullets, verbatim
from assistant.slack.text import Element, clean, clip, said

TOGETHER = 20  # lines of one kind in one part
_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^#{1,6}\s+(.*)$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(.*)$")
_INLINE = re.compile(r"(\*\*[^*\n]+\*\*|`[^`\n]+`)")
_ESCAPED = re.compile(r"\\([^\w\s])")
_CELL = re.compile(r"(?<!\\)\|")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]+\|[\s:|-]*$")


def prose(markdown: str, budget: int, whole: str) -> list[Element]:
    """Return parts of rich text that take at most about `budget` characters as JSON.

    Where it is cut, `whole` says where the rest can be read.
    """
    parts: list[Element] = []
    for part in _parts(clean(markdown).split("\n")):
        budget -= len(json.dumps(part, ensure_ascii=False))
        if budget < 0:
            return [*parts, _section([said(f"… cut here: {whole}")])]
        parts.append(part)
    return parts or [_section([said(" ")])]


def _parts(lines: list[str]) -> Iterator[Element]:
    for kind, group in groupby(_kinds(lines), key=lambda pair: pair[0]):
        told = [line for _, line in group]
        for start in range(0, len(told), TOGETHER):
            yield from _part(kind, told[start : start + TOGETHER])


def _part(kind: str, told: list[str]) -> Iterator[Element]:
    if kind == "code":
        yield verbatim(told)
    elif kind == "item":
        yield bullets(*(_inline(line) for line in told))
    elif kind == "heading":
        yield from (_section([said(line, bold=True)]) for line in told)
    elif kind == "text":
        yield _section(_inline("\n".join(told)))


def _kinds(lines: list[str]) -> list[tuple[str, str]]:
    """Say of each line what it is; fences and blank lines are none of its content.

    Lines that are set in below an item belong to it.
    """
    found: list[tuple[str, str]] = []
    fenced, item = False, -1
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
            found.append(("blank", ""))
        elif fenced:
            found.append(("code", line))
        elif not line.strip():
            found.append(("blank", ""))
        elif line.startswith("  ") and item >= 0 and not _ITEM.match(line):
            found[item] = ("item", f"{found[item][1]}\n{line.strip()}")
        else:
            found += _kind(line)
            item = len(found) - 1 if found and found[-1][0] == "item" else -1
    return found


def _kind(line: str) -> list[tuple[str, str]]:
    """Say what a line is that stands for itself; nothing for the rule below a table's head."""
    if line.lstrip().startswith("|"):
        cells = [cell.strip() for cell in _CELL.split(line.strip().strip("|"))]
        return [] if _TABLE_RULE.match(line) else [("code", literal("  ·  ".join(cells)))]
    if found := _HEADING.match(line):
        return [("heading", found.group(1))]
    if found := _ITEM.match(line):
        return [("item", found.group(1))]
    return [("text", line.strip())]


def _inline(text: str) -> list[Element]:
    parts = []
    for piece in _INLINE.split(clip(text, 2_500)):
        if piece.startswith("**") and len(piece) > len("****"):
            parts.append(said(literal(piece[2:-2]), bold=True))
        elif piece.startswith("`") and len(piece) > len("``"):
            parts.append(said(piece[1:-1], code=True))
        elif piece:
            parts.append(said(literal(piece)))
    return parts or [said(" ")]


def literal(text: str) -> str:
    """Return a text without the marks that keep Markdown from reading it; here nothing does."""
    return _ESCAPED.sub(r"\1", text)


def _section(elements: list[Element]) -> Element:
    return {"type": "rich_text_section", "elements": [*elements, said("\n")]}
