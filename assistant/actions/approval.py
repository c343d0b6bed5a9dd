"""Who may decide: pure rules over a request, the person, and what the approvers' port says.

A request that changes something needs one approval by another person who may approve; one no ends
it; a freeze stops everything. The rules are asked when somebody clicks and again right before the
effect.
"""

from datetime import datetime
from typing import Protocol

from assistant.domain.action import Status, Tracked
from assistant.domain.desk import Desk
from assistant.domain.people import Actor, ActorKind

NEEDED = 1


class Approvers(Protocol):
    """Whom the team trusts to approve; asked again right before an action starts."""

    async def refusal(self, actor: Actor, *, fresh: bool = False) -> str | None:
        """Return why this person may not approve, or null; it fails closed.

        `fresh` forbids an answer from memory.
        """
        ...


def may_ask(actor: Actor, desk: Desk, *, demo: bool) -> str | None:
    """Return why this person may not ask for an action, or null."""
    if actor.kind is not ActorKind.HUMAN:
        return "only a person can ask for an action"
    if actor.simulated and not demo:
        return "the people of the local page may act on demo systems only"
    return _frozen(desk)


def may_decide(tracked: Tracked, actor: Actor, digest: str, now: datetime) -> str | None:
    """Return why this person cannot approve this request now, or null."""
    request = tracked.request
    if actor.kind is not ActorKind.HUMAN:
        return "only a person can approve"
    if actor.simulated and not request.demo:
        return "the people of the local page may act on demo systems only"
    if tracked.status not in (Status.PENDING, Status.APPROVED):
        return f"this request is {tracked.status.value} already; nothing was done by your click"
    if now >= request.expires:
        return "this request has expired; ask for it again"
    if digest != request.digest:
        return "what you approved is not what the request says; look at it again"
    if actor.same_person(request.requested_by):
        return "you asked for it yourself; another person has to approve it"
    if any(actor.same_person(approval.by) for approval in tracked.approvals):
        return "you have approved it already"
    return None


def may_start(tracked: Tracked, desk: Desk, now: datetime) -> str | None:
    """Return why an approved request must not start, or null."""
    request = tracked.request
    if (frozen := _frozen(desk)) is not None:
        return frozen
    if now >= request.expires:
        return "the approval has expired"
    valid = [a for a in tracked.approvals if a.digest == request.digest]
    if len({(a.by.team, a.by.id) for a in valid}) < NEEDED:
        return "it is not approved"
    return None


def _frozen(desk: Desk) -> str | None:
    if desk.frozen is None:
        return None
    reason = f" ({desk.frozen.reason})" if desk.frozen.reason else ""
    return f"actions are frozen by {desk.frozen.by.name}{reason}; thaw them first"
