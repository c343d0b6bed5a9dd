"""What becomes of action requests: a pure fold that refuses what cannot follow.

An approval of another digest, a start without approval, a second start: none can be represented.
"""

from collections.abc import Mapping
from dataclasses import replace

from assistant.domain.action import Status, Tracked
from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionRequested,
    ActionStarted,
    ActionUnknown,
    Approved,
    Denied,
    Expired,
    Verified,
    WentStale,
)


class IllegalEvent(Exception):
    """An event that cannot follow the ones before it."""


RequestEvent = (
    ActionRequested
    | Approved
    | Denied
    | Expired
    | WentStale
    | ActionStarted
    | ActionFinished
    | ActionFailed
    | ActionUnknown
    | Verified
)
OPEN = (Status.PENDING, Status.APPROVED)
UNDER_WAY = (Status.STARTED, Status.UNKNOWN)
MUTATE = "mutate"


def track(requests: Mapping[str, Tracked], event: RequestEvent) -> Mapping[str, Tracked]:
    """Return the requests after an event; raises `IllegalEvent`."""
    if isinstance(event, ActionRequested):
        request = event.request
        if request.id in requests:
            raise IllegalEvent("a request is made once")
        if event.digest != request.digest:
            raise IllegalEvent("the request is not what its digest says")
        return {**requests, request.id: Tracked(request=request)}
    known = requests.get(event.request)
    if known is None:
        raise IllegalEvent(f"no request is called {event.request}")
    return {**requests, event.request: _decided(known, event)}


def _decided(known: Tracked, event: RequestEvent) -> Tracked:
    match event:
        case Approved(approval=approval):
            _must(known, OPEN, "approved")
            if approval.digest != known.request.digest:
                raise IllegalEvent("the approval is for something else than the request")
            if any(approval.by.same_person(a.by) for a in known.approvals):
                raise IllegalEvent("nobody approves twice")
            if approval.by.same_person(known.request.requested_by):
                raise IllegalEvent("nobody approves what they asked for")
            approvals = (*known.approvals, approval)
            enough = len(approvals) >= known.request.mandate.approvals
            status = Status.APPROVED if enough else Status.PENDING
            return replace(known, status=status, approvals=approvals)
        case Denied(by=by, reason=reason):
            _must(known, OPEN, "denied")
            said = f"denied by {by.name}" + (f": {reason}" if reason else "")
            return replace(known, status=Status.DENIED, why=said)
        case Expired():
            _must(known, OPEN, "expired")
            return replace(known, status=Status.EXPIRED, why="nobody decided in time")
        case WentStale(why=why):
            _must(known, OPEN, "stale")
            return replace(known, status=Status.STALE, why=why)
        case _:
            return _done(known, event)


def _done(known: Tracked, event: RequestEvent) -> Tracked:
    match event:
        case ActionStarted(digest=digest, at=at):
            free = known.request.mandate.approvals == 0
            _must(known, OPEN if free else (Status.APPROVED,), "started")
            if digest != known.request.digest:
                raise IllegalEvent("what is started is not what was approved")
            return replace(known, status=Status.STARTED, started=at)
        case ActionFinished(at=at, summary=summary, ref=ref):
            _must(known, UNDER_WAY, "finished")
            return replace(
                known, status=Status.FINISHED, finished=at, outcome=summary, ref=ref, why=None
            )
        case ActionFailed(why=why):
            _must(known, UNDER_WAY, "failed")
            return replace(known, status=Status.FAILED, why=why)
        case ActionUnknown(why=why):
            _must(known, (Status.STARTED,), "unknown")
            return replace(known, status=Status.UNKNOWN, why=why)
        case Verified(recovery=recovery):
            _must(known, (Status.FINISHED,), "verified")
            return replace(known, status=Status.VERIFIED, recovery=recovery)
        case _:
            raise IllegalEvent(f"{type(event).__name__} does not concern a request")


def _must(known: Tracked, among: tuple[Status, ...], word: str) -> None:
    if known.status not in among:
        raise IllegalEvent(f"a request that is {known.status.value} cannot become {word}")
