"""Which incidents somebody may be told of: those of public channels, and of those they are in.

Asked of Slack, remembered for a minute. Where Slack does not say, it is as if they were not in it.
Source: docs.slack.dev, conversations.info, conversations.members.
"""

import logging
from collections.abc import Mapping

from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.domain.incident import Incident
from assistant.slack.errors import FAILURES, sentence
from assistant.slack.places import Places

REMEMBERED_S = 60.0
PAGE, PAGES = 1000, 10
_DIRECT = "D"  # who else is in direct messages takes another scope to ask
_LOG = logging.getLogger(__name__)


class Sight:
    """Knows for a minute who reads a channel."""

    def __init__(self, client: AsyncWebClient, places: Places, clock: Clock) -> None:
        self._client = client
        self._places = places
        self._clock = clock
        self._known: dict[str, tuple[float, frozenset[str] | None]] = {}

    async def hidden(
        self, user: str, incidents: Mapping[str, Incident], here: str = ""
    ) -> frozenset[str]:
        """Return which of these are shown where somebody does not read.

        `here` is a channel that they are in for certain: what they did comes from there.
        """
        places = {name: self._places.of(one) for name, one in incidents.items()}
        shown = {name: place.channel for name, place in places.items() if place is not None}
        closed = {c for c in {*shown.values()} - {here} if not await self._reads(user, c)}
        return frozenset(name for name, channel in shown.items() if channel in closed)

    async def _reads(self, user: str, channel: str) -> bool:
        if channel.startswith(_DIRECT):
            return False
        now = self._clock.monotonic()
        known = self._known.get(channel)
        if known is None or now - known[0] >= REMEMBERED_S:
            try:
                known = now, await self._readers(channel)
            except FAILURES as error:
                _LOG.warning("who reads %s is not known: %s", channel, sentence(error))
                return False
            self._known[channel] = known
        return known[1] is None or user in known[1]

    async def _readers(self, channel: str) -> frozenset[str] | None:
        """Return who is in a private channel, null for a public one."""
        reply = await self._client.conversations_info(channel=channel)
        if not (reply.get("channel") or {}).get("is_private", True):
            return None
        found: set[str] = set()
        cursor = ""
        for _ in range(PAGES):
            page = await self._client.conversations_members(
                channel=channel, limit=PAGE, cursor=cursor
            )
            found.update(str(member) for member in page.get("members") or ())
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return frozenset(found)
