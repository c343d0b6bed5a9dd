"""The home tab, written whenever somebody opens it."""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.blocks.home import home
from assistant.slack.parts import Parts


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to the opening of the home tab."""

    async def opened(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            await client.views_publish(
                user_id=str(event["user"]), view=home(parts.desk.incidents())
            )

    app.event("app_home_opened")(opened)
