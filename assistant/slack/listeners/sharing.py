"""The postmortem of an incident, looked at before it is posted."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import SharePostmortem
from assistant.postmortem import timeline
from assistant.slack.blocks.preview import PREVIEW, preview, preview_form
from assistant.slack.errors import SlackError
from assistant.slack.listeners.opening import Ack, Who, held, in_time, show, who_of
from assistant.slack.listeners.shortcuts import thread_of
from assistant.slack.manifest import POSTMORTEM
from assistant.slack.parts import Parts
from assistant.slack.reply import answered, told

NO_INCIDENT = "There is no incident here whose postmortem I could write."
NO_RECORDS = "No records are kept here that a postmortem could be made from."
_LOG = logging.getLogger(__name__)


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to the shortcut on a message of the thread, and to the form that comes back."""

    async def wanted(
        ack: Ack, body: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> None:
        await ack()
        incident = parts.places.incident_at(str(body["channel"]["id"]), thread_of(body["message"]))
        try:
            said = await look(parts, client, who_of(body), incident, str(body["trigger_id"]))
        except SlackError as error:
            said = str(error)
        if said is not None:
            await answered(respond, said)

    async def submitted(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        view, who = body["view"], who_of(body)
        command = parts.buttons.command(str(view.get("private_metadata") or ""))
        if not isinstance(command, SharePostmortem):
            _LOG.warning("a form came back that is unknown")
            return
        said = await parts.people.outside(who.user)
        if said is None:
            actor, _ = await parts.people.actor(who.user, who.team)
            kept = replace(command, kept=_kept(view))
            said = (await parts.desk.submit(kept, actor)).said
        state = parts.desk.incident(command.incident)
        place = parts.places.of(state) if state is not None else None
        await told(client, place.channel if place else None, who.user, said)

    app.shortcut({"type": "message_action", "callback_id": POSTMORTEM})(wanted)
    app.view(PREVIEW)(submitted)


async def look(
    parts: Parts, client: AsyncWebClient, who: Who, incident: str | None, trigger: str
) -> str | None:
    """Open the form; return why it is not opened, if it is not. Raises `SlackError`."""
    outside = await in_time(parts.people.outside(who.user))
    if outside is not None or incident is None:
        return outside or NO_INCIDENT
    account = parts.desk.account(incident)
    if account is None:
        return NO_RECORDS
    seen = preview(timeline(account))
    command = SharePostmortem(incident=incident, upto=seen.upto)
    token = parts.buttons.token(command, incident)
    await show(client, trigger, preview_form(token, incident, seen))
    return None


def _kept(view: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers of the records whose boxes are checked."""
    chosen = [o for one in held(view).values() for o in one.get("selected_options") or ()]
    values = [str(option.get("value")) for option in chosen]
    return tuple(sorted(int(value) for value in values if value.isdecimal()))
