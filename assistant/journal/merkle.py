"""The Merkle tree of RFC 6962 (section 2.1) over leaf hashes; pure.

A root and a size stand for a whole journal; that one record is in it is shown by about log2(size)
hashes.
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


def inclusions(leaves: Sequence[bytes], indexes: Iterable[int]) -> list[list[bytes]]:
    """Return, for each index (from 0), the path from its leaf to the root, the lowest hash first.

    All paths are read from one pass over the tree. A node without a neighbour rises as it is.
    """
    wanted = list(indexes)
    for index in wanted:
        if not 0 <= index < len(leaves):
            raise ValueError(f"there is no leaf {index} among {len(leaves)}")
    paths: list[list[bytes]] = [[] for _ in wanted]
    level = list(leaves)
    while len(level) > 1:
        for place, index in enumerate(wanted):
            if index ^ 1 < len(level):
                paths[place].append(level[index ^ 1])
        wanted = [index // 2 for index in wanted]
        above = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = above + level[len(above) * 2 :]
    return paths
