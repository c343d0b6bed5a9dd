"""An incident that somebody declares: where it may begin, its form, and how it is opened.

The form is opened within Slack's three seconds, whatever else Slack still has to say; everything is
asked again when it comes back.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import Investigate, Steer
from assistant.slack.blocks.forms import DECLARE, OWN_CHANNEL, SERVICE, SINCE, WHAT, declare_form
from assistant.slack.channels import inside
from assistant.slack.errors import SlackError
from assistant.slack.listeners.opening import Ack, Who, held, in_time, show, who_of
from assistant.slack.parts import Parts
from assistant.slack.places import Place
from assistant.slack.reply import told
from assistant.slack.text import clean, one_line

NOT_INSIDE = "I am not in this conversation: /invite me, or begin it where I am."
NO_WORDS = "Nothing was opened: say what is wrong."
ALREADY = "{} is about this already."
_LOG = logging.getLogger(__name__)


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to the form that comes back."""

    async def submitted(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        view, who = body["view"], who_of(body)
        begun = parts.buttons.command(str(view.get("private_metadata") or ""))
        if not isinstance(begun, Investigate):
            _LOG.warning("a form came back that is unknown")
            return
        values = _values(view)
        asked = replace(
            begun,
            text=clean(values.get(WHAT, "")).strip(),
            service=one_line(values.get(SERVICE, ""), 80) or None,
            key=told_key(body),
        )
        channel, own = _channel(begun.place), OWN_CHANNEL in values
        try:
            said = await refusal(parts, client, who.user, channel)
            said = said or (None if asked.text else NO_WORDS)
        except SlackError as error:  # nobody likes to type it again
            said = f"Nothing was opened. {error} You wrote: {asked.text}"
        if said is None:
            said = await opened(parts, who, asked, since=values.get(SINCE, ""), own_channel=own)
        await told(client, channel or parts.places.fallback, who.user, said)

    app.view(DECLARE)(submitted)


async def ask(
    parts: Parts, client: AsyncWebClient, who: Who, channel: str | None, trigger: str
) -> str | None:
    """Open the form; return why it is not opened, if it is not. Raises `SlackError`."""
    why = await in_time(refusal(parts, client, who.user, channel))
    if why is not None:
        return why
    place = str(Place(channel=channel)) if channel else None
    begun = Investigate(text="", at=parts.clock.now(), place=place)
    form = declare_form(parts.buttons.token(begun, ""), channels=parts.rooms.allowed)
    await show(client, trigger, form)
    return None


async def refusal(
    parts: Parts, client: AsyncWebClient, user: str, channel: str | None
) -> str | None:
    """Return why somebody cannot begin an incident in a channel, null where they can."""
    outside = await parts.people.outside(user)
    if outside is not None or channel is None:
        return outside
    return None if await inside(client, channel) else NOT_INSIDE


async def opened(
    parts: Parts, who: Who, asked: Investigate, *, since: str = "", own_channel: bool = False
) -> str:
    """Open an incident and return what to tell whoever asked; `since` is HH:MM in their zone."""
    actor, zone = await parts.people.actor(who.user, who.team)
    answer = await parts.desk.submit(replace(asked, zone=zone), actor)
    if answer.refused or answer.incident is None:
        return answer.said
    said = [answer.said]
    if own_channel:
        said.append(await parts.rooms.open(answer.incident, actor))
    if since and not _steered(parts, answer.incident):
        hint = Steer(incident=answer.incident, text=f"since {since}", zone=zone)
        said.append((await parts.desk.submit(hint, actor)).said)
    return " ".join(said)


def told_key(body: Mapping[str, Any]) -> str:
    """Return the key of a form, shortcut or command: Slack may tell each of them twice."""
    return f"slack:{body['trigger_id']}"


def _steered(parts: Parts, incident: str) -> bool:
    """Tell whether somebody steered it already: the same form, before a crash."""
    state = parts.desk.incident(incident)
    return state is not None and bool(state.steering.said)


def _values(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what was typed, by field; a box is there if it was checked."""
    return {
        action: str(one.get("value") or one.get("selected_time") or "")
        for action, one in held(view).items()
        if any(one.get(name) for name in ("value", "selected_time", "selected_options"))
    }


def _channel(place: str | None) -> str | None:
    return place.partition("/")[0] if place else None
