"""Makes one message in Slack equal to a letter, however often it is asked to.

A slot is noted before it is posted. Whoever does not know whether a post arrived (a lost answer, a
crash) looks for the slot in the message's metadata before posting again: Slack has no idempotency
key. Source: docs.slack.dev, chat.postMessage, message metadata.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from assistant.failure import Unusable
from assistant.slack import limits
from assistant.slack.blocks.pieces import Block, unfolded
from assistant.slack.check import Surface, faults, total
from assistant.slack.errors import FAILURES, code, passing, sentence, wait_s
from assistant.slack.letters import Letter
from assistant.slack.ports import Messages
from assistant.slack.text import clip
from assistant.slack.thread import messages

EVENT_TYPE = "firstline"
LATER_S = 0.25
UNREADY_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # Slack processes an upload for a second or more
_GONE = frozenset(("message_not_found", "cant_update_message", "edit_window_closed"))
_TOO_MUCH = frozenset(
    (
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_blocks_too_many",
        "block_mismatch",
        "msg_too_long",
    )
)
_LOG = logging.getLogger(__name__)


class State(StrEnum):
    """What became of a letter."""

    SENT = "sent"
    UNCHANGED = "unchanged"
    LATER = "later"
    UNREADY = "unready"  # Slack cannot show its file yet
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """`wait_s` is how long to wait before trying again (null: the sender decides)."""

    state: State
    wait_s: float | None = None


class _UnreadyError(Exception):
    """Slack refuses blocks that show a file, which may mean that it is not processed yet."""


class Courier:
    """Posts and edits through one client, which must not retry by itself.

    A letter whose file Slack cannot show yet is UNREADY once for each of the waits in `unready_s`
    (seconds); after that it is sent in words.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        messages: Messages,
        *,
        unready_s: Sequence[float] = UNREADY_S,
    ) -> None:
        self._client = client
        self._messages = messages
        self._unready_s = unready_s
        self._unready: Counter[str] = Counter()

    async def deliver(self, letter: Letter) -> Delivered:
        """Send what Slack does not show yet; never raises for what Slack or the disk does."""
        try:
            return await self._deliver(letter)
        except Unusable as error:
            _LOG.error("%s waits: %s", letter.slot, error)
            return Delivered(state=State.LATER)

    async def _deliver(self, letter: Letter) -> Delivered:
        known = self._messages.get(letter.slot)
        sure = known is not None and known.state == "sent"
        if known is not None and sure and known.digest == letter.digest and not letter.look:
            return Delivered(state=State.UNCHANGED)
        try:
            if known is None:
                await self._post(letter, letter.first())
            else:
                await self._change(letter, known.thread, known.ts if sure else None)
        except _UnreadyError:
            self._unready[letter.slot] += 1
            again_s = self._unready_s[self._unready[letter.slot] - 1]
            return Delivered(state=State.UNREADY, wait_s=again_s)
        except FAILURES as error:
            if passing(error):
                return Delivered(state=State.LATER, wait_s=wait_s(error))
            _LOG.warning("%s is not shown: %s", letter.slot, sentence(error))
            return Delivered(state=State.REFUSED)
        del self._unready[letter.slot]
        return Delivered(state=State.SENT)

    async def _post(self, letter: Letter, shown: Letter) -> None:
        thread = letter.thread or self._under(letter.under)
        self._messages.intend(letter.slot, letter.channel, thread, letter.digest)
        reply = await self._send(
            shown, "chat.postMessage", thread_ts=thread, unfurl_links=False, unfurl_media=False
        )
        self._messages.sent(letter.slot, str(reply["ts"]), letter.digest)

    async def _change(self, letter: Letter, thread: str | None, ts: str | None) -> None:
        """Edit the message, which may be where nobody noted it, or gone."""
        if ts is None or not await self._edited(letter, ts):
            found = await self._lost(letter, thread)
            if found is None or found == ts or not await self._edited(letter, found):
                # One that was there has called whom it calls.
                await self._post(letter, letter.first() if ts is None else letter)

    async def _edited(self, letter: Letter, ts: str) -> bool:
        """Edit the message at `ts`; false if it is there no more, or not ours to edit."""
        try:
            await self._send(letter, "chat.update", ts=ts)
        except FAILURES as error:
            if code(error) not in _GONE:
                raise
            return False
        self._messages.sent(letter.slot, ts, letter.digest)
        return True

    async def _send(self, letter: Letter, method: str, **more: str | bool | None) -> dict[str, Any]:
        """Call with the fullest form that Slack takes; the last one is text alone."""
        arguments = {
            "channel": letter.channel,
            "text": clip(letter.text, limits.UPDATED_TEXT),
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": letter.slot}},
            **{name: value for name, value in more.items() if value is not None},
        }
        forms = _forms(letter)
        for number, blocks in enumerate(forms, start=1):
            try:
                reply = await self._client.api_call(method, json=arguments | {"blocks": blocks})
            except FAILURES as error:
                if code(error) not in _TOO_MUCH or number == len(forms):
                    raise
                patient = self._unready[letter.slot] < len(self._unready_s)
                if code(error) == "invalid_blocks" and _shows_file(blocks) and patient:
                    raise _UnreadyError from error
                _LOG.warning("%s is shown in a plainer form: %s", letter.slot, sentence(error))
            else:
                return dict(reply.data) if isinstance(reply.data, dict) else {}
        raise AssertionError("the loop returns or raises")

    def _under(self, slot: str | None) -> str | None:
        above = self._messages.get(slot) if slot else None
        return above.ts if above is not None else None

    async def _lost(self, letter: Letter, thread: str | None) -> str | None:
        """Return the `ts` of the letter's message, if it was posted after all."""
        async for message in messages(self._client, letter.channel, thread):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == letter.slot:
                return str(message["ts"])
        return None


def _forms(letter: Letter) -> list[list[Block]]:
    """Return the forms of a message that pass our own check, the fullest first, text last.

    Whatever else has to go, its first block and its buttons are the last to. Of a letter that
    binds the buttons are the first: nobody presses what stands below half of it.
    """
    full = list(letter.blocks)
    brief = [block for block in full if block["type"] != "container"]
    bare = [*full[:1], *(block for block in full[1:] if block["type"] == "actions")]
    if letter.binds:
        bare = [block for block in brief if block["type"] != "actions"]
    forms = (full, unfolded(full), brief, bare)
    fit = [form for at, form in enumerate(forms) if form and form not in forms[:at] and _fits(form)]
    return [*fit, []]


def _shows_file(blocks: Sequence[Block]) -> bool:
    return any("slack_file" in block for block in blocks)


def _fits(blocks: Sequence[Block]) -> bool:
    return not faults(blocks, Surface.MESSAGE) and total(blocks) <= limits.BLOCKS_BUDGET
