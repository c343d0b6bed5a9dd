"""A request of high risk, or a long one, whole, with a field for the name of its target."""

from collections.abc import Sequence

from assistant.domain.action import Tracked
from assistant.domain.requests import OPEN
from assistant.requests_view import RequestView
from assistant.slack import limits
from assistant.slack.blocks.modal import View, alert, field, modal, words
from assistant.slack.blocks.pieces import Block, context
from assistant.slack.blocks.request import request_card, request_whole
from assistant.slack.check import holds

FORM, FIELD = "review", "typed"
NAME_LENGTH = 300
TO_APPROVE = "To approve this, type the name of its target:"
TOO_LARGE = "This is too large to be shown whole, so nobody can approve it. Ask for smaller steps."
CUT = "This is too large to be shown whole."


def review_modal(view: RequestView, tracked: Tracked, token: str, wrong: str = "") -> View:
    """Return the form; `token` stands for the yes, `wrong` says what was wrong with the last try.

    Once it is decided there is nothing left to fill in, nor where it cannot be shown whole.
    """
    request, still = tracked.request, tracked.status in OPEN
    digest = context(f"Digest {request.digest}")
    shown = [*alert(wrong, "error"), *request_whole(view), digest]
    label = f"{TO_APPROVE} {request.target_name}"
    ask = [field(FIELD, label, words(FIELD, NAME_LENGTH))] if still else []
    form = _form([*shown, *ask], token if still else None)
    if len(shown) + len(ask) <= limits.VIEW_BLOCKS and holds(form):
        return form
    cut = alert(TOO_LARGE if still else CUT, "error")
    return modal("Too large" if still else "Decided", [*cut, *request_card(view, ()), digest])


def _form(blocks: Sequence[Block], token: str | None) -> View:
    if token is None:
        return modal("Decided", blocks)
    more = {"submit": "Approve", "callback_id": FORM, "private_metadata": token}
    return modal("Review and approve", blocks, **more)
