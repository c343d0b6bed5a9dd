"""How the journal stands, for people: how long it is, its head, and who has vouched for how much.

The whole chain is checked at every start, and nothing is added to a journal that does not hold
(`journal.notary`); since then each record was chained to the one before it by ourselves.
"""

from assistant.journal.notary import VouchedJournal
from assistant.store.database import Database, StoreError

SHOWN = 12  # characters of a hash that are enough to recognise it
_ANSWERED = (
    "SELECT lower(hex(h)) FROM entry WHERE incident = ? "
    "AND json_extract(CAST(env AS TEXT), '$.type') = 'HypothesesRanked' ORDER BY seq DESC LIMIT 1"
)


class Standing:
    """What cards and the home tab say of a journal that was verified when it was opened."""

    def __init__(self, database: Database, journal: VouchedJournal) -> None:
        self._database = database
        self._journal = journal

    def of_answer(self, incident: str) -> str:
        """Return the head of the journal when the incident was answered last.

        Empty before there is an answer, and where it cannot be read: a card is shown all the same.
        """
        try:
            with self._database.reading() as connection:
                found = connection.execute(_ANSWERED, (incident,)).fetchone()
        except StoreError:
            return ""
        return f"audit {found[0][:SHOWN]}… chain OK" if found is not None else ""

    def lines(self) -> tuple[str, ...]:
        """Return how it stands now; raises `StoreError`."""
        size, head = self._journal.head()
        return (
            f"{size} records, head {head[:SHOWN]}…, chain OK as verified at the start",
            f"Last checkpoint: of {self._journal.signed} records",
        )
