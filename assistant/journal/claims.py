"""What checkpoints say of a journal, compared record by record; pure.

A loss that somebody accepted is in the journal itself (`RestoreAccepted`). It counts only where the
key of the checkpoints signed it, for this very place in this very chain; then it excuses the
checkpoints of the name that it tells, up to the size that it tells, and nothing else.
"""

import json
from collections.abc import Iterable, Sequence

from assistant.domain.amends import RestoreAccepted
from assistant.journal.checkpoint import Checkpoint, Verifier, origin, says
from assistant.journal.envelope import GENESIS
from assistant.journal.merkle import Frontier


def terms(restore: RestoreAccepted, seq: int, prev: str) -> str:
    """Return what is signed for a restore: all that it says, its number, the hash before it."""
    who = f"{restore.by.team}/{restore.by.id}"
    said = (restore.origin, restore.size, restore.root, seq, prev, who, restore.reason)
    return f"firstline-restore\n{json.dumps(said)}\n"


class Claims:
    """Checkpoints that are believed, and the tree of what was read so far.

    `keys` are whose word on a restore counts.
    """

    def __init__(self, checkpoints: Iterable[Checkpoint], keys: Sequence[Verifier] = ()) -> None:
        self._waiting: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            self._waiting.setdefault(checkpoint.size, []).append(checkpoint)
        self._wrong: list[Checkpoint] = []
        self._accepted: list[RestoreAccepted] = []
        self._keys = keys
        self._prev = GENESIS
        self.tree = Frontier()
        self.kept = 0  # the largest size of which a checkpoint tells the truth

    @property
    def restores(self) -> int:
        """Return how many losses were accepted."""
        return len(self._accepted)

    def follow(self, leaf: bytes, log_id: str, restore: RestoreAccepted | None) -> None:
        """Take one more record."""
        self.tree.push(leaf)
        size = self.tree.size
        if restore is not None and says(restore.note, self._keys, terms(restore, size, self._prev)):
            self._accepted.append(restore)
        self._prev = leaf.hex()
        claims = self._waiting.pop(size, [])
        here = (origin(log_id, self.restores), self.tree.root()) if claims else None
        wrong = [c for c in claims if (c.origin, c.root) != here]
        if len(wrong) < len(claims):
            self.kept = size
        self._wrong += wrong

    def contradicted(self) -> list[Checkpoint]:
        """Return the checkpoints that the journal contradicts, of which nobody accepted it."""
        more = [c for claims in self._waiting.values() for c in claims]
        return [c for c in (*self._wrong, *more) if not self._excused(c)]

    def _excused(self, claim: Checkpoint) -> bool:
        return any(
            restore.origin == claim.origin
            and (
                claim.size < restore.size
                or (claim.size == restore.size and claim.root.hex() == restore.root)
            )
            for restore in self._accepted
        )
