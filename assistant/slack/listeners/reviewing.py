"""A request of high risk is read whole before it is approved: the target's name has to be typed.

What was typed goes with the yes; whether it is right is for the admission to say.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.actions.approval import unread
from assistant.commands import Approve, SeeRequest
from assistant.domain.action import Tracked
from assistant.requests_view import approve, request_view
from assistant.slack.blocks.modal import View
from assistant.slack.blocks.review import FIELD, FORM, review_modal
from assistant.slack.errors import SlackError
from assistant.slack.listeners.opening import Ack
from assistant.slack.listeners.pressing import (
    NO_LONGER_VALID,
    Press,
    answer,
    filled,
    opened,
    tell,
    typed,
)
from assistant.slack.parts import Parts
from assistant.slack.text import clean


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to the filled-in form."""

    async def submitted(ack: Ack, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = filled(body, parts)
        if not isinstance(command, Approve):
            await tell(client, press, NO_LONGER_VALID)
            return
        word = clean(typed(body, FIELD) or "").strip()
        reply = await answer(replace(command, typed=word), press, parts)
        tracked = _tracked(command.incident, command.request, parts)
        if tracked is None or unread(tracked.request, word) is None:
            await tell(client, press, reply)
            return
        # An empty acknowledgement has closed the form, so it cannot be updated: it is opened anew.
        try:
            await opened(client, press, _form(tracked, parts, reply))
        except SlackError:
            await tell(client, press, reply)

    app.view(FORM)(submitted)


async def review(command: SeeRequest, press: Press, parts: Parts, client: AsyncWebClient) -> None:
    """Open the form for whoever pressed."""
    tracked = _tracked(command.incident, command.request, parts)
    if tracked is None:
        await tell(client, press, NO_LONGER_VALID)
    else:
        await opened(client, press, _form(tracked, parts, ""))


def _form(tracked: Tracked, parts: Parts, wrong: str) -> View:
    yes = approve(tracked.request)
    token = parts.buttons.token(yes, tracked.request.incident)
    view = request_view(tracked, parts.looks.approvers)
    return review_modal(view, tracked, token, wrong)


def _tracked(incident: str, request: str, parts: Parts) -> Tracked | None:
    state = parts.desk.incident(incident)
    return state.requests.get(request) if state is not None else None
