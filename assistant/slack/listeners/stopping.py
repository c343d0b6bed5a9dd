"""Slack's own Stop, which it shows in a thread while we say that we work there."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import Stop
from assistant.slack.parts import Parts
from assistant.slack.reply import whisper


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to it. Who pressed comes from Slack's envelope, as with a button."""

    async def stopped(
        event: dict[str, Any], context: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        channel, thread = str(event.get("channel") or ""), str(event.get("thread_ts") or "")
        user = str(event.get("user") or "")
        incident = parts.places.incident_at(channel, thread)
        if incident is None or not user:
            return
        said = await parts.people.outside(user)
        if said is None:
            actor, _ = await parts.people.actor(user, str(context.get("team_id") or ""))
            said = (await parts.desk.submit(Stop(incident=incident), actor)).said
        await whisper(client, channel, user, said, thread)

    app.event("agent_session_stopped")(stopped)
