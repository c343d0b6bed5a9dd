"""What stands in a channel or a thread, page by page."""

from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

PAGE, PAGES = 200, 10


async def messages(
    client: AsyncWebClient, channel: str, thread: str | None
) -> AsyncIterator[dict[str, Any]]:
    """Yield the messages of a thread, the oldest first, or of a channel, the newest first.

    With the metadata of our own; at most two thousand. Raises what the client raises.
    """
    cursor = ""
    for _ in range(PAGES):
        where: dict[str, Any] = {"channel": channel, "limit": PAGE, "cursor": cursor}
        if thread is None:
            reply = await client.conversations_history(**where, include_all_metadata=True)
        else:
            reply = await client.conversations_replies(
                **where, ts=thread, include_all_metadata=True
            )
        for message in reply.get("messages") or ():
            yield message
        cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return
