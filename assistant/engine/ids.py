"""Which span an id belongs to, looked up for millions of ids at once.

Ids are text, and text is slow to sort and to compare: here they are their 64-bit hashes. Two hashes
(of the span and of its trace) must agree before an id is said to belong to a span.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

PAIR = ["trace_id", "span_id"]
Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpanIds:
    """The ids of spans in the order of their hashes; `apart` if no two spans share an id."""

    _pairs: pl.DataFrame
    _sorted: Hashes
    _order: Rows
    apart: bool

    @classmethod
    def of(cls, spans: pl.DataFrame) -> "SpanIds":
        """Return the ids of `spans`, which must have `trace_id` and `span_id`."""
        hashes = _hashes(spans.get_column("span_id"))
        order = np.argsort(hashes)
        known = hashes[order]
        apart = bool((known[1:] != known[:-1]).all())
        return cls(spans.select(PAIR), known, order, apart)

    def rows(self, trace_id: pl.Series, span_id: pl.Series) -> pl.Series:
        """Return for each pair of ids the row of the span that has them, null if none has."""
        wanted = pl.DataFrame({"trace_id": trace_id, "span_id": span_id})
        if not self._sorted.size or not self.apart:
            rows = self._pairs.with_row_index("row")
            return wanted.join(rows, on=PAIR, how="left", maintain_order="left").get_column("row")
        asked = _hashes(span_id)
        turn = _roughly_sorted(asked)
        asked = asked[turn]
        near = np.minimum(np.searchsorted(self._sorted, asked), self._sorted.size - 1)
        traces = _hashes(self._pairs.get_column("trace_id"))
        row = self._order[near]
        right = (self._sorted[near] == asked) & (traces[row] == _hashes(trace_id)[turn])
        place = np.empty(asked.size, dtype=np.uint32)
        place[turn] = row
        found = np.empty(asked.size, dtype=np.bool_)
        found[turn] = right
        told = pl.Series(found) & span_id.is_not_null() & trace_id.is_not_null()
        return pl.select(pl.when(told).then(pl.Series("row", place))).to_series()


def _hashes(ids: pl.Series) -> Hashes:
    return ids.hash().to_numpy()


def _roughly_sorted(hashes: Hashes) -> Rows:
    """Return an order in which each look-up lands beside the one before it.

    Sorting numbers that hold their place in the last bits is several times faster than sorting
    places by numbers; what the last bits decided does not matter to who only wants to be near.
    """
    bits = np.uint64(max(1, hashes.size - 1).bit_length())
    places = (np.uint64(1) << bits) - np.uint64(1)
    packed = (hashes & ~places) | np.arange(hashes.size, dtype=np.uint64)
    packed.sort()
    return (packed & places).astype(np.int64)
