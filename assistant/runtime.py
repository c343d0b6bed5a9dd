"""Work in order within a key and parallel across keys, behind a port of seven verbs.

The journal is the only progress record; what is queued here is found again from it after a
restart. So a lane may lose its work with its process, and nothing else is lost.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager

Work = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class Lanes:
    """One queue for each key; `aclose` cancels what is under way."""

    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Queue[Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._whole: Counter[str] = Counter()
        self._cancelled: set[str] = set()

    def submit(self, key: str, work: Work) -> None:
        """Queue work behind what its key already waits for."""
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = asyncio.Queue()
            self._start(self._serve(key, queue))
        queue.put_nowait(work)

    def later(self, seconds: float, key: str, work: Work) -> None:
        """Queue work after some time; forgotten at the end of the process."""
        self._start(self._wait(seconds, key, work))

    def cancel(self, key: str) -> None:
        """Cancel the work that has begun for the key; what waits behind it takes its turn.

        A part of it that is `whole` is done first. Work that has been taken up and has not made its
        first step is not cut off: somebody may wait for it to say that it has ended.
        """
        work = self._under_way.get(key)
        if work is None:
            return
        if self._whole[key]:
            self._cancelled.add(key)
        else:
            work.cancel()

    @contextmanager
    def whole(self, key: str) -> Iterator[None]:
        """Let nothing that is cancelled for the key be cut off inside of this."""
        self._whole[key] += 1
        try:
            yield
        finally:
            self._whole[key] -= 1
            if not self._whole[key] and key in self._cancelled:
                self._cancelled.discard(key)
                self.cancel(key)

    def waits(self, key: str) -> bool:
        """Tell whether something of the key waits for its turn."""
        queue = self._queues.get(key)
        return queue is not None and not queue.empty()

    async def idle(self, key: str) -> None:
        """Wait until everything that was queued for the key is done."""
        queue = self._queues.get(key)
        if queue is not None:
            await queue.join()

    async def aclose(self) -> None:
        """Cancel everything and wait for its end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # a task that nobody holds may vanish
        task.add_done_callback(self._tasks.discard)
        return task

    async def _wait(self, seconds: float, key: str, work: Work) -> None:
        await asyncio.sleep(seconds)
        self.submit(key, work)

    async def _serve(self, key: str, queue: asyncio.Queue[Work]) -> None:
        while True:
            work = await queue.get()
            taken_up = self._start(self._do(key, work))
            await asyncio.wait([taken_up])
            self._under_way.pop(key, None)  # there is none where everything was cancelled
            self._cancelled.discard(key)
            queue.task_done()

    async def _do(self, key: str, work: Work) -> None:
        if (begun := asyncio.current_task()) is not None:
            self._under_way[key] = begun
        try:
            await work()
        except Exception:  # noqa: BLE001 — one broken job must not stop the others of its lane
            _log.critical("a job of %s failed", key, exc_info=True)


@asynccontextmanager
async def lanes() -> AsyncIterator[Lanes]:
    """Run lanes for the length of the context."""
    made = Lanes()
    try:
        yield made
    finally:
        await made.aclose()
