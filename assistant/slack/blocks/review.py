"""A request of high risk, whole, with a field for the name of its target."""

from assistant.domain.action import Tracked
from assistant.domain.requests import OPEN
from assistant.requests_view import RequestView
from assistant.slack.blocks.modal import View, alert, field, modal, words
from assistant.slack.blocks.pieces import context
from assistant.slack.blocks.request import request_card

FORM, FIELD = "review", "typed"
NAME_LENGTH = 300
TO_APPROVE = "To approve this, type the name of its target:"


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
        [*shown, field(FIELD, f"{TO_APPROVE} {request.target_name}", words(FIELD, NAME_LENGTH))],
        submit="Approve",
        callback_id=FORM,
        private_metadata=token,
    )
