"""Carry out an approved request: ask everything again, write the intent down, do it once.

Each step is an event that the service writes to the journal before it asks for the next one, so
the intent is on disk before the actuator is called. Whatever cannot be known afterwards is told as
unknown and found out by looking, never by doing it again.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from assistant.actions.approval import Approvers, frozen, may_start
from assistant.actions.catalogue import Catalogue, Entry
from assistant.actions.judge import START, Case, Judge
from assistant.clock import Clock
from assistant.domain.action import ActionRequest, Approval, Tracked
from assistant.domain.desk import Desk
from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionStarted,
    ActionUnknown,
    Event,
    WentStale,
)
from connectors.actions import Preview
from connectors.errors import ConnectorError, Forbidden, Rejected

CRASHED = "firstline was stopped between the start and the end of this action"
NOT_DONE = "it was looked up and did not happen; ask for it again if it is still needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is asked before anything is done.

    `desk` tells of a freeze, `objected` whether somebody has said no to a request and waits to be
    heard, `recent` how many actions were started on a target since a moment, `ours` why
    this process may do nothing (another one has taken over, a switch is set), or null.
    """

    catalogue: Catalogue
    approvers: Approvers
    judge: Judge
    desk: Callable[[], Desk]
    objected: Callable[[str], bool]
    ours: Callable[[], str | None]
    recent: Callable[[str, datetime], int]
    clock: Clock


async def execute(tracked: Tracked, checks: Checks) -> AsyncIterator[Event]:
    """Yield what happens to a request that has its approvals."""
    request, clock = tracked.request, checks.clock
    try:
        entry = checks.catalogue.entry(request.action)
        preview = await entry.actuator.preview(request.call)
    except ConnectorError as error:
        yield WentStale(request=request.id, why=f"it cannot be previewed any more: {error}")
        return
    if (why := _changed(request, entry, preview)) is not None:
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
    valid, lost = await _still_valid(tracked, checks.approvers, decided.group)
    why = may_start(tracked, valid, decided, clock.now()) or frozen(checks.desk())
    if why is not None:
        yield WentStale(request=request.id, why="; ".join([why, *lost]))
        return
    if checks.objected(request.id):
        return  # a no that came in the same moment is heard first
    yield ActionStarted(request=request.id, digest=request.digest, at=clock.now())
    yield await _do(request, entry, checks)


async def _do(request: ActionRequest, entry: Entry, checks: Checks) -> Event:
    why = frozen(checks.desk()) or checks.ours()  # while the intent was written down
    if why is not None:
        return ActionFailed(request=request.id, why=why)
    try:
        outcome = await entry.actuator.run(request.call, request.id)
    except (Rejected, Forbidden) as error:
        return ActionFailed(request=request.id, why=str(error))
    except ConnectorError as error:
        return ActionUnknown(request=request.id, why=str(error))
    return ActionFinished(
        request=request.id, at=checks.clock.now(), summary=outcome.summary, ref=outcome.ref
    )


async def find_out(tracked: Tracked, *, catalogue: Catalogue, clock: Clock) -> AsyncIterator[Event]:
    """Yield whether a request that was started was done: by looking only."""
    request = tracked.request
    if tracked.why is None:
        yield ActionUnknown(request=request.id, why=CRASHED)
    try:
        outcome = await catalogue.entry(request.action).actuator.probe(request.id)
    except ConnectorError:
        return  # still unknown: asked again at the next start, and people are told
    if outcome is None:
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
    tracked: Tracked, approvers: Approvers, group: str | None
) -> tuple[list[Approval], list[str]]:
    """Return the approvals of those who may still approve, and why others do not count."""
    valid, lost = [], []
    for approval in tracked.approvals:
        refusal = await approvers.refusal(approval.by, group=group, fresh=True)
        if refusal is None:
            valid.append(approval)
        else:
            lost.append(f"the approval of {approval.by.name} does not count any more: {refusal}")
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
    return None
