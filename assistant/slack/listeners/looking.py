"""Modals that are opened to look: the evidence in pages, the plan with what each step would do."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.button import Button
from assistant.commands import AskCause, OnIncident, RequestStep, SeeEvidence, SeePlan, SeeRequest
from assistant.domain.incident import Incident
from assistant.requesting import Rehearsed
from assistant.slack.blocks import plan
from assistant.slack.blocks.evidence import evidence_modal, pages
from assistant.slack.blocks.modal import View
from assistant.slack.blocks.pieces import Pressed
from assistant.slack.errors import FAILURES, sentence
from assistant.slack.listeners.judging import ask_cause
from assistant.slack.listeners.opening import Ack, in_time
from assistant.slack.listeners.pressing import (
    NO_LONGER_VALID,
    Press,
    answer,
    opened,
    pressed,
    tell,
)
from assistant.slack.listeners.reviewing import review
from assistant.slack.parts import Parts
from assistant.views import requests

_LOG = logging.getLogger(__name__)


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to what opens a modal or turns its page, and to requests out of the plan."""

    async def see(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = pressed(body, parts)
        state = parts.desk.incident(command.incident) if command is not None else None
        outside = await in_time(parts.people.outside(press.user))
        if outside is not None or state is None:
            await tell(client, press, outside or NO_LONGER_VALID)
        elif isinstance(command, SeeEvidence):
            await shown(client, press, _evidence(command, state, parts))
        elif isinstance(command, SeePlan):
            await _plan(command, state, press, parts, client)
        elif isinstance(command, SeeRequest):
            await review(command, press, parts, client)
        elif isinstance(command, AskCause):
            await ask_cause(command.incident, press, parts, client)

    async def asked(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = pressed(body, parts)
        outside = await parts.people.outside(press.user)
        meant = command if isinstance(command, OnIncident) else None
        reply = outside or await answer(meant, press, parts)
        await tell(client, press, reply)
        state = parts.desk.incident(command.incident) if command is not None else None
        if command is not None and state is not None and outside is None:
            draw = partial(_drawn, command.incident, state, parts)
            await shown(client, press, draw(await parts.desk.rehearse(command.incident), reply))

    app.action(re.compile(r"^see:\d+$"))(see)
    app.action({"block_id": re.compile(rf"^{plan.PLACE}:\d+$"), "action_id": re.compile("")})(asked)


async def shown(client: AsyncWebClient, press: Press, view: View) -> str:
    """Open a modal, or put it into the place of the one in which something was pressed."""
    if not press.view:
        return await opened(client, press, view)
    try:
        await client.views_update(view_id=press.view, view=view)
    except FAILURES as error:  # closed meanwhile
        _LOG.info("a modal was not shown anew: %s", sentence(error))
    return press.view


def _evidence(command: SeeEvidence, state: Incident, parts: Parts) -> View:
    """Return the page that is asked for, or the last one where the answer has become shorter."""
    name, most = command.incident, pages(state)
    page = min(command.page, most - 1)
    turns = [("Back", page - 1), ("Next", page + 1)]
    buttons = [
        _pressed(parts, name, Button(label=label, command=SeeEvidence(incident=name, page=to)))
        for label, to in turns
        if 0 <= to < most
    ]
    return evidence_modal(name, state, page, parts.looks.hosts, buttons)


async def _plan(
    command: SeePlan, state: Incident, press: Press, parts: Parts, client: AsyncWebClient
) -> None:
    """Open the plan at once, since that has to happen within seconds, and then say the rest."""
    draw = partial(_drawn, command.incident, state, parts)
    view = await shown(client, press, draw(None, ""))
    if await parts.people.outside(press.user) is not None:  # said too late for the modal
        return
    rehearsed = await parts.desk.rehearse(command.incident)
    await shown(client, replace(press, view=view), draw(rehearsed, ""))


def _drawn(
    name: str, state: Incident, parts: Parts, rehearsed: Mapping[int, Rehearsed] | None, told: str
) -> View:
    known = rehearsed or {}  # what is not known yet is not offered
    ready = {number for number, one in known.items() if one.why is None}
    buttons = {
        button.command.step: _pressed(parts, name, button)
        for button in requests(state, name, parts.looks.offered)
        if isinstance(button.command, RequestStep) and button.command.step in ready
    }
    return plan.plan_modal(
        name, state, rehearsed, buttons, approvers=parts.looks.approvers, told=told
    )


def _pressed(parts: Parts, name: str, button: Button) -> Pressed:
    return Pressed(button=button, token=parts.buttons.token(button.command, name))
