"""Does chores, each once: what is noted as done is not done again, what may be is looked for.

A chore is noted before it is done. Topics and pins can be set twice without harm; a bookmark or a
file is looked for where nobody knows whether it was made.
"""

import asyncio
import contextlib
import logging

from slack_sdk.web.async_client import AsyncWebClient

from assistant.domain.canonical import digest
from assistant.failure import Unusable
from assistant.slack.chores import Bookmark, Chore, Pin, Topic, Upload
from assistant.slack.errors import FAILURES, code, passing, sentence, wait_s
from assistant.slack.ports import Messages

LATER_S, LONGEST_S = 0.25, 30.0
PAGE = 200
_LOG = logging.getLogger(__name__)


class Keeper:
    """Takes chores at any time and does them, one after the other, while it runs."""

    def __init__(self, client: AsyncWebClient, messages: Messages) -> None:
        self._client = client
        self._messages = messages
        self._waiting: dict[str, Chore] = {}
        self._news = asyncio.Event()

    def put(self, chore: Chore) -> None:
        """Have it done; one that waits in the same slot is forgotten."""
        self._waiting[chore.slot] = chore
        self._news.set()

    async def run(self) -> None:
        """Do whatever is put."""
        delay_s = LATER_S
        while True:
            await self._news.wait()
            self._news.clear()
            asked = [await self._tried(chore) for chore in list(self._waiting.values())]
            await asyncio.sleep(max(asked, default=0.0))
            if not self._waiting:
                delay_s = LATER_S
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), delay_s)
            delay_s = min(2 * delay_s, LONGEST_S)
            self._news.set()

    async def _tried(self, chore: Chore) -> float:
        """Do a chore; return the seconds that Slack wants to be left alone before the next try."""
        try:
            done = await self._done(chore)
        except FAILURES as error:
            if passing(error):
                return wait_s(error) or 0.0
            _LOG.warning("%s is left out: %s", chore.slot, sentence(error))
            done = True
        except Unusable as error:
            _LOG.error("%s waits: %s", chore.slot, error)
            done = False
        if done and self._waiting.get(chore.slot) is chore:
            del self._waiting[chore.slot]
        return 0.0

    async def _done(self, chore: Chore) -> bool:
        """Do what is not done yet; false where its message is not posted yet."""
        known = self._messages.get(chore.slot)
        mark = digest(chore.text if isinstance(chore, Topic) else chore.slot)
        sure = known is not None and known.state == "sent"
        if known is not None and sure and known.digest == mark:
            return True
        if isinstance(chore, Topic):
            self._messages.intend(chore.slot, chore.channel, None, mark)
            await self._client.conversations_setTopic(channel=chore.channel, topic=chore.text)
            self._messages.sent(chore.slot, "topic", mark)
            return True
        card = self._messages.get(chore.card)
        if card is None or card.ts is None:
            return False
        maybe = known is not None
        self._messages.intend(chore.slot, chore.channel, None, mark)
        match chore:
            case Pin():
                await self._pin(chore, card.ts)
            case Bookmark():
                await self._bookmark(chore, card.ts, maybe=maybe)
            case Upload():
                await self._upload(chore, chore.thread or card.ts, maybe=maybe)
        self._messages.sent(chore.slot, card.ts, mark)
        return True

    async def _pin(self, pin: Pin, ts: str) -> None:
        try:
            await self._client.pins_add(channel=pin.channel, timestamp=ts)
        except FAILURES as error:
            if code(error) != "already_pinned":
                raise

    async def _bookmark(self, mark: Bookmark, ts: str, *, maybe: bool) -> None:
        """Make a bookmark; `maybe` is true where it may be there."""
        channel = mark.channel
        reply = await self._client.chat_getPermalink(channel=channel, message_ts=ts)
        link = str(reply["permalink"])
        if maybe:
            shown = await self._client.bookmarks_list(channel_id=channel)
            if any(one.get("link") == link for one in shown.get("bookmarks") or ()):
                return
        await self._client.bookmarks_add(
            channel_id=channel, title=mark.title, type="link", link=link
        )

    async def _upload(self, file: Upload, thread: str, *, maybe: bool) -> None:
        """Share a file; `maybe` is true where it may be there."""
        if maybe and await self._shared(file, thread):
            return
        await self._client.files_upload_v2(
            channel=file.channel,
            thread_ts=thread,
            filename=file.name,
            title=file.title,
            content=file.content,
        )

    async def _shared(self, file: Upload, thread: str) -> bool:
        cursor = ""
        while True:
            reply = await self._client.conversations_replies(
                channel=file.channel, ts=thread, limit=PAGE, cursor=cursor
            )
            shown = [f for m in reply.get("messages") or () for f in m.get("files") or ()]
            if any(one.get("name") == file.name for one in shown):
                return True
            cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return False
