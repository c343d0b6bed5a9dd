"""The few kinds of block that our messages are made of, each within Slack's limits.

Text enters as `plain_text` or as literal `rich_text` elements, never as mrkdwn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.button import Button
from assistant.commands import Look
from assistant.slack import limits
from assistant.slack.text import Element, clip, one_line, said

Block = dict[str, Any]
LINE = 500  # characters of one line of ours: a statement, not a log
SHOWN_LINES = 40


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


def verbatim(lines: Iterable[str]) -> Element:
    """Return lines as they are, in a fixed width, as a part of rich text."""
    shown = [clip(line, LINE).replace("\n", " ") for line in lines]
    if len(shown) > SHOWN_LINES:
        shown = [*shown[:SHOWN_LINES], f"… and {len(shown) - SHOWN_LINES} more lines"]
    return {"type": "rich_text_preformatted", "elements": [said("\n".join(shown))]}


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
