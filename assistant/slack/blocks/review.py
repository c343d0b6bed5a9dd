"""A request of high risk, whole, with a field for the name of its target."""

from assistant.domain.action import Tracked
from assistant.domain.requests import OPEN
from assistant.requests_view import RequestView
from assistant.slack.blocks.modal import View, alert, modal
from assistant.slack.blocks.pieces import Block, context, plain
from assistant.slack.blocks.request import request_card

FORM, FIELD = "review", "typed"
NAME_LENGTH = 300
LABEL_LENGTH = 200


def review_modal(view: RequestView, tracked: Tracked, token: str, wrong: str = "") -> View:
    """Return the form; `token` stands for the yes, `wrong` says what was wrong with the last try.

    Once it is decided there is nothing left to fill in.
    """
    request = tracked.request
    shown = [*alert(wrong, "error"), *request_card(view, ())]
    shown.append(context(f"Digest {request.digest}"))
    if tracked.status not in OPEN:
        return modal("Decided", shown)
    return modal(
        "Review and approve",
        [*shown, _field(request.target_name)],
        submit="Approve",
        callback_id=FORM,
        private_metadata=token,
    )


def _field(name: str) -> Block:
    return {
        "type": "input",
        "block_id": FIELD,
        "label": plain(f"To approve this, type the name of its target: {name}", LABEL_LENGTH),
        "element": {"type": "plain_text_input", "action_id": FIELD, "max_length": NAME_LENGTH},
    }
