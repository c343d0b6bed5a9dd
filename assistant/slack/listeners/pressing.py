"""What people press: a button's opaque value is looked up; nothing else that it says is believed.

Who pressed comes from Slack's envelope. A token counts only in the channel of its incident, so that
a copied one is worth nothing elsewhere, and in our own views: nobody else can show those.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import (
    Approve,
    Deny,
    Look,
    OnIncident,
    RejectRunbook,
    RequestAction,
    RequestStep,
    RequestUndo,
)
from assistant.slack.blocks.forms import REASON, reason_form
from assistant.slack.listeners.opening import Ack, show, who_of
from assistant.slack.parts import Parts
from assistant.slack.places import Place
from assistant.slack.reply import told, whisper
from assistant.slack.text import clean

NO_LONGER_VALID = "This button is no longer valid."
# Who asks for an action and who approves it have to be two people.
_COUNTS = (RequestStep, RequestAction, RequestUndo, Approve)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Who pressed what, where. `thread` is where the message stands, or what it has begun.

    It is null where nobody has replied to it: Slack shows nothing in a thread that is none yet.

    `in_view` is true in forms, modals and the home tab, which belong to no channel: `channel` is
    then that of the incident, empty where there is none. `view` is the id of the modal in which it
    was pressed, empty elsewhere; `trigger` lets a modal be opened for a few seconds.
    """

    user: str
    team: str
    channel: str
    thread: str | None
    token: str
    in_view: bool
    view: str
    trigger: str


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to our buttons, to the form that asks for a reason, and to buttons of the past."""

    async def do(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = pressed(body, parts)
        reply = await answer(command if isinstance(command, OnIncident) else None, press, parts)
        await tell(client, press, reply)

    async def ask(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = pressed(body, parts)
        if command is None:
            await tell(client, press, NO_LONGER_VALID)
            return
        await opened(client, press, reason_form(press.token))

    async def submitted(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = filled(body, parts)
        reason = str(typed(body, REASON) or "")
        if isinstance(command, Deny | RejectRunbook):
            command = replace(command, reason=clean(reason).strip())
        reply = await answer(command if isinstance(command, OnIncident) else None, press, parts)
        await tell(client, press, reply)

    async def stale(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, _ = pressed(body, parts)
        await tell(client, press, NO_LONGER_VALID)

    app.action(re.compile(r"^do:\d+$"))(do)
    app.action(re.compile(r"^ask:\d+$"))(ask)
    app.view(REASON)(submitted)
    app.action(re.compile(""))(stale)


async def opened(client: AsyncWebClient, press: Press, view: Mapping[str, Any]) -> str:
    """Open a modal for whoever pressed and return its id; raises `SlackError`."""
    return await show(client, press.trigger, view)


async def tell(client: AsyncWebClient, press: Press, reply: str) -> None:
    """Tell whoever pressed, where they see it: who pressed in a view may not see the channel."""
    if reply and press.in_view:
        await told(client, press.channel or None, press.user, reply, press.thread)
    elif reply and press.channel:
        await whisper(client, press.channel, press.user, reply, press.thread)


async def answer(command: OnIncident | None, press: Press, parts: Parts) -> str:
    """Give the command and return what to tell whoever pressed, if anything."""
    if isinstance(command, _COUNTS):
        who = await parts.people.member(press.user, press.team)
        return who if isinstance(who, str) else (await parts.desk.submit(command, who)).said
    outside = await parts.people.outside(press.user)
    if outside is not None or command is None:
        return outside or NO_LONGER_VALID
    actor, _ = await parts.people.actor(press.user, press.team)
    return (await parts.desk.submit(command, actor)).said


def pressed(body: Mapping[str, Any], parts: Parts) -> tuple[Press, OnIncident | Look | None]:
    """Return a press, and what it stands for: null for a token that is unknown or out of place."""
    channel = body.get("channel") or {}
    press = replace(
        _from(body),
        channel=str(channel.get("id") or ""),
        thread=_thread(body),
        token=str(body["actions"][0].get("value") or ""),
    )
    command, place = _known(press.token, parts)
    if place is None:
        return press, None
    if body.get("view") and not press.channel:
        press = replace(press, channel=place.channel, thread=place.thread)
    if command is not None and place.channel != press.channel:
        _LOG.warning("a button of %s was pressed in another channel", command.incident)
        return press, None
    return press, command


def filled(body: Mapping[str, Any], parts: Parts) -> tuple[Press, OnIncident | Look | None]:
    """Return a submission, and what its form stands for, which is told where the incident is.

    A form belongs to no channel, so one that is unknown is answered in a direct message.
    """
    press = replace(_from(body), token=str(body["view"].get("private_metadata") or ""))
    command, place = _known(press.token, parts)
    if place is not None:
        press = replace(press, channel=place.channel, thread=place.thread)
    return press, command


def typed(body: Mapping[str, Any], field: str) -> str | None:
    """Return what was typed or chosen in a form; `field` names the block and its element."""
    values = ((body["view"].get("state") or {}).get("values") or {}).get(field) or {}
    state = values.get(field) or {}
    chosen = state.get("selected_option") or {}
    return state.get("value") or chosen.get("value")


def _known(token: str, parts: Parts) -> tuple[OnIncident | Look | None, Place | None]:
    command = parts.buttons.command(token) if token else None
    state = (
        parts.desk.incident(command.incident) if isinstance(command, OnIncident | Look) else None
    )
    place = parts.places.of(state) if state is not None else None
    if place is None or not isinstance(command, OnIncident | Look):
        _LOG.warning("a button was pressed that is unknown")
        return None, None
    return command, place


def _thread(body: Mapping[str, Any]) -> str | None:
    """Return the thread of a message; the first of one says so only once it has replies."""
    container, message = body.get("container") or {}, body.get("message") or {}
    thread = container.get("thread_ts") or message.get("thread_ts")
    return str(thread) if thread else None


def _from(body: Mapping[str, Any]) -> Press:
    who, view = who_of(body), body.get("view") or {}
    return Press(
        user=who.user,
        team=who.team,
        channel="",
        thread=None,
        token="",
        in_view=bool(view),
        view=str(view.get("id") or "") if view.get("type") == "modal" else "",
        trigger=str(body.get("trigger_id") or ""),
    )
