"""The few kinds of block that our messages are made of, each within Slack's limits.

Text enters as `plain_text` or as literal `rich_text` elements, never as mrkdwn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from assistant.button import Button
from assistant.commands import Look
from assistant.slack import limits
from assistant.slack.text import Element, clean, clip, one_line, said, size

Block = dict[str, Any]
LINE = 500  # characters of one line of ours: a statement, not a log
SHOWN_LINES, SHOWN = 40, 5_000  # lines as they are, and what they take at most as JSON
PART, UNCUT = 2_500, 1_000  # of what is shown whole: a block, and one text in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A button, and the opaque token that stands for its command."""

    button: Button
    token: str


def plain(text: str, most: int) -> Block:
    """Return a plain text object on one line."""
    return {"type": "plain_text", "text": one_line(text, most) or " ", "emoji": False}


def header(text: str) -> Block:
    """Return the title of a message."""
    return {"type": "header", "text": plain(text, limits.HEADER)}


def context(*texts: str) -> Block:
    """Return small print: up to ten short texts."""
    shown = texts[: limits.CONTEXT_ELEMENTS]
    return {"type": "context", "elements": [plain(text, LINE) for text in shown]}


def paragraphs(*lines: Sequence[Element]) -> Block:
    """Return lines of rich text."""
    elements: list[Element] = []
    for number, line in enumerate(lines):
        elements += ([said("\n")] if number else []) + list(line)
    return rich({"type": "rich_text_section", "elements": elements or [said(" ")]})


def bullets(*lines: Sequence[Element]) -> Element:
    """Return a list, as a part of rich text."""
    items = [{"type": "rich_text_section", "elements": list(line)} for line in lines]
    return {"type": "rich_text_list", "style": "bullet", "elements": items}


def verbatim(lines: Iterable[str], most: int = SHOWN) -> Element:
    """Return lines as they are, in a fixed width, as a part of rich text.

    They take at most about `most` characters as JSON; the lines that are cut are counted.
    """
    told = [clip(line, LINE).replace("\n", " ") for line in lines]
    ends = accumulate(size(line) for line in told[:SHOWN_LINES])
    shown = told[: sum(end <= most for end in ends)]
    if left := len(told) - len(shown):
        shown.append(f"… cut, {left} more {'line' if left == 1 else 'lines'}")
    return _fixed("\n".join(shown))


def uncut(lines: Iterable[str]) -> list[Block]:
    """Return all of the lines, in a fixed width, in as many blocks as they take."""
    parts: list[str] = []
    for line in lines:
        for number, piece in enumerate(whole(line.replace("\n", " "))):
            between = "" if number else "\n"
            if parts and size(parts[-1]) + size(piece) < PART:
                parts[-1] += between + piece
            else:
                parts.append(piece)
    return [rich(_fixed(part)) for part in parts]


def whole(text: str) -> list[str]:
    """Return all of a text, in pieces that Slack takes."""
    told = clean(text)
    return [told[at : at + UNCUT] for at in range(0, len(told), UNCUT)] or [" "]


def _fixed(text: str) -> Element:
    return {"type": "rich_text_preformatted", "elements": [said(text)]}


def rich(*parts: Element) -> Block:
    """Return rich text."""
    return {"type": "rich_text", "elements": list(parts)}


def folded(title: str, *blocks: Block) -> Block:
    """Return blocks that are seen after a press on their title."""
    return {
        "type": "container",
        "title": plain(title, limits.CONTAINER_TITLE),
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": list(blocks[: limits.CONTAINER_BLOCKS]),
    }


def unfolded(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks without folding, for workspaces that do not know it."""
    flat: list[Block] = []
    for block in blocks:
        if block["type"] == "container":
            flat += [paragraphs([said(block["title"]["text"], bold=True)]), *block["child_blocks"]]
        else:
            flat.append(block)
    return flat


def actions(pressed: Sequence[Pressed], first: int = 0) -> list[Block]:
    """Return the row of buttons, if there are any, numbered from `first`."""
    shown = pressed[: limits.ACTIONS]
    if not shown:
        return []
    return [{"type": "actions", "elements": [_button(p, n) for n, p in enumerate(shown, first)]}]


def _button(pressed: Pressed, number: int) -> Block:
    button = pressed.button
    kind = "see" if isinstance(button.command, Look) else "ask" if button.asks_reason else "do"
    element: Block = {
        "type": "button",
        "action_id": f"{kind}:{number}",
        "text": plain(button.label, limits.BUTTON),
        "value": pressed.token,
    }
    if button.style:
        element["style"] = button.style
    if button.confirm:
        element["confirm"] = {
            "title": plain(f"{button.label}?", limits.CONFIRM_TITLE),
            "text": plain(button.confirm, limits.CONFIRM_TEXT),
            "confirm": plain(button.label, limits.CONFIRM_BUTTON),
            "deny": plain("Cancel", limits.CONFIRM_BUTTON),
        }
    return element
