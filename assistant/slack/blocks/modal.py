"""The frame of a modal, its fields, and the line in it that answers what was pressed."""

from collections.abc import Sequence
from typing import Any

from assistant.slack import limits
from assistant.slack.blocks.pieces import Block, plain

View = dict[str, Any]


def modal(title: str, blocks: Sequence[Block], *, submit: str = "", **more: str) -> View:
    """Return a modal; with `submit`, what is filled in can be sent under its `callback_id`."""
    frame: View = {
        "type": "modal",
        "title": plain(title, limits.VIEW_TITLE),
        "close": plain("Cancel" if submit else "Close", limits.VIEW_BUTTON),
        "blocks": list(blocks[: limits.VIEW_BLOCKS]),
        **more,
    }
    return frame | ({"submit": plain(submit, limits.VIEW_BUTTON)} if submit else {})


def alert(text: str, level: str) -> list[Block]:
    """Return a line that must be seen, if there is anything to say; `level` is info or error."""
    if not text:
        return []
    return [{"type": "alert", "level": level, "text": plain(text, limits.ALERT)}]


def words(name: str, most: int, *, long: bool = False) -> Block:
    """Return the element of a field for words."""
    return {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": long,
        "max_length": most,
    }


def field(
    name: str, label: str, element: Block, *, hint: str = "", optional: bool = False
) -> Block:
    """Return a field; `name` is its block, and its element's action."""
    block: Block = {
        "type": "input",
        "block_id": name,
        "optional": optional,
        "label": plain(label, limits.LABEL),
        "element": element,
    }
    return block | ({"hint": plain(hint, limits.LABEL)} if hint else {})
