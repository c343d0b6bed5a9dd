"""What people say of an answer: thumbs under it, and the form that asks what it really was."""

from collections.abc import Collection

from assistant.domain.judgement import CauseCorrected
from assistant.feedback import MOST
from assistant.slack import limits
from assistant.slack.blocks.modal import View, field, modal, words
from assistant.slack.blocks.pieces import LINE, Block, paragraphs, plain
from assistant.slack.text import escape, one_line, said

FORM, SERVICE, TEXT, RATE = "cause", "service", "text", "rate"


def thumbs(good: str, bad: str) -> Block:
    """Return two buttons, each with its token."""
    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": RATE,
                "positive_button": _thumb("Right", "The answer was right", good),
                "negative_button": _thumb("Wrong", "The answer was wrong", bad),
            }
        ],
    }


def cause_form(incident: str, components: Collection[str], token: str) -> View:
    """Return the form that asks for the cause; `token` stands for the correction."""
    offered = sorted(components)[: limits.OPTIONS]
    options = [
        {"text": plain(name, limits.OPTION), "value": name}
        for name in offered
        if len(name) <= limits.OPTION_VALUE
    ]
    select = {
        "type": "static_select",
        "action_id": SERVICE,
        "placeholder": plain("A component that was seen", limits.PLACEHOLDER),
        "options": options,
    }
    own = words(TEXT, MOST, long=True)
    blocks = [field(SERVICE, "Where was it?", select, optional=True)] if options else []
    blocks.append(field(TEXT, "What was it, in your words?", own, optional=True))
    return modal(
        f"Cause of {incident}", blocks, submit="Send", callback_id=FORM, private_metadata=token
    )


def correction_note(correction: CauseCorrected) -> list[Block]:
    """Return the note about what somebody says that it was."""
    told = one_line(correction.told, LINE)
    return [paragraphs([said("Noted: ", bold=True), said(f"{told} — {correction.by.name}")])]


def correction_text(correction: CauseCorrected) -> str:
    """Return what a screen reader and a notification say."""
    return escape(f"Noted: {correction.told}, says {correction.by.name}.")


def _thumb(label: str, spoken: str, token: str) -> Block:
    return {
        "text": plain(label, limits.BUTTON),
        "accessibility_label": spoken,
        "value": token,
    }
