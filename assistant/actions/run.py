"""Carry out an approved request: ask everything again, write the intent down, do it once.

Each step is an event that the service writes to the journal before it asks for the next one, so
the intent is on disk before the actuator is called. Whatever cannot be known afterwards is told as
unknown and found out by looking, never by doing it again.
"""

from collections.abc import AsyncIterator, Callable

from assistant.actions.approval import Approvers, may_start
from assistant.actions.catalogue import Catalogue
from assistant.clock import Clock
from assistant.domain.action import ActionRequest, Tracked
from assistant.domain.desk import Desk
from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionStarted,
    ActionUnknown,
    Event,
    WentStale,
)
from connectors.actions import Effect, Preview
from connectors.errors import ConnectorError, Forbidden, Rejected

CRASHED = "firstline was stopped between the start and the end of this action"
NOT_DONE = "it was looked up and did not happen; ask for it again if it is still needed"


async def execute(
    tracked: Tracked,
    *,
    catalogue: Catalogue,
    approvers: Approvers,
    desk: Callable[[], Desk],
    clock: Clock,
) -> AsyncIterator[Event]:
    """Yield what happens to an approved request; `desk` is asked right before the effect."""
    request = tracked.request
    why = await _gone_stale(tracked, catalogue, approvers)
    why = why or may_start(tracked, desk(), clock.now())
    if why is not None:
        yield WentStale(request=request.id, why=why)
        return
    yield ActionStarted(request=request.id, digest=request.digest, at=clock.now())
    try:
        outcome = await catalogue.entry(request.action).actuator.run(request.call, request.id)
    except (Rejected, Forbidden) as error:
        yield ActionFailed(request=request.id, why=str(error))
    except ConnectorError as error:
        yield ActionUnknown(request=request.id, why=str(error))
    else:
        yield ActionFinished(
            request=request.id, at=clock.now(), summary=outcome.summary, ref=outcome.ref
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


async def _gone_stale(tracked: Tracked, catalogue: Catalogue, approvers: Approvers) -> str | None:
    """Return why what was approved is no longer what would happen, or null."""
    request = tracked.request
    for approval in tracked.approvals if request.effect == Effect.MUTATE else ():
        refusal = await approvers.refusal(approval.by, fresh=True)
        if refusal is not None:
            return f"the approval of {approval.by.name} does not count any more: {refusal}"
    try:
        entry = catalogue.entry(request.action)
        preview = await entry.actuator.preview(request.call)
    except ConnectorError as error:
        return f"it cannot be previewed any more: {error}"
    if not _as_shown(request, preview):
        return f"{request.target} has changed since this was shown; ask for it again"
    return None


def _as_shown(request: ActionRequest, preview: Preview) -> bool:
    shown = (request.target, request.state, request.summary, request.diff, request.undo)
    return shown == (preview.target, preview.state, preview.summary, preview.diff, preview.undo)
