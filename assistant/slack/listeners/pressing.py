"""What people press: a button's opaque value is looked up; nothing else that it says is believed.

Who pressed comes from Slack's envelope. A token counts only in the channel of its incident, so that
a copied one is worth nothing elsewhere.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import Deny, OnIncident, RejectRunbook
from assistant.slack.blocks.forms import REASON, reason_form
from assistant.slack.errors import FAILURES, SlackError, sentence
from assistant.slack.parts import Parts
from assistant.slack.places import Place
from assistant.slack.reply import whisper
from assistant.slack.text import clean

Ack = Callable[[], Awaitable[Any]]
NO_LONGER_VALID = "This button is no longer valid."
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Who pressed what, where. `thread` is where the message stands."""

    user: str
    team: str
    channel: str
    thread: str | None
    token: str


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to our buttons, to the form that asks for a reason, and to buttons of the past."""

    async def do(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press = _press(body)
        command = _valid(press, parts)
        await _submit(command, press, parts, client)

    async def ask(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press = _press(body)
        if _valid(press, parts) is None:
            await whisper(client, press.channel, press.user, NO_LONGER_VALID, press.thread)
            return
        try:
            await client.views_open(
                trigger_id=str(body["trigger_id"]), view=reason_form(press.token)
            )
        except FAILURES as error:
            raise SlackError(f"The form could not be opened. {sentence(error)}") from error

    async def submitted(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        token = str(body["view"].get("private_metadata") or "")
        reason = str(body["view"]["state"]["values"][REASON][REASON].get("value") or "")
        press = replace(_from(body), token=token)
        place = _place(parts.buttons.command(token), parts)
        if place is None:
            # A form belongs to no channel, so there is nowhere to tell them.
            _LOG.warning("a form came back whose button is unknown")
            return
        press = replace(press, channel=place.channel, thread=place.thread)
        command = _valid(press, parts)
        if isinstance(command, Deny | RejectRunbook):
            command = replace(command, reason=clean(reason).strip())
        await _submit(command, press, parts, client)

    async def stale(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press = _press(body)
        if press.channel:
            await whisper(client, press.channel, press.user, NO_LONGER_VALID, press.thread)

    app.action(re.compile(r"^do:\d+$"))(do)
    app.action(re.compile(r"^ask:\d+$"))(ask)
    app.view(REASON)(submitted)
    app.action(re.compile(""))(stale)


async def _submit(
    command: OnIncident | None, press: Press, parts: Parts, client: AsyncWebClient
) -> None:
    outside = await parts.people.outside(press.user)
    if outside is not None or command is None:
        reply = outside or NO_LONGER_VALID
    else:
        actor, _ = await parts.people.actor(press.user, press.team)
        reply = (await parts.desk.submit(command, actor)).said
    if reply:
        await whisper(client, press.channel, press.user, reply, press.thread)


def _valid(press: Press, parts: Parts) -> OnIncident | None:
    """Return the command behind a press, or null for a token that is unknown or out of place."""
    command = parts.buttons.command(press.token) if press.token else None
    place = _place(command, parts)
    if place is None or not isinstance(command, OnIncident):
        _LOG.warning("a button was pressed that is unknown")
        return None
    if place.channel != press.channel:
        _LOG.warning("a button of %s was pressed in another channel", command.incident)
        return None
    return command


def _place(command: object, parts: Parts) -> Place | None:
    if not isinstance(command, OnIncident):
        return None
    incident = parts.desk.incident(command.incident)
    return parts.places.of(incident) if incident is not None else None


def _press(body: Mapping[str, Any]) -> Press:
    container, channel = body.get("container") or {}, body.get("channel") or {}
    thread = container.get("thread_ts") or container.get("message_ts")
    return replace(
        _from(body),
        channel=str(channel.get("id") or ""),
        thread=str(thread) if thread else None,
        token=str(body["actions"][0].get("value") or ""),
    )


def _from(body: Mapping[str, Any]) -> Press:
    user = body["user"]
    team = user.get("team_id") or (body.get("team") or {}).get("id") or ""
    return Press(user=str(user["id"]), team=str(team), channel="", thread=None, token="")
