"""Who may decide: pure rules over a request, the person, and what the approvers' port says.

Policy says how many other people have to say yes. Whatever it says, nobody approves what they asked
for, one no ends a request, and a freeze stops everything. The rules are asked when somebody clicks
and again right before the effect.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from assistant.domain.action import ActionRequest, Approval, Status, Tracked
from assistant.domain.desk import Desk
from assistant.domain.events import PolicyDecided
from assistant.domain.people import Actor, ActorKind
from assistant.policy.decide import Kind
from connectors.actions import Risk

# What was approved is started at once or not at all: nobody remembers an older yes.
TO_START = timedelta(minutes=10)

MOST_OF_ONE, MOST_IN_ONE = 5, 10  # requests that wait at a time
# What is read in passing: characters of one text, lines, and characters in all, written as JSON.
LINE, LINES, ALL = 500, 40, 4_000


class Approvers(Protocol):
    """Whom the team trusts to approve; asked again right before an action starts."""

    async def refusal(
        self, actor: Actor, *, group: str | None = None, fresh: bool = False
    ) -> str | None:
        """Return why this person may not approve, or null; it fails closed.

        `group` is the user group that a rule names, null the usual one; `fresh` forbids an answer
        from memory.
        """
        ...


def lapsed(request: ActionRequest, now: datetime) -> bool:
    """Tell whether a request's time is over.

    Where the clock was set back to before the request was made, nobody knows how old it is.
    """
    return not request.created <= now < request.expires


def may_ask(actor: Actor, desk: Desk, *, demo: bool) -> str | None:
    """Return why this person may not ask for an action, or null."""
    if actor.kind is not ActorKind.HUMAN:
        return "only a person can ask for an action"
    if actor.simulated and not demo:
        return "the people of the local page may act on demo systems only"
    return frozen(desk)


def crowded(waiting: Sequence[ActionRequest], actor: Actor, incident: str) -> str | None:
    """Return why nobody should have to decide on one more request, or null.

    `waiting` are all that wait for a decision. Who gets many at once reads none of them.
    """
    mine = sum(request.requested_by.same_person(actor) for request in waiting)
    here = sum(request.incident == incident for request in waiting)
    if mine >= MOST_OF_ONE:
        return f"{mine} of your requests wait for a decision already; have them decided first"
    if here >= MOST_IN_ONE:
        return f"{here} requests of this incident wait for a decision already"
    return None


def may_decide(tracked: Tracked, actor: Actor, digest: str, now: datetime) -> str | None:
    """Return why this person cannot approve this request now, or null."""
    request = tracked.request
    if actor.kind is not ActorKind.HUMAN:
        return "only a person can approve"
    if actor.simulated and not request.demo:
        return "the people of the local page may act on demo systems only"
    if tracked.status not in (Status.PENDING, Status.APPROVED):
        return f"this request is {tracked.status.value} already; nothing was done by your click"
    if lapsed(request, now):
        return "this request has expired; ask for it again"
    if digest != request.digest:
        return "what you approved is not what the request says; look at it again"
    if actor.same_person(request.requested_by):
        return "you asked for it yourself; another person has to approve it"
    if any(actor.same_person(approval.by) for approval in tracked.approvals):
        return "you have approved it already"
    return None


def careful(request: ActionRequest) -> bool:
    """Tell whether a request takes more than a click.

    That is so where its risk is high, or nobody knows it, and where it is long.
    """
    return _risky(request) or large(request)


def large(request: ActionRequest) -> bool:
    """Tell whether a request is longer than what can be shown whole in passing."""
    undo = [request.undo.action, dict(request.undo.args)] if request.undo else []
    calls = (json.dumps([request.action, dict(request.args)]), json.dumps(undo))
    texts = (request.summary, request.target, request.blast, *calls, *request.diff)
    sizes = [len(json.dumps(text, ensure_ascii=False)) for text in texts]
    return max(sizes) > LINE or sum(sizes) > ALL or len(request.diff) > LINES


def _risky(request: ActionRequest) -> bool:
    return request.risk not in (Risk.LOW, Risk.MEDIUM)


def unread(request: ActionRequest, typed: str) -> str | None:
    """Return why a yes may have been said without reading what to, or null."""
    if not careful(request) or typed.strip() == request.target_name:
        return None
    what = f"its risk is {request.risk}" if _risky(request) else "it is long, to be read whole"
    return f"{what}: type {request.target_name}, the name of its target"


def may_start(
    tracked: Tracked, valid: Sequence[Approval], decided: PolicyDecided, now: datetime
) -> str | None:
    """Return why a request must not start, or null.

    `valid` are the approvals by people who may still approve, `decided` what the policy says now.
    """
    request = tracked.request
    if lapsed(request, now):
        return "the approval has expired"
    if decided.decision == Kind.DENY:
        return f"the policy does not allow it: {decided.why}"
    needed = max(decided.needed, request.mandate.approvals)
    if decided.decision == Kind.ALLOW and needed == 0:
        return None
    counted = _people([a for a in valid if a.digest == request.digest], request.requested_by)
    if len(counted) < max(1, needed):
        return f"{len(counted)} of {needed} approvals count"
    if now - max(a.at for a in counted) > TO_START:
        return "it was approved too long ago; ask for it again"
    return None


def _people(approvals: Sequence[Approval], asked: Actor) -> list[Approval]:
    """Return one approval a person, without whoever asked."""
    counted: list[Approval] = []
    for approval in approvals:
        same = any(approval.by.same_person(other.by) for other in counted)
        if not same and not approval.by.same_person(asked):
            counted.append(approval)
    return counted


def frozen(desk: Desk) -> str | None:
    """Return why nothing may be started, or null."""
    if desk.frozen is None:
        return None
    reason = f" ({desk.frozen.reason})" if desk.frozen.reason else ""
    return f"actions are frozen by {desk.frozen.by.name}{reason}; thaw them first"
