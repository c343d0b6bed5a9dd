"""Keeps one signal's rows in memory: bounded by number and by age, oldest out first.

Rows are kept as a few large frames. A batch is redacted before it is kept; what has been dropped is
counted, and every later answer that would have needed it says so.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from connectors.api import FRAME_SCHEMAS, TIME, Ask, Capability
from connectors.pages import asked, known
from connectors.redact import SplitKeys, redact_frame

_CHUNK_ROWS = 8192
_CHUNK_FRAMES = 64
_CHUNKS_PER_AGE = 16  # a chunk goes as a whole: none may take in rows for longer than this part


@dataclass(slots=True, kw_only=True)
class _Chunk:
    frames: list[pl.DataFrame]
    rows: int
    first_s: float  # when its first and its last rows were received
    last_s: float


class SignalStore:
    """The rows of `capability`; safe for threads. `clock` gives seconds since 1970."""

    def __init__(
        self,
        capability: Capability,
        *,
        max_rows: int,
        max_age_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._capability = capability
        self._schema = FRAME_SCHEMAS[capability]
        self._max_rows = max_rows
        self._max_age_s = max_age_s
        self._clock = clock
        self._chunk_rows = max(1, min(_CHUNK_ROWS, max_rows // 8))
        self._chunks: deque[_Chunk] = deque()
        self._lock = threading.Lock()
        self._keys = SplitKeys()
        self._dropped_to: datetime | None = None
        self.stored = 0
        self.dropped = 0
        self.rejected = 0

    def add(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Redact and keep `rows`, which have the columns of the signal's schema in its order."""
        if not rows:
            return
        frame = _frame(rows, self._schema)
        with self._lock:
            batch = redact_frame(frame, self._keys)
            self.stored += batch.height
            for part in batch.iter_slices(self._chunk_rows):
                self._append(part)
            self._expire()

    def select(self, ask: Ask) -> pl.DataFrame:
        """Return the rows that `ask` is about, not yet cut or sorted."""
        with self._lock:
            self._expire()
            frames = [frame for chunk in self._chunks for frame in chunk.frames]
        if not frames:
            return pl.DataFrame(schema=self._schema)
        return pl.concat([frame.lazy() for frame in frames]).filter(asked(ask)).collect()

    def gaps(self, ask: Ask) -> tuple[str, ...]:
        """Return a sentence if rows that `ask` is about may have been dropped."""
        with self._lock:
            dropped_to, dropped = self._dropped_to, self.dropped
        if dropped_to is None or ask.window.start > dropped_to:
            return ()
        return (
            f"{dropped} {self._capability} up to {dropped_to.isoformat(timespec='seconds')} are no "
            "longer kept: they were older or more than the receiver keeps.",
        )

    @property
    def kept(self) -> int:
        """How many rows are held now."""
        with self._lock:
            return self._rows()

    def _append(self, part: pl.DataFrame) -> None:
        now = self._clock()
        newest = self._chunks[-1] if self._chunks else None
        if newest is None or not self._fits(newest, part, now):
            if newest is not None:
                newest.frames = [pl.concat(newest.frames, rechunk=True)]
            self._chunks.append(_Chunk(frames=[part], rows=part.height, first_s=now, last_s=now))
            return
        newest.frames.append(part)
        newest.rows += part.height
        newest.last_s = now
        if len(newest.frames) > _CHUNK_FRAMES:
            newest.frames = [pl.concat(newest.frames, rechunk=True)]

    def _fits(self, chunk: _Chunk, part: pl.DataFrame, now: float) -> bool:
        young = now - chunk.first_s < self._max_age_s / _CHUNKS_PER_AGE
        return young and chunk.rows + part.height <= self._chunk_rows

    def _expire(self) -> None:
        rows, oldest = self._rows(), self._clock() - self._max_age_s
        while self._chunks and (rows > self._max_rows or self._chunks[0].last_s < oldest):
            gone = pl.concat(self._chunks.popleft().frames)
            rows -= gone.height
            self.dropped += gone.height
            latest = gone[known(self._capability)].max()
            if isinstance(latest, datetime):
                self._dropped_to = max(latest, self._dropped_to or latest)

    def _rows(self) -> int:
        return sum(chunk.rows for chunk in self._chunks)


def _frame(rows: Sequence[tuple[object, ...]], schema: pl.Schema) -> pl.DataFrame:
    """Return rows as a frame; times come as whole nanoseconds since 1970."""
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype=pl.Int64).cast(TIME)
            if dtype == TIME
            else pl.Series(name, values, dtype=dtype)
            for (name, dtype), values in zip(schema.items(), columns, strict=True)
        ]
    )


def utc(seconds: float) -> datetime:
    """Return seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)
