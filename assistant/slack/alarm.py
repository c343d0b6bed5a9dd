"""What has to be said though nothing can be written down: straight to Slack, past the outbox.

The outbox writes down what it is about to send, so that nothing is sent twice. When the disk is
full it is silent, and just then people must not be left waiting for an action.
"""

import logging

from slack_sdk.web.async_client import AsyncWebClient

from assistant.failure import Unusable
from assistant.slack.errors import FAILURES, sentence
from assistant.slack.places import Places
from assistant.slack.ports import Desk
from assistant.slack.text import escape

_log = logging.getLogger(__name__)


class Alarm:
    """`raised` is for `Desk.warn`."""

    def __init__(self, client: AsyncWebClient, desk: Desk, places: Places) -> None:
        self._client = client
        self._desk = desk
        self._places = places

    async def raised(self, incident: str, said: str) -> None:
        """Post it where the incident is shown."""
        state = self._desk.incident(incident)
        place = self._places.of(state) if state is not None else None
        if place is None:
            return
        try:
            thread = place.thread or self._places.card(incident)
        except Unusable:  # then in the channel
            thread = None
        try:
            await self._client.chat_postMessage(
                channel=place.channel,
                thread_ts=thread,
                text=f":warning: {incident}: {escape(said)}",
                unfurl_links=False,
                unfurl_media=False,
            )
        except FAILURES as error:
            _log.error("%s could not be told: %s", incident, sentence(error))
