"""The channels that are meant by names, and whether firstline is in one.

Source: docs.slack.dev, conversations.list, conversations.info, rate limits.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from assistant.slack.errors import FAILURES, SlackError, code, failure, needed, sentence, wait_s

PAGE = 200
MOST_WAIT_S = 300.0  # in all: a big workspace has a hundred pages, and Slack gives twenty a minute
TOO_MANY = (
    "Slack asks to wait for too long before it names more channels: name the channels under "
    "[slack] by their ids, or start again in some minutes."
)
_ID = re.compile(r"[CG][A-Z0-9]{8,}")  # no channel's name has capitals
_LOG = logging.getLogger(__name__)


async def channel_ids(client: AsyncWebClient, names: Collection[str]) -> dict[str, str]:
    """Return the ids of public channels by what names them: a name (`#incidents`) or an id.

    Slack's list is read once for all names, as far as needed, and not at all for ids. Where Slack
    asks to wait, that is done. Raises `SlackError`.
    """
    bare = {name: name.removeprefix("#") for name in names}
    ids = {one for one in bare.values() if _ID.fullmatch(one)}
    search = _Search(client)
    try:
        found = {one: one for one in ids if await search.public(one)}
        found |= await search.named({*bare.values()} - ids)
    except FAILURES as error:
        raise failure(error) from error
    for one in bare.values():
        if one not in found:
            raise SlackError(
                f"There is no public channel #{one}: create it and invite the app, "
                "or name another one under [slack]."
            )
    return {name: found[one] for name, one in bare.items()}


class _Search:
    """Asks Slack for channels, and waits `MOST_WAIT_S` in all where it wants that."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._left_s = MOST_WAIT_S

    async def public(self, channel: str) -> bool:
        """Tell whether there is a public channel with an id."""
        try:
            reply = await self._asked(lambda: self._client.conversations_info(channel=channel))
        except FAILURES as error:
            if code(error) == "channel_not_found":
                return False
            raise
        told = reply.get("channel") or {}
        return not (told.get("is_private") or told.get("is_archived"))

    async def named(self, names: Collection[str]) -> dict[str, str]:
        """Return the ids of public channels with these names, as far as there are any."""
        left, found, cursor = {*names}, dict[str, str](), ""
        while left:
            ask = partial(
                self._client.conversations_list,
                limit=PAGE,
                cursor=cursor,
                exclude_archived=True,
                types="public_channel",
            )
            reply = await self._asked(ask)
            for channel in reply.get("channels") or ():
                if channel.get("name") in left:
                    found[channel["name"]] = str(channel["id"])
            left -= {*found}
            cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    async def _asked(self, ask: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
        while True:
            try:
                return await ask()
            except FAILURES as error:
                pause_s = wait_s(error)
                if pause_s is None:
                    raise
                self._left_s -= pause_s
                if self._left_s < 0:
                    raise SlackError(TOO_MANY) from error
                _LOG.warning("Slack asks to wait %.0f s before it names more channels", pause_s)
                await asyncio.sleep(pause_s)


async def inside(client: AsyncWebClient, channel: str) -> bool:
    """Tell whether firstline is in a channel; raises `SlackError` where Slack does not say.

    A channel that it cannot see is one that it is not in, and so are conversations of a few people.
    Of direct messages it sees those with itself alone, and Slack calls nobody a member there.
    """
    try:
        reply = await client.conversations_info(channel=channel)
    except FAILURES as error:
        if code(error) == "channel_not_found" or needed(error).startswith("mpim:"):
            return False
        raise SlackError(sentence(error)) from error
    told = reply.get("channel") or {}
    return bool(told.get("is_member") or told.get("is_im"))
