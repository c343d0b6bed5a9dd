"""Shortcuts: what can be done with a message, and what can be begun from anywhere."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import Investigate
from assistant.slack.errors import SlackError
from assistant.slack.listeners.declaring import ALREADY, ask, opened, refusal, told_key
from assistant.slack.listeners.opening import Ack, who_of
from assistant.slack.manifest import DECLARE, INVESTIGATE
from assistant.slack.parts import Parts
from assistant.slack.places import Place
from assistant.slack.reply import answered, told
from assistant.slack.text import clip
from assistant.slack.told import told_in
from connectors.redact import redact_text

MOST_TEXT = 500
THEN = timedelta(hours=1)  # an old message is about what was seen then
NOTHING_SAID = "There are no words in this message that I could look into."


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to the shortcuts of the manifest."""

    async def investigate(
        ack: Ack, body: dict[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> None:
        await ack()
        try:
            said = await _investigated(body, parts, client)
        except SlackError as error:
            said = str(error)
        await answered(respond, said)

    async def declare(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        who = who_of(body)
        try:
            said = await ask(parts, client, who, None, str(body["trigger_id"]))
        except SlackError as error:
            said = str(error)
        if said is not None:
            await told(client, None, who.user, said)

    app.shortcut({"type": "message_action", "callback_id": INVESTIGATE})(investigate)
    app.shortcut({"type": "shortcut", "callback_id": DECLARE})(declare)


async def _investigated(body: Mapping[str, Any], parts: Parts, client: AsyncWebClient) -> str:
    """Ask what a message says, to be answered in its thread; return what to say."""
    who, message = who_of(body), body["message"]
    channel, thread = str(body["channel"]["id"]), thread_of(message)
    why = await refusal(parts, client, who.user, channel)
    if why is not None:
        return why
    known = parts.places.incident_at(channel, thread)
    if known is not None and parts.desk.incidents()[known].open:
        return ALREADY.format(known)
    text = clip(redact_text(told_in(message)), MOST_TEXT)
    if not text:
        return NOTHING_SAID
    at = datetime.fromtimestamp(float(message["ts"]), UTC)
    asked = Investigate(
        text=text,
        at=at,
        horizon=at + THEN if at + THEN < parts.clock.now() else None,
        place=str(Place(channel=channel, thread=thread)),
        key=told_key(body),
    )
    return await opened(parts, who, asked)


def thread_of(message: Mapping[str, Any]) -> str:
    """Return the thread that a message stands in, or would begin."""
    return str(message.get("thread_ts") or message["ts"])
