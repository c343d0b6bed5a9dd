"""The home tab, written whenever somebody opens it, and what is pressed in it."""

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import OnIncident
from assistant.slack.blocks.home import PLACE
from assistant.slack.hometab import HomeTabs
from assistant.slack.listeners.opening import Ack
from assistant.slack.listeners.pressing import answer, pressed, tell
from assistant.slack.parts import Parts


def register(app: AsyncApp, parts: Parts, tabs: HomeTabs) -> None:
    """Listen to the opening of the home tab, and to decisions that are made there."""

    async def opened(event: dict[str, Any], context: Mapping[str, Any]) -> None:
        if event.get("tab") == "home":
            direct, team = str(event.get("channel") or ""), str(context.get("team_id") or "")
            await tabs.show(str(event["user"]), team, direct=direct)

    async def decided(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = pressed(body, parts)
        reply = await answer(command if isinstance(command, OnIncident) else None, press, parts)
        await tabs.show(press.user, press.team, reply)
        await tell(client, press, reply)

    place = re.compile(rf"^{PLACE}:\d+$")
    app.event("app_home_opened")(opened)
    app.action({"block_id": place, "action_id": re.compile(r"^do:\d+$")})(decided)
