"""Who can read along in a channel, asked of Slack each time: conversations.info."""

from slack_sdk.web.async_client import AsyncWebClient

from assistant.actions.audience import FOREIGN, PRIVATE, PUBLIC, SHARED, UNKNOWN
from assistant.slack.errors import FAILURES

_DIRECT = "D"  # direct messages are never shared, and looking at them takes another scope


class SlackAudience:
    """`fallback` is the channel of incidents that nobody opened in Slack."""

    def __init__(self, client: AsyncWebClient, fallback: str) -> None:
        self._client = client
        self._fallback = fallback

    async def readers(self, place: str | None) -> str:
        """Return private, public, shared or foreign; empty where Slack does not say."""
        channel = (place or self._fallback).partition("/")[0]
        if channel.startswith(_DIRECT):
            return PRIVATE
        try:
            reply = await self._client.conversations_info(channel=channel)
        except FAILURES:
            return UNKNOWN
        told = reply.get("channel") or {}
        if told.get("is_ext_shared") or told.get("is_pending_ext_shared"):
            return FOREIGN
        if told.get("is_shared") or told.get("is_org_shared"):
            return SHARED
        return PRIVATE if told.get("is_private", True) else PUBLIC
