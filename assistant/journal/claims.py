"""What checkpoints say of a journal, compared record by record; pure.

A loss that somebody accepted is in the journal itself (`RestoreAccepted`): it excuses checkpoints
of the name that it tells, from its own number up to the size that it tells, and nothing else.
"""

from collections.abc import Iterable

from assistant.domain.events import RestoreAccepted
from assistant.journal.checkpoint import Checkpoint, origin
from assistant.journal.merkle import Frontier


class Claims:
    """Checkpoints that are believed, and the tree of what was read so far."""

    def __init__(self, checkpoints: Iterable[Checkpoint]) -> None:
        self._waiting: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            self._waiting.setdefault(checkpoint.size, []).append(checkpoint)
        self._accepted: list[tuple[int, RestoreAccepted]] = []
        self.tree = Frontier()
        self.kept = 0  # the largest size of which a checkpoint tells the truth

    @property
    def restores(self) -> int:
        return len(self._accepted)

    def follow(self, leaf: bytes, log_id: str, restore: RestoreAccepted | None) -> list[Checkpoint]:
        """Take one more record; returns the checkpoints of this size that it contradicts."""
        self.tree.push(leaf)
        size = self.tree.size
        if restore is not None:
            self._accepted.append((size, restore))
        claims = self._waiting.pop(size, [])
        here = (origin(log_id, self.restores), self.tree.root()) if claims else None
        wrong = [c for c in claims if (c.origin, c.root) != here]
        if len(wrong) < len(claims):
            self.kept = size
        return [c for c in wrong if not self._excused(c)]

    def rest(self) -> list[Checkpoint]:
        """Return the checkpoints of more records than there were."""
        return [c for claims in self._waiting.values() for c in claims if not self._excused(c)]

    def _excused(self, claim: Checkpoint) -> bool:
        return any(
            restore.origin == claim.origin
            and seq <= claim.size <= restore.size
            and (claim.size < restore.size or claim.root.hex() == restore.root)
            for seq, restore in self._accepted
        )
