"""A postmortem to look at before it is posted: a form with a box for each line of its timeline."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.slack import limits
from assistant.slack.blocks.modal import modal
from assistant.slack.blocks.pieces import Block, context, plain
from assistant.slack.blocks.prose import literal
from assistant.slack.text import one_line

PREVIEW = "postmortem"
HEAD, ROOM = 2, 200_000  # blocks before the boxes, and bytes for them, of 250 000
_DATE = len("2026-03-01 ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a form shows of a timeline of `total` lines, up to the record `upto`."""

    boxes: tuple[Block, ...]
    shown: int
    total: int
    upto: int


def preview(lines: Sequence[tuple[int, str]]) -> Preview:
    """Return as many boxes as a form holds; `lines` are records' numbers and Markdown."""
    boxes: list[Block] = []
    left = ROOM
    for start in range(0, len(lines), limits.CHOICES):
        block = _boxes(lines[start : start + limits.CHOICES])
        left -= len(json.dumps(block))
        if left < 0 or len(boxes) + HEAD == limits.VIEW_BLOCKS:
            break
        boxes.append(block)
    shown = min(len(lines), len(boxes) * limits.CHOICES)
    upto = lines[shown - 1][0] if shown else 0
    return Preview(boxes=tuple(boxes), shown=shown, total=len(lines), upto=upto)


def preview_form(token: str, incident: str, seen: Preview) -> Block:
    """Return the form; everything is checked, as the journal has it."""
    blocks = [
        context(
            "Uncheck what is not for everybody here. It changes only what is posted: the journal "
            "keeps all of it. Secrets were taken out before anything was written down."
        )
    ]
    if seen.shown < seen.total:
        cut = f"These are the first {seen.shown} of {seen.total} lines; the others are all posted."
        blocks.append(context(cut))
    return modal(
        f"Postmortem {incident}",
        [*blocks, *seen.boxes],
        submit="Post it",
        callback_id=PREVIEW,
        private_metadata=token,
    )


def _boxes(lines: Sequence[tuple[int, str]]) -> Block:
    options = [_option(seq, literal(text)) for seq, text in lines]
    first, last = lines[0], lines[-1]
    name = f"lines:{first[0]}"
    return {
        "type": "input",
        "block_id": name,
        "optional": True,
        "label": plain(f"Records {first[0]} to {last[0]}, {first[1][: _DATE - 1]}", limits.LABEL),
        "element": {
            "type": "checkboxes",
            "action_id": name,
            "options": options,
            "initial_options": options,
        },
    }


def _option(seq: int, line: str) -> Block:
    """Return a line without its date; what does not fit goes below it."""
    text = one_line(line, 4 * limits.OPTION)[_DATE:]
    option: Block = {"text": plain(text[: limits.OPTION], limits.OPTION), "value": str(seq)}
    rest = text[limits.OPTION :]
    return option | ({"description": plain(rest, limits.OPTION)} if rest else {})
