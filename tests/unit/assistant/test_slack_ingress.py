"""What was kept is handled, whoever stops waiting for it."""

import asyncio
import threading

import pytest
from slackdesk import Inbox
from virtual import Loop

from assistant.clock import SystemClock
from assistant.slack import ingress as ingress_module
from assistant.slack.ingress import Ingress

SOON = 60  # on a busy machine


class Slow(Inbox):
    """On a disk that takes its time."""

    def __init__(self):
        super().__init__(lambda: None)
        self.asked, self.go = threading.Event(), threading.Event()

    def claim(self, key, body, now):
        self.asked.set()
        assert self.go.wait(SOON)
        return super().claim(key, body, now)


class Held(Inbox):
    """On a disk that takes its time over one of many."""

    def __init__(self, key):
        super().__init__(lambda: None)
        self.held, self.go = key, threading.Event()

    def claim(self, key, body, now):
        assert key != self.held or self.go.wait(SOON)
        return super().claim(key, body, now)


class App:
    """Does what it is told, and remembers it."""

    def __init__(self, count=1):
        self.count, self.bodies, self.told = count, [], asyncio.Event()

    async def async_dispatch(self, request):
        self.bodies.append(request.body)
        if len(self.bodies) == self.count:
            self.told.set()


def line(ts, event_type="message"):
    event = {"type": event_type, "channel": "C1", "thread_ts": "1.0", "ts": ts, "text": ts}
    return {"team_id": "T1", "event": event}


def texts(app):
    return [body["event"]["text"] for body in app.bodies]


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
    assert app.bodies == [{"event_id": "Ev1"}]
    assert inbox.unfinished() == []


async def test_a_line_waits_for_an_older_one_that_the_disk_takes_longer_over(monkeypatch):
    monkeypatch.setattr(ingress_module, "TURN_S", 0)
    app, inbox = App(2), Held("text:T1:C1:1.1")
    ingress = Ingress(app, inbox, SystemClock(), own=lambda _: False)
    async with ingress.open():
        older = asyncio.create_task(ingress.take(line("1.1"), "e1"))
        assert await ingress.take(line("1.2"), "e2")
        await idle()
        assert texts(app) == []
        inbox.go.set()
        assert await older
        await asyncio.wait_for(app.told.wait(), SOON)
    assert texts(app) == ["1.1", "1.2"]


async def test_an_older_line_that_comes_while_a_newer_one_is_being_kept_goes_first(monkeypatch):
    monkeypatch.setattr(ingress_module, "TURN_S", 0)
    app, inbox = App(2), Held("text:T1:C1:1.2")
    ingress = Ingress(app, inbox, SystemClock(), own=lambda _: False)
    async with ingress.open():
        newer = asyncio.create_task(ingress.take(line("1.2"), "e1"))
        await idle()
        assert await ingress.take(line("1.1"), "e2")
        inbox.go.set()
        assert await newer
        await asyncio.wait_for(app.told.wait(), SOON)
    assert texts(app) == ["1.1", "1.2"]


def test_an_older_line_that_nobody_could_read_while_all_stood_still_goes_first():
    loop = Loop()
    try:
        loop.run_until_complete(stood_still())
    finally:
        loop.finish()


async def stood_still():
    """Tell the newer line, and the older one in a moment in which nothing goes on."""
    app = App(2)
    ingress = Ingress(app, Inbox(lambda: None), SystemClock(), own=lambda _: False)
    loop = asyncio.get_running_loop()

    async def come():
        await idle()  # from the socket to us it is some steps
        await ingress.take(line("1.1"), "e2")

    def stand_still():
        tasks.append(loop.create_task(come()))
        loop.jump(60.0)

    tasks = []
    async with ingress.open():
        assert await ingress.take(line("1.2"), "e1")
        loop.call_soon(stand_still)
        await app.told.wait()
    assert texts(app) == ["1.1", "1.2"]


async def test_a_text_that_comes_as_two_events_is_handled_once(monkeypatch):
    monkeypatch.setattr(ingress_module, "TURN_S", 0)
    app = App()
    ingress = Ingress(app, Inbox(lambda: None), SystemClock(), own=lambda _: False)
    async with ingress.open():
        both = [line("1.1", kind) for kind in ("app_mention", "message")]
        assert await asyncio.gather(*(ingress.take(told, "e") for told in both)) == [True, True]
    assert texts(app) == ["1.1"]


async def idle():
    """Let everything go on that waits for nothing but its turn."""
    for _ in range(100):
        await asyncio.sleep(0)
