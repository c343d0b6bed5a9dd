"""A request for an action on the hand-written incident, and what may become of it."""

from datetime import timedelta

from written import NOON

from assistant.domain.action import ActionRequest, Approval, Mandate
from assistant.domain.events import (
    ActionFinished,
    ActionRequested,
    ActionStarted,
    Approved,
    Verified,
)
from assistant.domain.people import Actor, ActorKind
from assistant.domain.recovery import Effect, Measure, Recovery
from connectors.actions import ActionCall

ANA = Actor(kind=ActorKind.HUMAN, id="U-ana", name="ana", team="T1")
BEN = Actor(kind=ActorKind.HUMAN, id="U-ben", name="ben", team="T1")


def request(**more):
    fields = {
        "id": "r-1",
        "incident": "INC-1",
        "actuator": "orchestrator",
        "action": "rollback",
        "args": (("service", "ledger"), ("version", "v1")),
        "effect": "mutate",
        "risk": "medium",
        "demo": False,
        "target": "service/ledger",
        "state": "v2",
        "summary": "Roll ledger back from v2 to v1.",
        "diff": ("- version v2", "+ version v1"),
        "blast": "one instance restarts",
        "touches": 1,
        "among": 2,
        "undo": ActionCall(action="rollout", args={"service": "ledger", "version": "v2"}),
        "requested_by": ANA,
        "reason": "E1",
        "mandate": Mandate(policy="p" * 64, rule="change", approvals=1),
        "code": "c" * 64,
        "break_glass": False,
        "runbook": "exception-in-new-release",
        "step": 1,
        "undo_of": None,
        "created": NOON,
        "expires": NOON + timedelta(minutes=15),
    }
    return ActionRequest(**{**fields, **more})


REQUEST = request()
ASKED = ActionRequested(request=REQUEST, digest=REQUEST.digest)


def recovery(effect=Effect.RECOVERED):
    return Recovery(
        effect=effect,
        why="errors of ledger are as before",
        measures=(
            Measure(
                evidence="E1",
                what="errors of ledger",
                unit="share",
                before=0.0,
                during=0.3,
                after=0.004,
                n_after=220,
            ),
        ),
        seconds=42.0,
    )


def started(wanted):
    """Return the events of a request up to its start."""
    at, digest = NOON + timedelta(minutes=2), wanted.digest
    return (
        ActionRequested(request=wanted, digest=digest),
        Approved(request=wanted.id, approval=Approval(digest=digest, by=BEN, at=at)),
        ActionStarted(request=wanted.id, digest=digest, at=at),
    )


def done(effect=Effect.RECOVERED):
    """Return the events from the question to the judgement."""
    return (
        *started(REQUEST),
        ActionFinished(
            request="r-1", at=NOON + timedelta(minutes=3), summary="ledger runs v1", ref="v1"
        ),
        Verified(request="r-1", recovery=recovery(effect)),
    )
