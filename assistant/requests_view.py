"""An action request as people see it: what exactly is asked, and later what became of it.

One view from the question to the record, so that what was approved and what was done stand in the
same place.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from assistant.actions.approval import careful, large
from assistant.button import Button
from assistant.commands import Approve, Close, Deny, RequestUndo, SeeRequest
from assistant.domain.action import ActionRequest, Status, Tracked
from assistant.domain.recovery import SINCE, Effect, Measure, Recovery
from assistant.domain.requests import OPEN

TITLES = {
    Status.PENDING: "Approval needed",
    Status.APPROVED: "Approved",
    Status.DENIED: "Rejected",
    Status.EXPIRED: "Expired",
    Status.STALE: "Not started",
    Status.STARTED: "Running",
    Status.UNKNOWN: "Nobody knows whether it was done",
    Status.FAILED: "Not done",
    Status.FINISHED: "Done, measuring the effect",
    Status.VERIFIED: "Done",
}
EFFECTS = {
    Effect.RECOVERED: "Recovered",
    Effect.IMPROVED: "Better, and not as before",
    Effect.NO_EFFECT: "It had no effect",
    Effect.WORSE: "It got worse",
    Effect.NOT_MEASURED: "The effect could not be measured",
}
TO_TAKE_BACK = (Effect.NO_EFFECT, Effect.WORSE)
NOT_THERE = (Status.FAILED, Status.UNKNOWN)
NOT_UNDOING = (Status.DENIED, Status.EXPIRED, Status.STALE, Status.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and what is said about it."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What happened with the request, and when where that is known."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryView:
    """The judgement in words, and each figure before, during and after."""

    title: str
    why: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """`diff` are lines; `expires` is null once nobody waits for an answer.

    `alarm` is what people must not miss, null where there is nothing of the kind.
    """

    id: str
    status: Status
    title: str
    summary: str
    facts: tuple[Fact, ...]
    diff: tuple[str, ...]
    expires: datetime | None
    happened: tuple[Happening, ...]
    recovery: RecoveryView | None
    alarm: str | None
    buttons: tuple[Button, ...]


def request_view(
    tracked: Tracked, approvers: str, others: Mapping[str, Tracked] | None = None
) -> RequestView:
    """Return the card of a request; `approvers` says in words who may approve.

    `others` are the incident's requests by id: what was taken back is not offered again.
    """
    request, asked = tracked.request, tracked.status in OPEN
    decide = asked and request.mandate.approvals > 0
    return RequestView(
        id=request.id,
        status=tracked.status,
        title=TITLES[tracked.status],
        summary=request.summary,
        facts=_facts(tracked, approvers),
        diff=request.diff,
        expires=request.expires if decide else None,
        happened=_happened(tracked),
        recovery=recovery_view(tracked.recovery) if tracked.recovery else None,
        alarm=_alarm(tracked),
        buttons=_decisions(tracked) if decide else _after(tracked, (others or {}).values()),
    )


def recovery_view(recovery: Recovery) -> RecoveryView:
    """Return the judgement after an action."""
    return RecoveryView(
        title=EFFECTS[recovery.effect],
        why=recovery.why,
        rows=tuple(_row(m) for m in recovery.measures),
    )


def ending(tracked: Tracked, incident: str, *, still_open: bool) -> tuple[Button, ...]:
    """Return what to press once the evidence is as before: nothing is left but to close."""
    recovered = tracked.recovery is not None and tracked.recovery.effect is Effect.RECOVERED
    if not (recovered and still_open):
        return ()
    close = Close(incident=incident)
    return (Button(label="Close and write the postmortem", command=close, style="primary"),)


def _facts(tracked: Tracked, approvers: str) -> tuple[Fact, ...]:
    request = tracked.request
    undo = called(request.undo.action, request.undo.args) if request.undo else "cannot be"
    facts = [
        Fact(label="Action", text=called(request.action, request.call.args)),
        Fact(label="Target", text=request.target),
        Fact(label="What else feels it", text=request.blast),
        Fact(label="Taken back by", text=undo),
        Fact(label="Risk", text=request.risk),
        Fact(label="Asked for by", text=request.requested_by.name),
    ]
    if request.reason:
        facts.append(Fact(label="Because", text=request.reason))
    if request.runbook:
        facts.append(Fact(label="Runbook", text=request.runbook))
    if request.break_glass:
        facts.append(Fact(label="Emergency", text="asked for past the usual rules"))
    if tracked.status in OPEN and (needed := request.mandate.approvals):
        group = f"@{request.mandate.group}" if request.mandate.group else approvers
        may = f"{group}, and not {request.requested_by.name}, who asked"
        facts.append(Fact(label="May approve", text=may))
        if needed > 1:
            said = f"{len(tracked.approvals)} of {needed}, by the rule “{request.mandate.rule}”"
            facts.append(Fact(label="Approvals", text=said))
    facts.append(Fact(label="Digest", text=request.digest[:12]))
    return tuple(facts)


def called(action: str, args: Mapping[str, object]) -> str:
    """Return a call as people read it."""
    return f"{action}({', '.join(f'{name}={value}' for name, value in args.items())})"


def _happened(tracked: Tracked) -> tuple[Happening, ...]:
    told = [Happening(text=f"Approved by {a.by.name}", at=a.at) for a in tracked.approvals]
    if tracked.started is not None:
        told.append(Happening(text="Started", at=tracked.started))
    if tracked.outcome is not None:
        ref = f" ({tracked.ref})" if tracked.ref else ""
        told.append(Happening(text=f"Done: {tracked.outcome}{ref}", at=tracked.finished))
    if tracked.why is not None:
        told.append(Happening(text=tracked.why))
    return tuple(told)


def approve(request: ActionRequest) -> Approve:
    """Return the yes to a request as it is shown."""
    return Approve(incident=request.incident, request=request.id, digest=request.digest)


def _decisions(tracked: Tracked) -> tuple[Button, ...]:
    request = tracked.request
    if careful(request):
        review = SeeRequest(incident=request.incident, request=request.id)
        yes = Button(label="Review and approve…", style="primary", command=review)
    else:
        asked = f"{request.summary} Target: {request.target}."
        yes = Button(label="Approve", style="primary", command=approve(request), confirm=asked)
    no = Deny(incident=request.incident, request=request.id)
    return (yes, Button(label="Reject…", style="danger", command=no, asks_reason=True))


def _alarm(tracked: Tracked) -> str | None:
    """Return what to say where a change could not be taken back: it may still do its harm."""
    request, why = tracked.request, (tracked.why or "").removesuffix(".")
    if request.undo_of is None or tracked.status not in NOT_THERE:
        return None
    if tracked.status is Status.FAILED:
        said, then = "was not taken back", "ask for it again, or do it by hand"
    else:
        said, then = "may not have been taken back: nobody knows", "look, and do it by hand"
    return f"The change of {request.target} {said} ({why}). It is not tried again: {then}."


def _after(tracked: Tracked, others: Collection[Tracked]) -> tuple[Button, ...]:
    request = tracked.request
    see = SeeRequest(incident=request.incident, request=request.id)
    whole = (Button(label="See all of it", command=see),) if large(request) else ()
    return (*_undo(tracked, others), *whole)


def _undo(tracked: Tracked, others: Collection[Tracked]) -> tuple[Button, ...]:
    request, recovery = tracked.request, tracked.recovery
    if request.undo is None or recovery is None or recovery.effect is Effect.RECOVERED:
        return ()
    if recovery.effect not in TO_TAKE_BACK and not _half_done(request, others):
        return ()
    if any(t.request.undo_of == request.id and t.status not in NOT_UNDOING for t in others):
        return ()
    return (
        Button(label="Undo", command=RequestUndo(incident=request.incident, request=request.id)),
    )


def _half_done(request: ActionRequest, others: Collection[Tracked]) -> bool:
    """Tell whether a later step of the same runbook has failed: half a plan may be worse than none.

    A step that was asked for again counts as it went last.
    """
    steps = {
        t.request.step: t.status
        for t in others
        if t.request.runbook == request.runbook and t.request.step is not None
    }
    return request.step is not None and any(
        step > request.step and status in NOT_THERE for step, status in steps.items()
    )


def _row(measure: Measure) -> tuple[str, str, str, str]:
    what = f"{measure.evidence or SINCE} {measure.what}"
    figures = (measure.before, measure.during, measure.after)
    before, during, after = (figure(value, measure.unit) for value in figures)
    return (what, before, during, f"{after} (n {measure.n_after})")


def figure(value: float | None, unit: str) -> str:
    """Return a figure as people read it; shares are shown in per cent."""
    if value is None:
        return "not seen"
    if unit == "share":
        return f"{100 * value:.3g} %"
    return f"{value:.3g} {unit}".rstrip()
