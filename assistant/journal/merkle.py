"""The Merkle tree of RFC 6962 (section 2.1) over leaf hashes; pure.

A root and a size stand for a whole journal. That one record is in it (inclusion), and that a later
journal only adds to an earlier one (consistency), is shown by about log2(size) hashes.
"""

import hashlib
from collections.abc import Iterable, Sequence

NODE = b"\x01"
EMPTY = hashlib.sha256(b"").digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (32 bytes)."""
    return hashlib.sha256(NODE + left + right).digest()


class Frontier:
    """The right edge of a tree that grows: one hash a level, whatever the size."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # full subtrees, the largest first

    def push(self, leaf: bytes) -> None:
        """Add the hash of one more leaf (32 bytes)."""
        self._edge.append(leaf)
        full = self.size + 1
        while full % 2 == 0:
            right, left = self._edge.pop(), self._edge.pop()
            self._edge.append(node(left, right))
            full //= 2
        self.size += 1

    def root(self) -> bytes:
        """Return the root of what was pushed."""
        if not self._edge:
            return EMPTY
        *rest, found = self._edge
        for left in reversed(rest):
            found = node(left, found)
        return found


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes, in their order."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the path from leaf `index` (from 0) to the root, the lowest hash first."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*inclusion(leaves[:half], index), root(leaves[half:])]
    return [*inclusion(leaves[half:], index - half), root(leaves[:half])]


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], wanted: bytes) -> bool:
    """Tell whether a path leads from a leaf to the root of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if here % 2 or here == last:
            found = node(step, found)
            while here % 2 == 0 and here:
                here, last = here // 2, last // 2
        else:
            found = node(found, step)
        here, last = here // 2, last // 2
    return last == 0 and found == wanted


def consistency(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """Return the proof that the tree of the first `earlier` leaves is the beginning of this one."""
    if not 0 < earlier <= len(leaves):
        raise ValueError(f"{earlier} is no earlier size of {len(leaves)} leaves")
    return _consistency(leaves, earlier, whole=True)


def _consistency(leaves: Sequence[bytes], earlier: int, *, whole: bool) -> list[bytes]:
    if earlier == len(leaves):
        return [] if whole else [root(leaves)]
    half = _half(len(leaves))
    if earlier <= half:
        return [*_consistency(leaves[:half], earlier, whole=whole), root(leaves[half:])]
    return [*_consistency(leaves[half:], earlier - half, whole=False), root(leaves[:half])]


def consistent(earlier: int, first: bytes, size: int, second: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether a proof leads from one root to the later one (RFC 9162, 2.1.4.2)."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not path and first == second
    steps = [first, *path] if earlier & (earlier - 1) == 0 else list(path)
    if not steps:
        return False
    here, last = earlier - 1, size - 1
    while here % 2:
        here, last = here // 2, last // 2
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here % 2 or here == last:
            old, new = node(step, old), node(step, new)
            while here % 2 == 0 and here:
                here, last = here // 2, last // 2
        else:
            new = node(new, step)
        here, last = here // 2, last // 2
    return last == 0 and old == first and new == second


def _half(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
