"""Which moments are "before" and which are "during", cut into buckets of comparable weight.

The baseline is cut by traces, not by minutes, so that a young or a quiet system can be diagnosed:
each bucket holds about as many traces as the incident, and at least `MIN_TRACES`. Differences
between the buckets are what the system does on its own; a shift has to beat them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.api import Window

INCIDENT = -1
OUTSIDE = -2
MIN_TRACES = 30
MAX_BUCKETS = 24
MIN_BUCKETS = 6
TIME_SLICES = 8

Ints = npt.NDArray[np.int64]


def to_us(moment: datetime) -> int:
    """Return µs since 1970, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Return the moment that is `us` µs after 1970, in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


@dataclass(frozen=True, slots=True)
class Windows:
    """`edges` are the starts (µs) of the baseline's buckets and, last, its end."""

    edges: tuple[int, ...]
    incident: tuple[int, int]
    excluded: tuple[tuple[int, int], ...] = ()

    @property
    def buckets(self) -> int:
        return max(0, len(self.edges) - 1)

    @property
    def baseline(self) -> tuple[int, int]:
        return (self.edges[0], self.edges[-1]) if self.edges else (self.incident[0],) * 2

    def bucket_of(self, us: pl.Series) -> pl.Series:
        """Return the bucket of each moment: 0…, `INCIDENT` or `OUTSIDE`."""
        times = us.to_numpy().astype(np.int64)
        out = np.full(times.shape, OUTSIDE, dtype=np.int32)
        if self.edges:
            place = np.searchsorted(np.asarray(self.edges), times, side="right") - 1
            inside = (place >= 0) & (place < self.buckets)
            out[inside] = place[inside]
        for first, last in self.excluded:
            out[(times >= first) & (times < last)] = OUTSIDE
        first, last = self.incident
        out[(times >= first) & (times < last)] = INCIDENT
        return pl.Series("bucket", out)

    def without_known(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows (`us`) that lie in no known incident but this one."""
        us, (begin, end) = pl.col("us"), self.incident
        for first, last in self.excluded:
            frame = frame.filter((us < first) | (us >= last) | ((us >= begin) & (us < end)))
        return frame


def cut(
    starts: pl.Series,
    *,
    incident: tuple[int, int],
    baseline: tuple[int, int],
    known: Sequence[Window],
) -> Windows:
    """Return the windows of an incident (µs), given the start of every trace (µs).

    The baseline may lie on both sides of the incident; known incidents are kept out of it.
    """
    excluded = tuple((to_us(w.start), to_us(w.end)) for w in known)
    first, last = baseline
    usable = starts.filter((starts >= first) & (starts < last))
    for begin, end in (*excluded, incident):
        usable = usable.filter((usable < begin) | (usable >= end))
    during = starts.filter((starts >= incident[0]) & (starts < incident[1])).len()
    times: Ints = np.sort(usable.to_numpy().astype(np.int64))
    if times.size < 2 * MIN_TRACES:
        return Windows(_even_edges(times, first, last), incident, excluded)
    per_bucket = max(MIN_TRACES, min(during, times.size // MIN_BUCKETS))
    count = int(min(MAX_BUCKETS, times.size // per_bucket))
    inner = times[(np.arange(1, count) * times.size) // count]
    return Windows((int(times[0]), *(int(t) for t in inner), last), incident, excluded)


def _even_edges(times: Ints, first: int, last: int) -> tuple[int, ...]:
    """Return equal slices of time, for systems with too few traces to cut by them."""
    begin = min(int(times[0]), first) if times.size else first
    return tuple(begin + (last - begin) * i // TIME_SLICES for i in range(TIME_SLICES + 1))
