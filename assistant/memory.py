"""What was learnt from earlier incidents: how they are found again, and what is kept of a new one.

The search only proposes; whether an incident was really seen before is judged on its state, as the
journal holds it (`assistant.likeness`). Nothing that nobody has accepted is ever found.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from assistant.domain.hypothesis import NAMED, Finding, Hypothesis
from assistant.domain.incident import Incident
from assistant.domain.memory import SimilarIncident
from assistant.engine.wording import cause_sentence
from assistant.likeness import kinds, likeness, log_lines, symptoms
from assistant.recall import COLLECTION as RUNBOOKS
from assistant.recall import Search, place
from assistant.recall import documents as pages
from retrieval.api import Document, Query
from runbooks.model import Runbook, RunbookError
from runbooks.shelf import Shelf

INCIDENTS = "incidents"
MOST_LOOKED_AT = 50
MOST_TOLD = 3
MOST_STATEMENTS = 5

Past = Callable[[str], Incident | None]


class Library(Protocol):
    """The part of an index that keeping needs."""

    def sync(self, collection: str, documents: Sequence[Document]) -> None: ...


def similar(
    search: Search, past: Past, finding: Finding, opened: datetime
) -> tuple[SimilarIncident, ...]:
    """Return what was like this before `opened`, the most alike first, then the latest.

    `past` returns an incident as it stands, or null. Empty where nothing like it was seen. Raises
    `RetrievalError`.
    """
    if not explained(finding):
        return ()
    found = []
    for match in search.search(_query(finding)):
        known = past(match.document.id)
        if known is None or known.finding is None or known.closed is None:
            continue
        alike = likeness(finding, known.finding)
        if alike is not None and known.opened.at < opened:
            found.append(
                SimilarIncident(
                    incident=match.document.id,
                    title=learnt(known),
                    at=known.opened.at,
                    score=alike.score,
                    same=alike.same,
                    differed=alike.differed,
                    action=_action(known),
                    runbook=known.draft.runbook if known.draft and known.draft_decided else None,
                    seconds=_seconds(known),
                )
            )
    found.sort(key=lambda one: (-one.score, opened - one.at, one.incident))
    return tuple(found[:MOST_TOLD])


def document(incident: str, state: Incident) -> Document | None:
    """Return an incident as a page to be found; null where no cause was found."""
    finding = state.finding
    if finding is None or not explained(finding):
        return None
    by_id = {e.id: e for e in finding.evidence}
    first = finding.hypotheses[0]
    facts = [by_id[i].statement for i in first.supports[:MOST_STATEMENTS]]
    action = _action(state)
    ended = f"Resolved by: {action}" if action else "No action is known to have resolved it."
    if state.corrections:
        facts = [f"Corrected by a person: {state.corrections[-1].told}", *facts]
    symptoms_told = ["## Symptoms", state.opened.text, *_traits(finding)]
    return Document(
        id=incident,
        collection=INCIDENTS,
        title=learnt(state),
        text="\n\n".join([*symptoms_told, "## Evidence", *facts, "## Resolution", ended]),
        source=incident,
        labels=_labels(first),
    )


def title(finding: Finding) -> str:
    """Return the cause of an explained finding in words."""
    first = finding.hypotheses[0]
    return cause_sentence(first.cause, first.service, None, first.peer)


def learnt(state: Incident) -> str:
    """Return the cause as it was known in the end: what a person said counts before the engine.

    It is told wherever it is like this again.
    """
    if state.corrections:
        return f"{state.corrections[-1].told_elsewhere} (corrected by a person)"
    return title(state.finding) if state.finding is not None else state.opened.text


def keep(index: Library, incidents: Mapping[str, Incident], runbooks: Iterable[Runbook]) -> None:
    """Make these runbooks, and those of the incidents that are remembered, what can be found.

    Everything else is no longer found; doing it again changes nothing. Raises `RetrievalError`.
    """
    kept = {i: s for i, s in incidents.items() if s.remembered and s.closed is not None}
    found = (document(incident, state) for incident, state in kept.items())
    index.sync(INCIDENTS, [page for page in found if page is not None])
    index.sync(RUNBOOKS, pages(runbooks))


def remember(
    index: Library,
    shelf: Shelf,
    incident: str,
    incidents: Mapping[str, Incident],
    runbooks: Iterable[Runbook],
) -> str | None:
    """Keep a closed incident and its accepted runbook; return the runbook's id, if there is one.

    `incidents` are all of them, this one included, `runbooks` those that are not on the shelf.
    Doing it again changes nothing. Raises `RunbookError`, `RetrievalError`.
    """
    state = incidents[incident]
    accepted = _shelve(shelf, state) if state.draft_decided else None
    known = {r.id: r for r in (*runbooks, *shelf.all())}
    keep(index, {**incidents, incident: replace(state, remembered=True)}, known.values())
    return accepted


def _shelve(shelf: Shelf, state: Incident) -> str | None:
    """Put the draft on the shelf if it is byte for byte what was accepted."""
    draft = state.draft
    if draft is None:
        return None
    if text_digest(draft.markdown) != draft.digest:
        raise RunbookError(f"{draft.runbook} is not the text that was accepted; draft it again")
    return shelf.add(draft.markdown, _actions(state)).id


def text_digest(markdown: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(markdown.encode()).hexdigest()


def _actions(state: Incident) -> frozenset[str]:
    """Return what the incident's runbook may use: what was really asked for, and what undoes it."""
    asked = [t.request for t in state.requests.values()]
    return frozenset([r.action for r in asked] + [r.undo.action for r in asked if r.undo])


def explained(finding: Finding) -> bool:
    """Tell whether a finding names a cause."""
    told = finding.verdict in NAMED
    return told and bool(finding.hypotheses)


def _query(finding: Finding) -> Query:
    first = finding.hypotheses[0]
    return Query(
        text="\n\n".join([title(finding), *_traits(finding)]),
        collection=INCIDENTS,
        labels=_labels(first),
        limit=MOST_LOOKED_AT,
    )


def _labels(first: Hypothesis) -> dict[str, tuple[str, ...]]:
    """Return the labels of a page; `fault` finds the same one however many others there are."""
    where = tuple(sorted(place(first)))
    fault = f"{first.cause} in {' and '.join(where)}"
    return {"cause": (first.cause,), "service": where, "fault": (fault,)}


def _traits(finding: Finding) -> list[str]:
    """Return what comes back with the same fault, in words and without figures."""
    first, change = finding.hypotheses[0], finding.change
    return [
        f"{first.cause.replace('_', ' ')} in {' and '.join(sorted(place(first)))}",
        *([f"in {first.operation}"] if first.operation else []),
        "only one instance is hit" if first.instance else "all instances are hit",
        f"a {change.kind} explains it" if change else "no change explains it",
        *(", ".join(sorted(told)) for told in (symptoms(finding), kinds(finding)) if told),
        *sorted(log_lines(finding)),
    ]


def _action(state: Incident) -> str | None:
    resolved = state.resolved_by
    return resolved.request.summary.rstrip(". ") if resolved else None


def _seconds(state: Incident) -> float | None:
    """Return how long it took from the alert until the figures were as before."""
    resolved = state.resolved_by
    if resolved is None or resolved.finished is None or state.opened.horizon is not None:
        return None
    measured = resolved.recovery.seconds if resolved.recovery else 0.0
    return round((resolved.finished - state.opened.at).total_seconds() + measured, 1)
