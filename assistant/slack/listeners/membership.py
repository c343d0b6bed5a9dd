"""The app is invited to a channel, perhaps again: what could not be shown there is shown now."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from assistant.slack.parts import Parts


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to our own bot user joining a channel; others may come and go."""

    async def joined(event: dict[str, Any], context: Mapping[str, Any]) -> None:
        if event.get("user") == context.get("bot_user_id"):
            parts.invited(str(event.get("channel")))

    app.event("member_joined_channel")(joined)
