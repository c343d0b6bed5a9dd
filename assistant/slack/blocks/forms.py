"""Forms: modals with fields, within Slack's limits. What comes back is words, never a command."""

from assistant.slack import limits
from assistant.slack.blocks.modal import View, field, modal, words
from assistant.slack.blocks.pieces import plain

REASON, DECLARE = "reason", "declare"
WHAT, SERVICE, SINCE, OWN_CHANNEL = "what", "service", "since", "own_channel"
REASON_LENGTH, WHAT_LENGTH, SERVICE_LENGTH = 500, 500, 80
NOTICED, SHOWS = "As users notice it.", "Where it shows, if known."


def reason_form(token: str) -> View:
    """Return the form that asks why not."""
    why = field(REASON, "Why not?", words(REASON, REASON_LENGTH, long=True))
    return modal("Reject", [why], submit="Reject", callback_id=REASON, private_metadata=token)


def declare_form(token: str, *, channels: bool) -> View:
    """Return the form of an incident that somebody declares.

    `channels` tells whether an incident may have a channel of its own.
    """
    blocks = [
        field(WHAT, "What is wrong?", words(WHAT, WHAT_LENGTH, long=True), hint=NOTICED),
        field(SERVICE, "Service", words(SERVICE, SERVICE_LENGTH), hint=SHOWS, optional=True),
        field(SINCE, "Since when?", {"type": "timepicker", "action_id": SINCE}, optional=True),
    ]
    if channels:
        choice = {
            "text": plain("Open a channel of its own", limits.OPTION),
            "value": OWN_CHANNEL,
        }
        boxes = {"type": "checkboxes", "action_id": OWN_CHANNEL, "options": [choice]}
        blocks.append(field(OWN_CHANNEL, "Where to work on it", boxes, optional=True))
    return modal(
        "Declare an incident",
        blocks,
        submit="Declare",
        callback_id=DECLARE,
        private_metadata=token,
    )
