"""How watchers learn that something changed: a counter that can be waited on.

Everything runs in one event loop, so a change between two looks cannot be missed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Counts changes; whoever saw number n can wait for a later one."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def note(self) -> None:
        """Say that something changed."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, count: int) -> int:
        """Wait for a change later than number `count`; the number of the latest."""
        while self.count <= count:
            await self._next.wait()
        return self.count

    async def __aiter__(self) -> AsyncIterator[int]:
        """Yield now, and then whenever something changed; changes that come together are one."""
        seen = self.count
        yield seen
        while True:
            seen = await self.after(seen)
            yield seen

    async def quiet(self, seconds: float) -> None:
        """Return once nothing has changed for this long."""
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(seconds):
                    await self.after(self.count)

    async def until(self, look: Callable[[], T | None], seconds: float) -> T:
        """Return what `look` finds as soon as it is true; raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while True:
                count = self.count
                if found := look():
                    return found
                await self.after(count)
