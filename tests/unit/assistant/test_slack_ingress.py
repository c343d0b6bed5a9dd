"""What was kept is handled, whoever stops waiting for it."""

import asyncio
import threading

import pytest
from slackdesk import Inbox

from assistant.clock import SystemClock
from assistant.slack.ingress import Ingress

SOON = 5


class Slow(Inbox):
    """On a disk that takes its time."""

    def __init__(self):
        super().__init__(lambda: None)
        self.asked, self.go = threading.Event(), threading.Event()

    def claim(self, key, body, now):
        self.asked.set()
        assert self.go.wait(SOON)
        return super().claim(key, body, now)


class App:
    def __init__(self):
        self.told = asyncio.Event()

    async def async_dispatch(self, request):
        assert request.body == {"event_id": "Ev1"}
        self.told.set()


async def test_what_was_kept_after_its_connection_had_gone_is_handled():
    app, inbox = App(), Slow()
    ingress = Ingress(app, inbox, SystemClock(), own=lambda _: False)
    async with ingress.open():
        taking = asyncio.create_task(ingress.take({"event_id": "Ev1"}, "e1"))
        await asyncio.to_thread(inbox.asked.wait, SOON)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        inbox.go.set()
        await asyncio.wait_for(app.told.wait(), SOON)
    assert inbox.unfinished() == []
