"""Forms, opened within the three seconds that Slack gives for it, and who has filled one in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.errors import FAILURES, SlackError, sentence

Ack = Callable[[], Awaitable[Any]]
T = TypeVar("T")
QUICK_S = 1.5  # of the three seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody, as Slack's envelope says it."""

    user: str
    team: str


def who_of(body: Mapping[str, Any]) -> Who:
    """Return who acted, by Slack's envelope."""
    user = body["user"]
    team = user.get("team_id") or (body.get("team") or {}).get("id") or ""
    return Who(user=str(user["id"]), team=str(team))


async def in_time(asked: Awaitable[T | None]) -> T | None:
    """Return what Slack says, null where it takes too long: it is asked again afterwards."""
    try:
        async with asyncio.timeout(QUICK_S):
            return await asked
    except TimeoutError:
        return None


async def show(client: AsyncWebClient, trigger: str, view: Mapping[str, Any]) -> str:
    """Open a modal before whoever caused `trigger` and return its id; raises `SlackError`."""
    try:
        reply = await client.views_open(trigger_id=trigger, view=dict(view))
    except FAILURES as error:
        raise SlackError(f"The form could not be opened. {sentence(error)}") from error
    return str((reply.get("view") or {}).get("id") or "")


def held(view: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what each field of a form that came back holds."""
    state = (view.get("state") or {}).get("values") or {}
    return {action: one for block in state.values() for action, one in block.items()}
