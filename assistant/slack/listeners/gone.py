"""Messages that an administrator deletes: a request that waits must not disappear with its card.

What counts is what the journal holds; but who is to decide has to see it.
"""

from typing import Any

from slack_bolt.async_app import AsyncApp

from assistant.domain.action import Status
from assistant.slack.parts import Parts
from assistant.slack.places import request_slot


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to deletions in the channels where we are."""

    async def deleted(event: dict[str, Any]) -> None:
        channel, ts = str(event.get("channel")), str(event.get("deleted_ts"))
        name = waiting_at(channel, ts, parts)
        if name is not None:
            parts.look_again(name)

    app.event({"type": "message", "subtype": "message_deleted"})(deleted)


def waiting_at(channel: str, ts: str, parts: Parts) -> str | None:
    """Return the incident whose waiting request a message showed, or null.

    One that was posted this moment may not be noted with its `ts` yet.
    """
    where = ((channel, ts), (channel, None))
    for name, incident in parts.desk.incidents().items():
        for tracked in incident.requests.values():
            waits = tracked.status is Status.PENDING
            if waits and parts.places.at(name, request_slot(name, tracked.request.id)) in where:
                return name
    return None
