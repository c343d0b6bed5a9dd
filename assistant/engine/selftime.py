"""Self time: what a span spent itself, not in the calls that it waited for."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
MOST = np.iinfo(np.int64).max


def covered_us(parent: Ints, start: Ints, end: Ints, size: int) -> Ints:
    """Return, for each of `size` parents, the length in µs of the union of its children.

    `parent` is an index into the parents, `start` and `end` are µs relative to that parent's start
    (0 ≤ start ≤ end). One sort and one running maximum: within a group the union grows by what lies
    beyond the latest end so far, and an offset per group keeps groups apart.
    """
    out = np.zeros(size, dtype=np.int64)
    if parent.size == 0:
        return out
    reach = int(end.max()) + 1
    order = _order(parent, start, reach)
    group, first, last = parent[order], start[order], end[order]
    begins = np.concatenate(([True], np.diff(group) != 0))
    shift = np.cumsum(begins) * reach
    latest = np.maximum.accumulate(last + shift)
    before = np.concatenate(([0], latest[:-1])) - shift
    grown = np.maximum(0, last - np.maximum(first, np.maximum(before, 0)))
    out[group[begins]] = np.add.reduceat(grown, np.flatnonzero(begins))
    return out


def _order(parent: Ints, start: Ints, reach: int) -> Ints:
    """Return the order by parent, then start; one sort of both in one number where they fit."""
    if (int(parent.max()) + 1) * reach < MOST:
        return np.argsort(parent * reach + start)
    return np.lexsort((start, parent))
