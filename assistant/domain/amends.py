"""Events of the journal itself: what became of it, and who answers for that."""

from dataclasses import dataclass

from assistant.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreAccepted:
    """Somebody accepted that the journal is not the one that was once vouched for.

    `origin`, `size` and `root` (hex) are those of the largest checkpoint that it contradicts.
    `note` says the same, and where in the journal, signed by the key of the checkpoints: who can
    only write the database cannot excuse anything.
    """

    by: Actor
    reason: str
    origin: str
    size: int
    root: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """The events of a closed incident were removed; their envelopes stay.

    `seqs` are their numbers. `note` says all of this, and where in the journal, signed by the key
    of the checkpoints.
    """

    by: Actor
    reason: str
    incident: str
    seqs: tuple[int, ...]
    note: str
