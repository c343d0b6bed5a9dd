"""From the records of a solved incident to the runbook that it teaches, for a person to accept."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from assistant.domain.action import Tracked
from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionRequested,
    ActionStarted,
    Approved,
    Event,
    HypothesesRanked,
    Verified,
)
from assistant.domain.hypothesis import Finding, Hypothesis
from assistant.domain.incident import Incident
from assistant.domain.memory import Draft
from assistant.domain.record import Record
from assistant.domain.recovery import Effect, Measure
from assistant.engine.wording import cause_sentence, number
from assistant.memory import explained, text_digest
from assistant.postmortem import shows_recovery
from assistant.recall import place, version
from connectors.actions import ActionCall, ArgValue
from runbooks.draft import Done, DraftSource, Told, draft

MOST_SYMPTOMS = 3
LONGEST_IN_ID = 50  # characters of a service's name
_OF_THE_ACTION = (ActionRequested, Approved, ActionStarted, ActionFinished)
_OF_A_FAILURE = (ActionRequested, ActionFailed, Verified)


def draft_of(incident: str, records: Sequence[Record], state: Incident) -> Draft | None:
    """Return the runbook that a closed incident teaches; null without a cause or a cure.

    A cause that a person refuted teaches nothing: why the action helped is not known then.
    The same records give the same bytes. Raises `RunbookError` where what was done cannot be
    written as a runbook.
    """
    finding, resolved, closed = state.finding, state.resolved_by, state.closed
    if finding is None or resolved is None or closed is None or not explained(finding):
        return None
    if state.corrections:
        return None
    source = _source(incident, records, state, finding, resolved, closed.at)
    markdown, provenance = draft(source)
    return Draft(
        runbook=source.id,
        markdown=markdown,
        digest=text_digest(markdown),
        provenance=provenance,
    )


def _source(
    incident: str,
    records: Sequence[Record],
    state: Incident,
    finding: Finding,
    resolved: Tracked,
    closed: datetime,
) -> DraftSource:
    first, request = finding.hypotheses[0], resolved.request
    names = {
        "change": finding.change.ref if finding.change else None,
        "version": version(finding.change),
        "instance": first.instance,
    }
    cause = cause_sentence(first.cause, first.service, None, first.peer)
    felt = [e.statement for e in finding.evidence if e.kind.startswith("symptom_")]
    undo = request.undo
    service = first.service[:LONGEST_IN_ID]
    people = (request.requested_by, *(a.by for a in resolved.approvals))
    return DraftSource(
        id=_slug(f"{service} {first.cause} {incident}"),
        incident=incident,
        title=cause,
        summary=f"In {incident}: {cause}. What helped: {_sentence(request.summary)} After it "
        f"{_went(resolved)} as before.",
        cause=first.cause,
        services=tuple(sorted(place(first))),
        names={name: value for name, value in names.items() if value},
        symptoms=(state.opened.text, *felt[:MOST_SYMPTOMS], cause),
        check=_check(records, finding, first),
        action=Done(
            action=request.action,
            args=_texts(dict(request.args)),
            text=f"Do what helped in {incident}: {_called(request.call)}.",
            records=_numbers(records, request.id, _OF_THE_ACTION),
        ),
        verify=_verify(records, resolved),
        rollback=Done(
            action=undo.action,
            args=_texts(undo.args),
            text=f"Take it back if the figures do not move: in {incident}, {_called(undo)}.",
            records=_numbers(records, request.id, (ActionRequested,)),
        )
        if undo
        else None,
        no_effect=tuple(_in_vain(records, state)),
        owners=tuple(dict.fromkeys(p.name for p in people)),
        reviewed=f"{closed:%Y-%m-%d}",
    )


def _check(records: Sequence[Record], finding: Finding, first: Hypothesis) -> Told:
    """Return the decisive fact, with the value that was seen."""
    ranked = [r.seq for r in records if isinstance(r.event, HypothesesRanked)]
    by_id = {e.id: e for e in finding.evidence}
    facts = [by_id[i].statement for i in first.supports[:1]] or [finding.why_verdict]
    return Told(text=f"Is it the same again? Then it was: {facts[0]}.", records=tuple(ranked[-1:]))


def _verify(records: Sequence[Record], resolved: Tracked) -> Told:
    recovery = resolved.recovery
    shown = filter(shows_recovery, recovery.measures if recovery else ())
    told = (
        "; ".join(f for f in map(_figure, shown) if f) or "the symptoms are as before the incident"
    )
    return Told(
        text=f"Measure the symptoms again: {told}.",
        records=_numbers(records, resolved.request.id, (Verified,)),
    )


def _went(resolved: Tracked) -> str:
    """Return what was as before: of some symptoms too little may have been seen to tell."""
    measures = resolved.recovery.measures if resolved.recovery else ()
    return "the symptoms were" if all(map(shows_recovery, measures)) else "what was seen was"


def _figure(measure: Measure) -> str | None:
    if measure.before is None:
        return None
    told = f"{measure.what}: normal is {number(measure.before, measure.unit)}"
    if measure.during is not None:
        told += f", it was {number(measure.during, measure.unit)}"
    if measure.after is not None:
        told += f" and {number(measure.after, measure.unit)} after the action"
    return told


def _in_vain(records: Sequence[Record], state: Incident) -> Iterator[Told]:
    """Yield what was done and did not help, or could not be done."""
    for request, tracked in state.requests.items():
        recovery = tracked.recovery
        if recovery is not None and recovery.effect is not Effect.RECOVERED:
            why = recovery.why
        elif tracked.started is not None and tracked.finished is None:
            why = tracked.why or "nobody knows whether it was done"
        else:
            continue
        text = f"{_sentence(tracked.request.summary)} {_sentence(why)}"
        yield Told(text=text, records=_numbers(records, request, _OF_A_FAILURE))


def _numbers(
    records: Sequence[Record], request: str, events: tuple[type[Event], ...]
) -> tuple[int, ...]:
    """Return the numbers of the records of these kinds that concern a request."""
    return tuple(r.seq for r in records if isinstance(r.event, events) and _of(r.event) == request)


def _of(event: Event) -> str | None:
    """Return the request that an event is about."""
    if isinstance(event, ActionRequested):
        return event.request.id
    return getattr(event, "request", None)


def _called(call: ActionCall) -> str:
    """Return a call in words that hold no more than its arguments."""
    args = [
        f"{name.replace('_', ' ')} {value}" for name, value in sorted(_texts(call.args).items())
    ]
    return ", ".join([call.action.replace("_", " "), *args])


def _texts(args: Mapping[str, ArgValue]) -> dict[str, str]:
    return {name: str(value) for name, value in args.items()}


def _sentence(text: str) -> str:
    told = text.strip().rstrip(".")
    return f"{told[:1].upper()}{told[1:]}."


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
