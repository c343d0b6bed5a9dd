"""An action that somebody asked for: exactly what was shown, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from assistant.domain.canonical import Value, digest
from assistant.domain.people import Actor
from assistant.domain.recovery import Recovery
from connectors.actions import ActionCall, ArgValue


class Status(StrEnum):
    """Where a request stands; from STARTED on the world may have been changed."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    STALE = "stale"  # the target, the approvers or a freeze changed before it could run
    STARTED = "started"
    UNKNOWN = "unknown"  # nobody knows whether it was done
    FAILED = "failed"  # it is known that it was not done
    FINISHED = "finished"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What the policy wanted when the request was made: so many yeses from members of a group.

    `policy` is the SHA-256 of the policy and `rule` the name of the rule that decided; a null
    `group` means the team's approvers.
    """

    policy: str
    rule: str
    approvals: int
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """One call as it was previewed; approvals bind to its `digest`.

    `id` is unguessable and is the idempotency key of the run. `args` are validated, sorted by name.
    `target`, `state`, `summary`, `diff`, `blast`, `touches`, `among` and `undo` are the preview's.
    `code` is the SHA-256 of the action itself, and `break_glass` tells that it was asked for as an
    emergency. `step` is the place in the plan (from 0) and `undo_of` the request that this one
    takes back, where there are any. `audience` says who could read along where it was asked for
    (`assistant.actions.audience`), empty where nobody knows.
    """

    id: str
    incident: str
    actuator: str
    action: str
    args: tuple[tuple[str, ArgValue], ...]
    effect: str
    risk: str
    demo: bool
    target: str
    state: str
    summary: str
    diff: tuple[str, ...]
    blast: str
    touches: int
    among: int
    undo: ActionCall | None
    requested_by: Actor
    reason: str
    mandate: Mandate
    code: str
    break_glass: bool
    runbook: str | None
    step: int | None
    undo_of: str | None
    created: datetime
    expires: datetime
    audience: str = ""

    @property
    def call(self) -> ActionCall:
        return ActionCall(action=self.action, args=dict(self.args))

    @property
    def target_name(self) -> str:
        """The target's name without its kind: what is typed to approve something of high risk."""
        return self.target.partition("/")[2] or self.target

    @property
    def digest(self) -> str:
        """The SHA-256 over everything that an approver is shown, and who asks for it."""
        undo: Value = None
        if self.undo is not None:
            undo = {"action": self.undo.action, "args": dict(self.undo.args)}
        # A request of before audiences were looked at keeps the digest that it has.
        audience: dict[str, Value] = {"audience": self.audience} if self.audience else {}
        return digest(
            {
                **audience,
                "id": self.id,
                "incident": self.incident,
                "actuator": self.actuator,
                "action": self.action,
                "args": dict(self.args),
                "effect": self.effect,
                "risk": self.risk,
                "target": self.target,
                "state": self.state,
                "summary": self.summary,
                "diff": list(self.diff),
                "blast": self.blast,
                "touches": [self.touches, self.among],
                "undo": undo,
                "requested_by": [self.requested_by.team, self.requested_by.id],
                "undo_of": self.undo_of,
                "code": self.code,
                "break_glass": self.break_glass,
                "mandate": [
                    self.mandate.policy,
                    self.mandate.rule,
                    self.mandate.approvals,
                    self.mandate.group,
                ],
                "expires": self.expires.isoformat(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's yes to one digest."""

    digest: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A request and what became of it. `why` says it in a sentence where it went no further."""

    request: ActionRequest
    status: Status = Status.PENDING
    approvals: tuple[Approval, ...] = ()
    why: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    outcome: str | None = None
    ref: str | None = None
    recovery: Recovery | None = None
