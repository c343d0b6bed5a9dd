"""Checkpoints of the journal as messages: a copy in the hands of everybody who reads the channel.

At most one an hour, and the last one at the end, so that nobody mutes the channel for it. A message
that an administrator deletes or edits says so in Slack's own log; and each reader has seen it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from slack_sdk.web.async_client import AsyncWebClient

from assistant.journal.checkpoint import Checkpoint
from assistant.slack.errors import FAILURES, sentence
from assistant.slack.text import escape

EVERY_S = 3600.0
LAST_S = 5.0
_log = logging.getLogger(__name__)


class Notes:
    """`put` is for `journal.notary`; it may be called from any thread and never waits."""

    def __init__(self, client: AsyncWebClient, channel: str, every_s: float = EVERY_S) -> None:
        self._client = client
        self._channel = channel
        self._every_s = every_s
        self._loop = asyncio.get_running_loop()
        self._newest: tuple[Checkpoint, str] | None = None
        self._told = 0
        self._came = asyncio.Event()
        self._posting = asyncio.Lock()

    def put(self, checkpoint: Checkpoint, note: str) -> None:
        """Keep the note until its turn comes; a newer one takes its place."""
        self._loop.call_soon_threadsafe(self._keep, checkpoint, note)

    @contextlib.asynccontextmanager
    async def posted(self) -> AsyncIterator[None]:
        """Post for the length of the context, and what is left at its end."""
        posting = asyncio.create_task(self._post_each())
        try:
            yield
        finally:
            # What is on its way may have arrived: without its answer it would be sent again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._posting.acquire(), LAST_S)
                self._posting.release()
            posting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await posting
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._post(), LAST_S)

    def _keep(self, checkpoint: Checkpoint, note: str) -> None:
        self._newest = (checkpoint, note)
        self._came.set()

    async def _post_each(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            await self._post()
            await asyncio.sleep(self._every_s)

    async def _post(self) -> None:
        async with self._posting:
            await self._post_newest()

    async def _post_newest(self) -> None:
        newest = self._newest
        if newest is None or newest[0].size <= self._told:
            return
        checkpoint, note = newest
        text = f"Checkpoint of my journal: {checkpoint.size} records.\n```{escape(note)}```"
        try:
            await self._client.chat_postMessage(
                channel=self._channel, text=text, unfurl_links=False, unfurl_media=False
            )
        except FAILURES as error:
            _log.warning("a checkpoint could not be posted: %s", sentence(error))
        else:
            self._told = checkpoint.size
