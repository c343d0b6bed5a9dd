"""Self time: what a span spent itself, not in the calls that it waited for."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def covered_us(parent: Ints, start: Ints, end: Ints, size: int) -> Ints:
    """Return, for each of `size` parents, the length in µs of the union of its children.

    `parent` is an index into the parents, `start` and `end` are µs relative to that parent's start
    (0 ≤ start ≤ end). One sort and one running maximum: within a group the union grows by what lies
    beyond the latest end so far, and an offset per group keeps groups apart.
    """
    out = np.zeros(size, dtype=np.int64)
    if parent.size == 0:
        return out
    order = np.lexsort((start, parent))
    group, first, last = parent[order], start[order], end[order]
    reach = int(last.max()) + 1
    rank = np.cumsum(np.concatenate(([0], (np.diff(group) != 0).astype(np.int64))))
    latest = np.maximum.accumulate(last + rank * reach)
    before = np.concatenate(([0], latest[:-1])) - rank * reach
    grown = np.maximum(0, last - np.maximum(first, np.maximum(before, 0)))
    np.add.at(out, group, grown)
    return out
