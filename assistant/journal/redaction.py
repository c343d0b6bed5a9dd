"""What was taken out of the journal again, and by whose leave; pure.

A closed incident's events can be removed while its envelopes stay in the chain: who did what kind
of thing when is still there, what was said is not. A `Redacted` record, signed by the key of the
checkpoints for its very place, says which events are gone. One that is gone without it was stolen.
"""

import json
from collections.abc import Sequence

from assistant.domain.amends import Redacted
from assistant.journal.api import BrokenRecord
from assistant.journal.checkpoint import Verifier, says


def terms(event: Redacted, seq: int, prev: str) -> str:
    """Return what is signed: all that the event says, its number, the hash before it."""
    who = f"{event.by.team}/{event.by.id}"
    said = (event.incident, list(event.seqs), seq, prev, who, event.reason)
    return f"firstline-redaction\n{json.dumps(said)}\n"


class Withheld:
    """The events that are not there; `keys` are whose word counts that they need not be."""

    def __init__(self, keys: Sequence[Verifier]) -> None:
        self._keys = keys
        self._absent: dict[int, tuple[str, int]] = {}
        self._allowed: dict[int, tuple[str, int]] = {}

    def absent(self, seq: int, incident: str, by: int | None) -> None:
        """Take a record of an incident whose event is said to be redacted by another record."""
        self._absent[seq] = (incident, by or 0)

    def allow(self, event: Redacted, seq: int, prev: str) -> None:
        """Take the record that says what was redacted, if the key signed it for this place."""
        if says(event.note, self._keys, terms(event, seq, prev)):
            self._allowed |= dict.fromkeys(
                (s for s in event.seqs if s < seq), (event.incident, seq)
            )

    def check(self) -> int:
        """Return how many events were redacted; raises `BrokenRecord` for one without leave."""
        for seq, said in sorted(self._absent.items()):
            if self._allowed.get(seq) != said:
                what = f"the key did not sign that record {said[1]} redacts it"
                raise BrokenRecord(seq, f"its event is missing, and {what}")
        for seq in sorted(self._allowed.keys() - self._absent.keys()):
            redacted = f"record {self._allowed[seq][1]} redacted its event"
            raise BrokenRecord(seq, f"{redacted}, and it is here again")
        return len(self._absent)
