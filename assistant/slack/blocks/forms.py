"""Forms: modals with fields, within Slack's limits. What comes back is words, never a command."""

from collections.abc import Sequence

from assistant.slack import limits
from assistant.slack.blocks.pieces import Block, plain

REASON, DECLARE = "reason", "declare"
WHAT, SERVICE, SINCE, OWN_CHANNEL = "what", "service", "since", "own_channel"
REASON_LENGTH, WHAT_LENGTH, SERVICE_LENGTH = 500, 500, 80


def modal(callback: str, token: str, title: str, submit: str, blocks: Sequence[Block]) -> Block:
    """Return a modal; `token` comes back with it and means something to us alone."""
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": token,
        "title": plain(title, limits.VIEW_TITLE),
        "submit": plain(submit, limits.VIEW_BUTTON),
        "close": plain("Cancel", limits.VIEW_BUTTON),
        "blocks": list(blocks),
    }


def field(
    name: str, label: str, most: int, *, hint: str = "", long: bool = False, optional: bool = False
) -> Block:
    """Return a field for words; `name` is its block and its action."""
    block: Block = {
        "type": "input",
        "block_id": name,
        "optional": optional,
        "label": plain(label, limits.LABEL),
        "element": {
            "type": "plain_text_input",
            "action_id": name,
            "multiline": long,
            "max_length": most,
        },
    }
    return block | ({"hint": plain(hint, limits.LABEL)} if hint else {})


def reason_form(token: str) -> Block:
    """Return the form that asks why not."""
    why = field(REASON, "Why not?", REASON_LENGTH, long=True)
    return modal(REASON, token, "Reject", "Reject", [why])


def declare_form(token: str, *, channels: bool) -> Block:
    """Return the form of an incident that somebody declares.

    `channels` tells whether an incident may have a channel of its own.
    """
    blocks = [
        field(WHAT, "What is wrong?", WHAT_LENGTH, long=True, hint="As users notice it."),
        field(SERVICE, "Service", SERVICE_LENGTH, optional=True, hint="Where it shows, if known."),
        _asked(SINCE, "Since when?", {"type": "timepicker", "action_id": SINCE}),
    ]
    if channels:
        choice = {
            "text": plain("Open a channel of its own", limits.OPTION),
            "value": OWN_CHANNEL,
        }
        boxes = {"type": "checkboxes", "action_id": OWN_CHANNEL, "options": [choice]}
        blocks.append(_asked(OWN_CHANNEL, "Where to work on it", boxes))
    return modal(DECLARE, token, "Declare an incident", "Declare", blocks)


def _asked(name: str, label: str, element: Block) -> Block:
    """Return a field that may stay empty."""
    return {
        "type": "input",
        "block_id": name,
        "optional": True,
        "label": plain(label, limits.LABEL),
        "element": element,
    }
