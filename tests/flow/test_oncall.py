"""Being on call without a Slack that anybody can reach is not being on call."""

import asyncio

import pytest

from assistant.oncall import _connected
from assistant.slack.errors import SlackError


class Slack:
    """A connection that ends when it is told to, with what it is told."""

    def __init__(self):
        self.ready, self.end, self.error = asyncio.Event(), asyncio.Event(), None

    async def run(self):
        self.ready.set()
        await self.end.wait()
        raise self.error


async def test_when_slack_ends_so_does_what_stays_on_call():
    slack = Slack()
    slack.error = OSError("the disk is full")

    async def serve():
        async with _connected(slack):
            slack.end.set()
            await asyncio.Event().wait()

    with pytest.raises(SlackError, match="has ended: the disk is full"):
        await asyncio.wait_for(serve(), 5)


async def test_an_end_of_its_own_is_an_end_and_no_interruption():
    async with _connected(Slack()):
        pass
    await asyncio.sleep(0)
    assert not asyncio.current_task().cancelling()


async def test_an_interruption_stays_one():
    async def serve():
        async with _connected(Slack()):
            await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
