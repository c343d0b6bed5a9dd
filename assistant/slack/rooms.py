"""Channels that incidents have for themselves: made once, whatever gets lost on the way.

The name is noted before the channel is made. Whoever does not know whether it was made looks for a
channel of that name which is ours and younger than the incident. Source: docs.slack.dev,
conversations.create.
"""

import asyncio
import logging
import re
import unicodedata
from collections.abc import Iterator

from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import Move
from assistant.domain.board import PREFIX
from assistant.domain.canonical import digest
from assistant.domain.incident import Incident
from assistant.domain.people import Actor
from assistant.failure import Unusable
from assistant.slack.errors import FAILURES, SlackError, code, sentence
from assistant.slack.people import People
from assistant.slack.places import Places, card_slot
from assistant.slack.ports import Desk, Messages

SLUG, TWINS = 40, 9  # characters of what is wrong, and how many channels may be called the same
MOST_INVITED = 30
PAGE = 200
OFF = (
    "Incidents have no channels of their own here: whoever runs me can set incident_channels = "
    "true under [slack]. The thread goes on."
)
ALREADY = "{} is followed in {} already."
_WHY = {"restricted_action": "This workspace does not let me make channels (restricted_action)."}
_EVERY = "public_channel,private_channel"
_THERE = ("already_in_channel", "cant_invite_self")
_LOG = logging.getLogger(__name__)


def names(incident: str, text: str) -> Iterator[str]:
    """Yield the names that its channel may have, the best first: `inc-007-logins-fail`."""
    number = incident.removeprefix(PREFIX)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    cut = slug if len(slug) <= SLUG else slug[:SLUG].rpartition("-")[0] or slug[:SLUG]
    first = f"inc-{number:0>3}-{cut}".strip("-")
    yield first
    for twin in range(2, TWINS + 1):
        yield f"{first}-{twin}"


class Rooms:
    """Makes them; `allowed` is false where nobody wants them."""

    def __init__(
        self,
        client: AsyncWebClient,
        desk: Desk,
        messages: Messages,
        places: Places,
        people: People,
        *,
        allowed: bool,
    ) -> None:
        self.allowed = allowed
        self._client = client
        self._desk = desk
        self._messages = messages
        self._places = places
        self._people = people
        self._turn = asyncio.Lock()

    async def open(self, incident: str, actor: Actor) -> str:
        """Move an incident into a channel of its own; return what to tell whoever asked."""
        if not self.allowed:
            return OFF
        async with self._turn:
            state = self._desk.incident(incident)
            if state is None or not state.open:
                return f"Not done: {incident} is not open."
            if state.moved is not None:
                return ALREADY.format(incident, state.moved.shown)
            try:
                channel, called = await self._channel(incident, state)
            except Unusable as error:
                return f"There is no channel for {incident}, and the thread goes on. {error}"
            for user in [actor.id, *await self._taking_part(incident, state)]:
                await self._invite(channel, user)
            move = Move(incident=incident, place=channel, shown=f"#{called}")
            return (await self._desk.submit(move, actor)).said

    async def _channel(self, incident: str, state: Incident) -> tuple[str, str]:
        """Return the id and the name of the incident's channel, made if it is not there."""
        slot = f"{incident}/channel"
        known = self._messages.get(slot)
        if known is not None and known.ts is not None:
            return known.ts, known.channel
        private = await self._private(state)
        if known is not None and (made := await self._found(known.channel, state)) is not None:
            self._messages.sent(slot, made, known.digest)
            return made, known.channel
        for called in names(incident, state.opened.text):
            self._messages.intend(slot, called, None, digest(called))
            try:
                reply = await self._client.conversations_create(name=called, is_private=private)
            except FAILURES as error:
                if code(error) == "name_taken":
                    continue
                raise SlackError(_WHY.get(code(error), sentence(error))) from error
            made = str(reply["channel"]["id"])
            self._messages.sent(slot, made, digest(called))
            return made, called
        raise SlackError(f"All names like #{called} are taken.")

    async def _private(self, state: Incident) -> bool:
        """Tell whether it began where not everybody reads: then its channel is not for all either.

        Direct messages, whose ids begin with D, are private without asking.
        """
        place = self._places.origin(state)
        if place is None or place.channel.startswith("D"):
            return place is not None
        try:
            reply = await self._client.conversations_info(channel=place.channel)
        except FAILURES as error:
            raise SlackError(sentence(error)) from error
        return bool((reply.get("channel") or {}).get("is_private"))

    async def _found(self, called: str, state: Incident) -> str | None:
        """Return the channel of that name which we have made for this incident, if there is one."""
        try:
            us = str((await self._client.auth_test())["user_id"])
            cursor = ""
            while True:
                reply = await self._client.conversations_list(
                    limit=PAGE, cursor=cursor, exclude_archived=True, types=_EVERY
                )
                for channel in reply.get("channels") or ():
                    if (channel.get("name"), channel.get("creator")) != (called, us):
                        continue
                    if int(channel.get("created") or 0) >= int(state.opened.at.timestamp()):
                        return str(channel["id"])
                cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
                if not cursor:
                    return None
        except FAILURES as error:
            raise SlackError(sentence(error)) from error

    async def _taking_part(self, incident: str, state: Incident) -> list[str]:
        """Return who has written in the thread where the incident began.

        Guests are left out, and so is whoever Slack does not say anything of.
        """
        place = self._places.origin(state)
        if place is None:
            return []
        thread = place.thread or self._places.posted(place.slot(card_slot(incident)))
        if thread is None:
            return []
        try:
            reply = await self._client.conversations_replies(
                channel=place.channel, ts=thread, limit=PAGE
            )
        except FAILURES as error:
            _LOG.warning("who takes part in %s is not known: %s", incident, sentence(error))
            return []
        wrote = [m.get("user") for m in reply.get("messages") or () if not m.get("bot_id")]
        users = list(dict.fromkeys(str(user) for user in wrote if user))[:MOST_INVITED]
        return [user for user in users if await self._colleague(user)]

    async def _colleague(self, user: str) -> bool:
        try:
            return (await self._people.profile(user)).odd is None
        except SlackError as error:
            _LOG.warning("somebody is not invited, since nobody says who it is: %s", error)
            return False

    async def _invite(self, channel: str, user: str) -> None:
        try:
            await self._client.conversations_invite(channel=channel, users=user)
        except FAILURES as error:
            if code(error) not in _THERE:
                _LOG.warning("somebody could not be invited: %s", sentence(error))
