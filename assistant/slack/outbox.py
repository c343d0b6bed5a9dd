"""Letters on their way: in order within a channel, at Slack's pace, the latest of each slot.

Nothing is stored here: what is not sent when the process ends is made again from the incidents.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.courier import LATER_S, UNREADY_S, Courier, Delivered, State
from assistant.slack.letters import Letter
from assistant.slack.ports import Messages

PACE_S = 1.0
LONGEST_S = 30.0


class Outbox:
    """Takes letters at any time and sends them while it runs.

    `pace_s` is the least time between two messages in one channel. What shows a file that Slack
    has not processed yet is put aside for each of the waits in `unready_s`; others go on meanwhile.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        messages: Messages,
        *,
        pace_s: float = PACE_S,
        unready_s: Sequence[float] = UNREADY_S,
    ) -> None:
        self._courier = Courier(client, messages, unready_s=unready_s)
        self._pace_s = pace_s
        self._waiting: dict[str, dict[str, Letter]] = {}
        self._aside: dict[str, Letter] = {}
        self._writing: set[str] = set()
        self._news = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Tell whether nothing waits to be sent."""
        return not self._aside and not any(self._waiting.values())

    def put(self, letter: Letter) -> None:
        """Have the message made equal to this letter; an unsent older one is forgotten."""
        self._aside.pop(letter.slot, None)
        queue = self._waiting.setdefault(letter.channel, {})
        unsent = queue.get(letter.slot)
        look = letter.look or (unsent is not None and unsent.look)
        queue[letter.slot] = replace(letter, look=look)
        self._news.set()

    async def run(self) -> None:
        """Send whatever is put, each channel on its own."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._news.wait()
                self._news.clear()
                for channel, queue in self._waiting.items():
                    if queue and channel not in self._writing:
                        self._writing.add(channel)
                        group.create_task(self._write(channel, queue))

    async def _write(self, channel: str, queue: dict[str, Letter]) -> None:
        delay_s = LATER_S
        while queue:
            letter = next(iter(queue.values()))
            done = await self._courier.deliver(letter)
            if done.state is State.LATER:
                await asyncio.sleep(_wait_s(done, delay_s))
                delay_s = min(2 * delay_s, LONGEST_S)
                continue
            delay_s = LATER_S
            newest = queue.pop(letter.slot)
            if newest is not letter:
                # Written anew while it was sent: behind the others, so that none of them starves.
                queue[letter.slot] = newest
            elif done.state is State.UNREADY:
                self._put_aside(letter, _wait_s(done, delay_s))
            if done.state is State.SENT:
                await asyncio.sleep(self._pace_s)
        self._writing.discard(channel)

    def _put_aside(self, letter: Letter, wait_s: float) -> None:
        def again() -> None:
            if self._aside.get(letter.slot) is letter:
                self.put(letter)

        self._aside[letter.slot] = letter
        asyncio.get_running_loop().call_later(wait_s, again)


def _wait_s(done: Delivered, delay_s: float) -> float:
    return delay_s if done.wait_s is None else done.wait_s
