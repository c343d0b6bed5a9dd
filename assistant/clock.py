"""The only place that knows what time it is; everything else is handed a `Clock`."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The wall (aware, UTC) and a stopwatch (seconds, monotonic)."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 — this is the clock

    def monotonic(self) -> float:
        return time.monotonic()
