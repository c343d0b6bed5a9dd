"""What people write: a question, steering in an incident's thread, or one of a few words."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import (
    Close,
    Command,
    Freeze,
    GoOn,
    Investigate,
    Reopen,
    Steer,
    Stop,
    Thaw,
)
from assistant.slack.intents import HELP, Intent, intent, steers
from assistant.slack.listeners.status import status
from assistant.slack.parts import Parts
from assistant.slack.places import Place
from assistant.slack.progress import Asker
from assistant.slack.reply import whisper
from assistant.slack.text import words

_WRITTEN_BY_PEOPLE = (None, "thread_broadcast", "file_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A person's message. `thread` is the thread it stands in; `text` is without the mention."""

    channel: str
    ts: str
    thread: str | None
    user: str
    team: str
    text: str
    addressed: bool


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to mentions and messages; Slack sends both for one text, the inbox drops the twin."""

    async def heard(
        event: dict[str, Any], context: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        told = _heard(event, str(context.get("bot_user_id") or ""), str(context.get("team_id")))
        if told is not None:
            await _answer(told, parts, client)

    app.event("app_mention")(heard)
    app.event("message")(heard)


def _heard(event: Mapping[str, Any], bot: str, team: str) -> Heard | None:
    """Return a person's message, or null for what bots, edits and the channel itself say."""
    if event.get("bot_id") or event.get("subtype") not in _WRITTEN_BY_PEOPLE:
        return None
    user, text = event.get("user"), str(event.get("text") or "")
    if not user:
        return None
    mention = f"<@{bot}>"
    mentioned = event.get("type") == "app_mention" or (bool(bot) and mention in text)
    thread = event.get("thread_ts")
    return Heard(
        channel=str(event["channel"]),
        ts=str(event["ts"]),
        thread=str(thread) if thread else None,
        user=str(user),
        team=str(event.get("user_team") or event.get("team") or team),
        text=words(text.replace(mention, " ")),
        addressed=mentioned or event.get("channel_type") == "im",
    )


async def _answer(told: Heard, parts: Parts, client: AsyncWebClient) -> None:
    incident = parts.places.incident_at(told.channel, told.thread)
    if incident is not None and _anew(told, incident, parts):
        incident = None
    if not told.addressed and (incident is None or not steers(told.text)):
        return
    if parts.places.asked(_place(told), _moment(told) if told.thread else None):
        return  # its incident was opened before a crash, and it was not noted as done
    meant = intent(told.text) if told.addressed else Intent(word="tell", text=told.text)
    ready = {"help": HELP}
    reply = await parts.people.outside(told.user) or ready.get(meant.word)
    if reply is None and meant.word == "status":
        reply = await status(parts, told.user, told.channel)
    if reply is None:
        actor, zone = await parts.people.actor(told.user, told.team)
        command = _command(meant, told, incident, zone)
        if meant.word == "channel" and incident is not None:
            reply = await parts.rooms.open(incident, actor)
        elif command is None:
            reply = f'Say "{meant.word}" in the thread of the incident that you mean.'
        else:
            with _heard_out(command, told, parts):
                answer = await parts.desk.submit(command, actor)
            # Whoever asks a question sees the card; only a refusal must be told as well. What looks
            # like steering among people, "not sure", is no business of ours.
            told_by_card = isinstance(command, Investigate) and not answer.refused
            chatter = not (told.addressed or answer.understood)
            reply = "" if told_by_card or chatter else answer.said
    if reply:
        await whisper(client, told.channel, told.user, reply, told.thread)


def _anew(told: Heard, incident: str, parts: Parts) -> bool:
    """Tell whether it is a new question, in a channel whose own incident is over.

    In a thread what is said is about the incident of the thread, over or not.
    """
    return (
        told.addressed
        and told.thread is None
        and parts.desk.incidents()[incident].closed is not None
        and intent(told.text).word == "tell"
        and not steers(told.text)
    )


def _heard_out(command: Command, told: Heard, parts: Parts) -> AbstractContextManager[None]:
    """Show whoever asks a question, from the first second on, what comes of it."""
    if not isinstance(command, Investigate) or command.place is None:
        return nullcontext()
    asker = Asker(
        channel=told.channel,
        thread=told.thread or told.ts,
        message=told.ts,
        user=told.user,
        team=told.team,
    )
    return parts.streams.asked(command.place, asker)


def _command(meant: Intent, told: Heard, incident: str | None, zone: str) -> Command | None:
    """Return the command, or null where it needs an incident and there is none here."""
    match meant.word:
        case "freeze":
            reason = meant.text or "somebody asked for it in Slack"
            return Freeze(reason=reason, said=_moment(told))
        case "thaw":
            return Thaw(said=_moment(told))
        case "tell" if incident is None:
            return Investigate(
                text=meant.text, at=_moment(told), place=str(_place(told)), zone=zone
            )
        case _ if incident is None:
            return None
        case "tell":
            return Steer(incident=incident, text=meant.text, zone=zone)
        case "stop":
            return Stop(incident=incident)
        case "go on":
            return GoOn(incident=incident)
        case "close":
            return Close(incident=incident, reason=meant.text or "resolved")
        case "channel":
            return None  # it is made before the incident is moved there
        case _:
            return Reopen(incident=incident, reason=meant.text)


def _place(told: Heard) -> Place:
    return Place(channel=told.channel, thread=told.thread or told.ts)


def _moment(told: Heard) -> datetime:
    return datetime.fromtimestamp(float(told.ts), UTC)
