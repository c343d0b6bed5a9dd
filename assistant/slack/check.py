"""Whether Slack would take these blocks: asked before each post, and by the Slack on loopback.

Everything is a pure function of the JSON. A fault is one sentence with a JSON pointer, worded as
Slack words it in `response_metadata.messages`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from assistant.slack import limits
from assistant.slack.blockkit import BLOCKS, VIEW
from assistant.slack.grammar import fault, tagged


class Surface(StrEnum):
    """Where blocks are shown."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


# Blocks that are not shown everywhere (docs.slack.dev/blocks.json).
ONLY_ON = {
    "alert": (Surface.MODAL,),
    "container": (Surface.MESSAGE,),
    "context_actions": (Surface.MESSAGE,),
    "input": (Surface.MODAL, Surface.HOME),
    "markdown": (Surface.MESSAGE,),
    "table": (Surface.MESSAGE,),
}
_MOST = {Surface.MESSAGE: limits.MESSAGE_BLOCKS}
_ANY_BLOCK = tagged(BLOCKS)


def faults(blocks: Sequence[Mapping[str, Any]], surface: Surface) -> list[str]:
    """Every fault that Slack would refuse these blocks for, with a JSON pointer to it.

    The total size is not among them, because Slack answers it with another code: see `too_long`.
    """
    if not isinstance(blocks, list | tuple):
        return [fault("must be a list", "/blocks")]
    found = []
    most = _MOST.get(surface, limits.VIEW_BLOCKS)
    if len(blocks) > most:
        found.append(fault(f"no more than {most} items allowed", "/blocks"))
    for index, block in enumerate(blocks):
        at = f"/blocks/{index}"
        wrong = list(_ANY_BLOCK(block, at))
        found += wrong
        if not wrong:
            found += _out_of_place(block, surface, at)
            found += _contradictions(block, at)
    if not found:
        found += _together(blocks)
    return found


def view_faults(view: Mapping[str, Any]) -> list[str]:
    """Every fault of a modal or a home tab, its blocks included."""
    found = list(VIEW(view, "/view"))
    if found:
        return found
    surface = Surface.MODAL if view["type"] == "modal" else Surface.HOME
    inside = faults(view["blocks"], surface)
    asks = any(block.get("type") == "input" for block in view["blocks"] if isinstance(block, dict))
    if asks and surface is Surface.MODAL and "submit" not in view:
        inside.append(fault("missing required field: submit", "/view"))
    return [text.replace("[json-pointer:/blocks", "[json-pointer:/view/blocks") for text in inside]


def holds(view: Mapping[str, Any]) -> bool:
    """Whether Slack takes a modal or a home tab, its size included."""
    return len(json.dumps(view).encode()) <= limits.VIEW_BYTES and not view_faults(view)


def too_long(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a message with these blocks is refused as a whole (`msg_blocks_too_long`)."""
    return total(blocks) > limits.MESSAGE_BLOCKS_TOTAL


def total(blocks: Sequence[Mapping[str, Any]]) -> int:
    """The size of the blocks in characters, as compact JSON."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def elements(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Everything in a block that can be pressed, chosen or filled in, a container's included."""
    for child in block.get("child_blocks", ()):
        yield from elements(child)
    if block["type"] in ("actions", "context_actions"):
        yield from block["elements"]
    for key in ("accessory", "element"):
        if isinstance(element := block.get(key), dict) and element["type"] != "image":
            yield element


def _out_of_place(block: Mapping[str, Any], surface: Surface, at: str) -> Iterator[str]:
    kind = block["type"]
    if surface not in ONLY_ON.get(kind, (surface,)):
        yield fault(f"unsupported type: {kind} is not available in a {surface}", f"{at}/type")


def _contradictions(block: Mapping[str, Any], at: str) -> Iterator[str]:
    if block.get("default_collapsed") and not block.get("is_collapsible"):
        yield fault("default_collapsed needs is_collapsible", at)
    if block.get("has_header_divider") and block.get("is_collapsible"):
        yield fault("has_header_divider cannot be set when is_collapsible is true", at)
    if "image_url" in block and "slack_file" in block:
        yield fault("only one of image_url and slack_file is allowed", at)
    rows = block.get("rows", ())
    if len({len(row) for row in rows}) > 1:
        yield fault("all rows must have the same number of cells", f"{at}/rows")
    used: set[str] = set()
    for element in elements(block):
        if (name := element.get("action_id")) in used:
            yield fault(f"action_id {name} already exists", at)
        used.update([name] if name else [])


def _together(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    used: set[str] = set()
    for index, block in enumerate(blocks):
        if (name := block.get("block_id")) in used:
            yield fault(f"block_id {name} already exists", f"/blocks/{index}/block_id")
        used.update([name] if name else [])
    if sum(block["type"] == "table" for block in blocks) > limits.TABLES:
        yield fault("only one table is allowed", "/blocks")
    if sum(len(b["text"]) for b in blocks if b["type"] == "markdown") > limits.MARKDOWN:
        yield fault(f"all markdown must be less than {limits.MARKDOWN + 1} characters", "/blocks")
