"""However much is being computed, what has to be quick finds a thread."""

import asyncio
import os
import threading

from written import finding, incident

from assistant import flow
from assistant.clock import SystemClock
from assistant.domain.events import Recalled
from assistant.flow import Sources

SOON = 5


class Searching:
    """Looks for as long as it is not told to stop."""

    def __init__(self):
        self.go = threading.Event()
        self.at_once = 0
        self.most = 0
        self.turn = threading.Lock()

    def similar(self, incident, finding):
        with self.turn:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        assert self.go.wait(6 * SOON)
        with self.turn:
            self.at_once -= 1
        return ()

    def plan(self, finding):
        return None


async def recalled(sources):
    return [event async for event in flow.recall("INC-1", incident(finding()), sources)]


async def test_a_hundred_incidents_at_once_leave_threads_for_what_is_quick():
    found = Searching()
    sources = Sources(connectors={}, clock=SystemClock(), found=found)
    waiting = [asyncio.create_task(recalled(sources)) for _ in range(100)]
    await asyncio.sleep(0)
    quick = await asyncio.wait_for(asyncio.to_thread(lambda: "quick"), SOON)
    assert quick == "quick"
    found.go.set()
    for events in await asyncio.gather(*waiting):
        assert [type(event) for event in events] == [Recalled]
    assert found.most <= os.cpu_count()
