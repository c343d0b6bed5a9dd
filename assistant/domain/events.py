"""Everything that can happen to an incident, in the words of the past.

The state of an incident is a fold of these (`assistant.domain.incident`).
"""

from dataclasses import dataclass
from datetime import datetime

from assistant.domain.action import ActionRequest, Approval
from assistant.domain.amends import Redacted, RestoreAccepted
from assistant.domain.brake import Frozen, Thawed
from assistant.domain.hypothesis import Finding
from assistant.domain.judgement import CauseCorrected, Rated
from assistant.domain.memory import Draft, SimilarIncident
from assistant.domain.people import Actor
from assistant.domain.plan import RemediationPlan
from assistant.domain.recovery import Recovery
from assistant.domain.shown import Moved, PostmortemShared
from assistant.domain.steering import Steering


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Somebody, or an alert, asked. `horizon` ends what may be seen (null: now)."""

    at: datetime
    text: str
    service: str | None
    horizon: datetime | None = None
    source: str = "question"  # question, alert, slack (an alert that was read there)
    fingerprint: str | None = None  # the alert's
    place: str | None = None  # the surface's word for where to show it
    key: str | None = None  # of the telling; older journals have none
    since: datetime | None = None  # when it began, where the question says that


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeSet:
    """The window that is looked at (its end is the horizon of the answer)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPerformed:
    """A source answered one ask: `rows` in `seconds`; `query` is what was really asked."""

    source: str
    capability: str
    rows: int
    seconds: float
    complete: bool
    query: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailed:
    """A source did not answer: it was not looked at."""

    source: str
    capability: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesesRanked:
    """The engine's answer, with its evidence."""

    finding: Finding
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProposed:
    """A runbook fits; these are its steps for this incident."""

    plan: RemediationPlan
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFailed:
    """Runbooks could not be looked up."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """Memory was asked; `similar` is empty where nothing like it was seen before."""

    similar: tuple[SimilarIncident, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertJoined:
    """One more alert about the same trouble."""

    at: datetime
    text: str
    service: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResolved:
    """The monitor that had raised the alert is content again."""

    at: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """Somebody said what to consider; `steering` is the sum so far."""

    by: Actor
    text: str
    steering: Steering


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Somebody stopped what was under way; nothing goes on until a person wants it to."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WentOn:
    """Somebody wants what was stopped to go on."""

    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedInto:
    """Somebody said that this is part of another incident; it is followed there."""

    by: Actor
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorbed:
    """Another incident was merged into this one."""

    by: Actor
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff:
    """Somebody said that something is a matter of its own; `other` follows it."""

    by: Actor
    other: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequested:
    """Somebody asked for an action; this is what approvers are shown."""

    request: ActionRequest
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecided:
    """The policy was asked about an action: when somebody wanted it, and right before its start.

    `decision` is allow, approval or deny, by `rule` of the policy with the SHA-256 `policy` (empty
    where it could not be read), on facts with the SHA-256 `facts`. `request` is null where none was
    made yet.
    """

    stage: str
    action: str
    target: str
    decision: str
    rule: str | None
    why: str
    needed: int
    group: str | None
    policy: str
    facts: str
    failed: bool
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Somebody said yes to exactly this digest."""

    request: str
    approval: Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Somebody said no; one no ends it."""

    request: str
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Somebody tried what they may not do; nothing came of it."""

    by: Actor
    tried: str
    why: str
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Nobody decided in time."""

    request: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WentStale:
    """What was approved is no longer what would happen; it was not started."""

    request: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStarted:
    """The intent, on disk before anything is done."""

    request: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFinished:
    """It was done. `how` is run, or probe where it was found out after a crash."""

    request: str
    at: datetime
    summary: str
    ref: str | None
    how: str = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFailed:
    """It is known that it was not done."""

    request: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionUnknown:
    """Nobody knows whether it was done; it is never run again by itself."""

    request: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The evidence was measured again after an action."""

    request: str
    recovery: Recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Somebody said that it is over."""

    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """It was not over."""

    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemWritten:
    """The account of the incident, made from the journal alone."""

    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookDrafted:
    """A runbook was made from the postmortem; it waits for a person."""

    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookAccepted:
    """Somebody accepted exactly this draft."""

    digest: str
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookRejected:
    """Somebody does not want this draft."""

    digest: str
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The incident, and its runbook where one was accepted, can now be found."""

    runbook: str | None


Event = (
    Opened
    | ScopeSet
    | ReadPerformed
    | ReadFailed
    | HypothesesRanked
    | Recalled
    | PlanProposed
    | RecallFailed
    | AlertJoined
    | AlertResolved
    | Steered
    | Stopped
    | WentOn
    | Moved
    | CauseCorrected
    | Rated
    | MergedInto
    | Absorbed
    | SplitOff
    | PolicyDecided
    | ActionRequested
    | Approved
    | Denied
    | Refused
    | Expired
    | WentStale
    | ActionStarted
    | ActionFinished
    | ActionFailed
    | ActionUnknown
    | Verified
    | Frozen
    | Thawed
    | RestoreAccepted
    | Redacted
    | Closed
    | Reopened
    | PostmortemWritten
    | PostmortemShared
    | RunbookDrafted
    | RunbookAccepted
    | RunbookRejected
    | Remembered
)
