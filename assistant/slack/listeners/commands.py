"""What people type after /firstline: an incident, a question, and a few words that ask.

Answers are seen by whoever typed, and come by the command's own address, so that they come where
firstline is not.
"""

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import Investigate
from assistant.slack.errors import SlackError
from assistant.slack.intents import SLASH_HELP, Intent, slash
from assistant.slack.listeners.declaring import ask, opened, refusal, told_key
from assistant.slack.listeners.opening import Ack, Who
from assistant.slack.listeners.sharing import look
from assistant.slack.listeners.status import status
from assistant.slack.parts import Parts
from assistant.slack.places import Place
from assistant.slack.reply import answered
from assistant.slack.text import one_line, words


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to every command: Slack sends us our own alone."""

    async def typed(
        ack: Ack, body: Mapping[str, Any], client: AsyncWebClient, respond: AsyncRespond
    ) -> None:
        await ack()
        meant = slash(words(str(body.get("text") or "")))
        try:
            said = await _done(meant, body, parts, client)
        except SlackError as error:
            said = str(error)
        if said:
            await answered(respond, said)

    app.command(re.compile("^/"))(typed)


async def _done(
    meant: Intent, body: Mapping[str, Any], parts: Parts, client: AsyncWebClient
) -> str | None:
    """Do what is meant; return what to say, if anything."""
    who = Who(user=str(body["user_id"]), team=str(body.get("team_id") or ""))
    channel = str(body["channel_id"])
    match meant.word:
        case "declare" | "investigate" if not meant.text:
            return await ask(parts, client, who, channel, str(body["trigger_id"]))
        case "postmortem":
            here = parts.places.incident_in(channel)
            return await look(parts, client, who, here, str(body["trigger_id"]))
        case "declare" | "investigate":
            why = await refusal(parts, client, who.user, channel)
            place = str(Place(channel=channel))
            asked = Investigate(
                text=meant.text, at=parts.clock.now(), place=place, key=told_key(body)
            )
            return why or await opened(parts, who, asked)
    outside = await parts.people.outside(who.user)
    if outside is not None:
        return outside
    match meant.word:
        case "status":
            return await status(parts, who.user, channel)
        case "unknown":
            return f'I do not know "{one_line(meant.text, 40)}".\n{SLASH_HELP}'
        case _:
            return SLASH_HELP
