"""Carry out an approved request: ask everything again, write the intent down, do it once.

Each step is an event that the service writes to the journal before it asks for the next one, so
the intent is on disk before the actuator is called. Whatever cannot be known afterwards is told as
unknown and found out by looking, never by doing it again.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from assistant.actions.approval import Approvers, frozen, may_start
from assistant.actions.catalogue import Catalogue, Entry
from assistant.actions.judge import START, Case, Judge
from assistant.clock import Clock
from assistant.domain.action import ActionRequest, Approval, Tracked
from assistant.domain.board import taken
from assistant.domain.desk import Desk
from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionStarted,
    ActionUnknown,
    Event,
    WentStale,
)
from connectors.actions import ActionCall, Preview
from connectors.errors import ConnectorError, Forbidden, Rejected, Unavailable

T = TypeVar("T")

_log = logging.getLogger(__name__)
CRASHED = "firstline was stopped between the start and the end of this action"
NOT_DONE = "it was looked up and did not happen; ask for it again if it is still needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is asked before anything is done.

    `desk` tells of a freeze, `objected` whether somebody has said no to a request and waits to be
    heard, `recent` how many actions were started on a target since a moment, `busy` on which
    targets other incidents have begun to act, `wider` why a request counts no more because of who
    reads along by now, `ours` why this process may do nothing (another one has taken over, a switch
    is set), or null.
    """

    catalogue: Catalogue
    approvers: Approvers
    judge: Judge
    desk: Callable[[], Desk]
    objected: Callable[[str], bool]
    ours: Callable[[], str | None]
    recent: Callable[[str, datetime], int]
    busy: Callable[[str], Mapping[str, str]]
    wider: Callable[[ActionRequest], Awaitable[str | None]]
    clock: Clock


async def previewed(entry: Entry, call: ActionCall) -> Preview:
    """Return what a call would do now; whatever goes wrong is raised as a `ConnectorError`."""
    return await _asked(entry, partial(entry.actuator.preview, call))


async def _asked(entry: Entry, ask: Callable[[], Awaitable[T]]) -> T:
    try:
        return await ask()
    except ConnectorError:
        raise
    except Exception as error:  # an actuator may be anybody's, and people wait
        raise Unavailable(_odd(entry, error)) from error


async def execute(tracked: Tracked, checks: Checks) -> AsyncGenerator[Event, None]:
    """Yield what happens to a request that has its approvals."""
    request, clock = tracked.request, checks.clock
    try:
        entry = checks.catalogue.entry(request.action)
        preview = await previewed(entry, request.call)
    except ConnectorError as error:
        yield WentStale(request=request.id, why=f"it cannot be previewed any more: {error}")
        return
    why = _changed(request, entry, preview) or await checks.wider(request)
    if why is not None:
        yield WentStale(request=request.id, why=why)
        return
    case = Case(
        spec=entry.spec,
        preview=preview,
        at=clock.now(),
        repeated=checks.recent(request.target, clock.now()),
        reason=bool(request.reason.strip()),
        break_glass=request.break_glass,
    )
    decided = checks.judge.ask(case, stage=START, request=request.id)
    yield decided
    # Those whom the request showed have to be right, and those whom the policy names now as well.
    groups = {request.mandate.group, decided.group or request.mandate.group}
    valid, lost = await _still_valid(tracked, checks.approvers, groups)
    why = may_start(tracked, valid, decided, clock.now()) or frozen(checks.desk())
    why = why or taken(checks.busy(request.incident), request.target)
    if why is not None:
        yield WentStale(request=request.id, why="; ".join([why, *lost]))
        return
    if checks.objected(request.id):
        return  # a no that came in the same moment is heard first
    yield ActionStarted(request=request.id, digest=request.digest, at=clock.now())
    yield await _do(request, entry, checks)


async def _do(request: ActionRequest, entry: Entry, checks: Checks) -> Event:
    # Once more, for what happened while the intent was written down.
    said_no = "somebody said no" if checks.objected(request.id) else None
    why = frozen(checks.desk()) or checks.ours() or said_no
    why = why or taken(checks.busy(request.incident), request.target)
    if why is not None:
        return ActionFailed(request=request.id, why=why)
    try:
        outcome = await entry.actuator.run(request.call, request.id)
    except (Rejected, Forbidden) as error:
        return ActionFailed(request=request.id, why=str(error))
    except ConnectorError as error:
        return ActionUnknown(request=request.id, why=str(error))
    except Exception as error:  # noqa: BLE001 — an actuator may be anybody's, and people wait
        return ActionUnknown(request=request.id, why=_odd(entry, error))
    return ActionFinished(
        request=request.id, at=checks.clock.now(), summary=outcome.summary, ref=outcome.ref
    )


def _odd(entry: Entry, error: Exception) -> str:
    """Return what people are told of a failure that nobody foresaw; the log gets all of it."""
    name = entry.actuator.name
    _log.critical("%s failed in a way that it should not", name, exc_info=error)
    return f"{name} failed: {type(error).__name__}; the log says more"


async def find_out(
    tracked: Tracked, *, catalogue: Catalogue, clock: Clock, grace: timedelta
) -> AsyncGenerator[Event, None]:
    """Yield whether a request that was started was done: by looking only.

    What is found is so. What is not found counts as not done only `grace` after the start: until
    then whatever stands before the target may have kept the order for later.
    """
    request = tracked.request
    if tracked.why is None:
        yield ActionUnknown(request=request.id, why=CRASHED)
    try:
        entry = catalogue.entry(request.action)
        outcome = await _asked(entry, partial(entry.actuator.probe, request.id))
    except ConnectorError:
        return  # still unknown: asked again later, and people are told
    if outcome is None:
        if tracked.started is None or clock.now() >= tracked.started + grace:
            yield ActionFailed(request=request.id, why=NOT_DONE)
    else:
        yield ActionFinished(
            request=request.id,
            at=clock.now(),
            summary=outcome.summary,
            ref=outcome.ref,
            how="probe",
        )


async def _still_valid(
    tracked: Tracked, approvers: Approvers, groups: Collection[str | None]
) -> tuple[list[Approval], list[str]]:
    """Return the approvals of those who may still approve, and why others do not count."""
    valid, lost = [], []
    for approval in tracked.approvals:
        refusals = [
            refusal
            for group in groups
            if (refusal := await approvers.refusal(approval.by, group=group, fresh=True))
        ]
        if refusals:
            why = refusals[0]
            lost.append(f"the approval of {approval.by.name} does not count any more: {why}")
        else:
            valid.append(approval)
    return valid, lost


def _changed(request: ActionRequest, entry: Entry, preview: Preview) -> str | None:
    """Return why what was approved is no longer what would happen, or null."""
    if request.code != entry.code:
        return f"{request.action} itself has changed since this was shown; ask for it again"
    shown = (request.target, request.state, request.summary, request.diff, request.undo)
    now = (preview.target, preview.state, preview.summary, preview.diff, preview.undo)
    if shown != now:
        return f"{request.target} has changed since this was shown; ask for it again"
    if (preview.touches, preview.among) != (request.touches, request.among):
        return (
            f"it would touch {preview.touches} of {preview.among} now, "
            f"and {request.touches} of {request.among} when it was shown; ask for it again"
        )
    if preview.blast != request.blast:
        return "what else feels it has changed since this was shown; ask for it again"
    return None
