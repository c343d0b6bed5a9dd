"""What earlier incidents teach, joined: the index, the journal, and the shelf of own runbooks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from assistant.domain.hypothesis import Finding
from assistant.domain.incident import Incident, apply
from assistant.domain.memory import Draft, SimilarIncident
from assistant.domain.plan import RemediationPlan
from assistant.domain.record import Record
from assistant.journal.api import Journal
from assistant.journal.timeline import sentence
from assistant.lesson import draft_of
from assistant.memory import keep, remember, similar
from assistant.postmortem import postmortem
from assistant.recall import Search, plan
from retrieval.api import Index, RetrievalError
from runbooks.model import Runbook, RunbookError
from runbooks.shelf import Shelf


class Recollection:
    """Implements `assistant.flow.Recall` and `Memory`.

    `library` are the runbooks that are not on the shelf. A runbook that cannot be used is told as a
    `RetrievalError`: to the line of an incident both mean that memory was not looked at.
    """

    def __init__(
        self, index: Index, journal: Journal, shelf: Shelf, library: Mapping[str, Runbook]
    ) -> None:
        self._index = index
        self._journal = journal
        self._shelf = shelf
        self._library = library

    def restore(self) -> None:
        """Let be found what the journal says is remembered, whatever became of the index."""
        with _told():
            incidents = self._incidents()
            keep(self._index, incidents, self._runbooks().values())

    def similar(self, incident: str, finding: Finding) -> tuple[SimilarIncident, ...]:
        """Return earlier incidents like this one, the most alike first."""
        incidents = self._incidents()
        return similar(self._index, incidents.get, finding, incidents[incident].opened.at)

    def plan(self, finding: Finding) -> RemediationPlan | None:
        """Return the steps of the runbook that fits, or null."""
        with _told():
            return plan(self._index, self._runbooks(), finding)

    def postmortem(self, incident: str, state: Incident) -> str:
        """Return the account of an incident, made from its records."""
        return postmortem(incident, self._records(incident), state, sentence)

    def draft(self, incident: str, state: Incident) -> Draft | None:
        """Return the runbook that an incident teaches; null where no action ended it."""
        with _told():
            return draft_of(incident, self._records(incident), state)

    def remember(self, incident: str, state: Incident) -> str | None:
        """Let the incident, and its accepted runbook, be found; return the runbook's id."""
        incidents = {**self._incidents(), incident: state}
        with _told():
            return remember(self._index, self._shelf, incident, incidents, self._library.values())

    def _runbooks(self) -> dict[str, Runbook]:
        return {**self._library, **{r.id: r for r in self._shelf.all()}}

    def _records(self, incident: str) -> list[Record]:
        return list(self._journal.records(incident))

    def _incidents(self) -> dict[str, Incident]:
        states: dict[str, Incident] = {}
        for record in self._journal.records():
            if record.incident:
                states[record.incident] = apply(states.get(record.incident), record.event)
        return states


class Reading:
    """Implements `assistant.flow.Recall` for a question that nobody works on."""

    def __init__(self, search: Search, runbooks: Mapping[str, Runbook]) -> None:
        self._search = search
        self._runbooks = runbooks

    def similar(self, incident: str, finding: Finding) -> tuple[SimilarIncident, ...]:
        """Return nothing: there is no journal of earlier incidents here."""
        del incident, finding
        return ()

    def plan(self, finding: Finding) -> RemediationPlan | None:
        """Return the steps of the runbook that fits, or null."""
        with _told():
            return plan(self._search, self._runbooks, finding)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except RunbookError as error:
        raise RetrievalError(str(error)) from error
