"""What a record says, as one plain sentence: for the audit trail and for the postmortem.

Sentences are one line and printable, whatever people, alerts and sources have written.
"""

from typing import assert_never

from assistant.domain.amends import Redacted, RestoreAccepted
from assistant.domain.brake import Frozen, Thawed
from assistant.domain.events import (
    Absorbed,
    ActionFailed,
    ActionFinished,
    ActionRequested,
    ActionStarted,
    ActionUnknown,
    AlertJoined,
    AlertResolved,
    Approved,
    Closed,
    Denied,
    Event,
    Expired,
    HypothesesRanked,
    MergedInto,
    Opened,
    PlanProposed,
    PolicyDecided,
    PostmortemWritten,
    ReadFailed,
    ReadPerformed,
    Recalled,
    RecallFailed,
    Refused,
    Remembered,
    Reopened,
    RunbookAccepted,
    RunbookDrafted,
    RunbookRejected,
    ScopeSet,
    SplitOff,
    Steered,
    Stopped,
    Verified,
    WentOn,
    WentStale,
)
from assistant.domain.hypothesis import Finding, Verdict
from assistant.domain.judgement import CauseCorrected, Rated
from assistant.domain.record import Record
from assistant.domain.shown import Moved, PostmortemShared

Looked = (
    ScopeSet
    | ReadPerformed
    | ReadFailed
    | HypothesesRanked
    | Recalled
    | PlanProposed
    | RecallFailed
)
Heard = Opened | AlertJoined | AlertResolved | Moved | MergedInto | Absorbed | SplitOff
Told = Steered | Stopped | WentOn | CauseCorrected | Rated | Refused
Decided = (
    PolicyDecided
    | ActionRequested
    | Approved
    | Denied
    | Expired
    | WentStale
    | Frozen
    | Thawed
    | RestoreAccepted
    | Redacted
)
Done = ActionStarted | ActionFinished | ActionFailed | ActionUnknown | Verified
Ended = (
    Closed
    | Reopened
    | PostmortemWritten
    | PostmortemShared
    | RunbookDrafted
    | RunbookAccepted
    | RunbookRejected
    | Remembered
)
SHORT = 8  # characters of an id or a digest that are enough to recognise it
CUT = 240


def sentence(record: Record) -> str:
    """Return what happened; who did it is named where it was a person's doing."""
    line = printable(_said(record.event, record.actor.name))
    return line if len(line) <= CUT else f"{line[: CUT - 1]}…"


def printable(text: str) -> str:
    """Return a text on one line, without what could steer a terminal."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def _said(event: Event, who: str) -> str:
    if isinstance(event, Looked):
        return _looked(event)
    if isinstance(event, Heard):
        return _heard(event, who)
    if isinstance(event, Told):
        return _told(event)
    if isinstance(event, Decided):
        return _decided(event)
    if isinstance(event, Done):
        return _done(event)
    return _ended(event)


def _looked(event: Looked) -> str:
    match event:
        case ScopeSet(start=start, end=end):
            return f"looked at {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}"
        case ReadPerformed():
            cut = "" if event.complete else ", not all there is"
            return (
                f"{event.source} answered {event.capability}: {event.rows} rows "
                f"in {event.seconds:.1f} s{cut}"
            )
        case ReadFailed():
            return f"{event.source} {event.capability} were not looked at: {event.reason}"
        case HypothesesRanked(finding=finding):
            return _concluded(finding)
        case Recalled(similar=()):
            return "nothing like it was seen before"
        case Recalled(similar=similar):
            return f"it is like {', '.join(s.incident for s in similar)}"
        case PlanProposed(plan=plan):
            return f"the runbook {plan.runbook} fits ({plan.match:.0%})"
        case RecallFailed(reason=reason):
            return f"runbooks were not looked at: {reason}"
        case _:
            assert_never(event)


def _concluded(finding: Finding) -> str:
    if not finding.hypotheses or finding.verdict in {Verdict.NOT_DETERMINED, Verdict.HEALTHY}:
        return f"{finding.verdict.replace('_', ' ')}: {finding.why_verdict}"
    first = finding.hypotheses[0]
    change = f", after {finding.change.ref}" if finding.change else ""
    cause = first.cause.replace("_", " ")
    return f"{finding.verdict} cause: {cause} in {first.service} ({first.confidence:.0%}){change}"


def _heard(event: Heard, who: str) -> str:
    match event:
        case Opened():
            return f"{who} asked: {event.text}"
        case AlertJoined(text=text):
            return f"one more alert: {text}"
        case AlertResolved(fingerprint=fingerprint):
            return f"the monitor of alert {fingerprint} is content again"
        case Moved(by=by, shown=shown):
            return f"{by.name} moved it to {shown}"
        case MergedInto(by=by, other=other):
            return f"{by.name} merged it into {other}"
        case Absorbed(by=by, other=other):
            return f"{by.name} merged {other} into it"
        case SplitOff(by=by, other=other, text=text):
            return f"{by.name} split off {other}: {text}"
        case _:
            assert_never(event)


def _told(event: Told) -> str:
    match event:
        case Steered(by=by, text=text):
            return f"{by.name} said: {text}"
        case Stopped(by=by):
            return f"{by.name} stopped what was under way"
        case WentOn(by=by):
            return f"{by.name} let it go on"
        case CauseCorrected(by=by):
            return f"{by.name} said what it was: {event.told}"
        case Rated(by=by, good=good):
            return f"{by.name} said that the answer was {'right' if good else 'wrong'}"
        case Refused(by=by, tried=tried, why=why):
            return f"{by.name} tried to {tried} and was refused: {why}"
        case _:
            assert_never(event)


def _decided(event: Decided) -> str:
    match event:
        case PolicyDecided(action=action, target=target, decision=decision, why=why):
            return f"the policy says {decision} to {action} on {target}: {why}"
        case ActionRequested(request=request):
            return (
                f"{request.requested_by.name} asked for {request.action} on {request.target} "
                f"(request {request.id[:SHORT]}): {request.summary}"
            )
        case Approved(request=request, approval=approval):
            return f"{approval.by.name} approved request {request[:SHORT]} as it was shown"
        case Denied(request=request, by=by, reason=reason):
            return f"{by.name} denied request {request[:SHORT]}{_because(reason)}"
        case Expired(request=request):
            return f"nobody decided on request {request[:SHORT]} in time"
        case WentStale(request=request, why=why):
            return f"request {request[:SHORT]} is no longer what was shown: {why}"
        case Frozen(by=by, reason=reason):
            return f"{by.name} froze all actions{_because(reason)}"
        case Thawed(by=by):
            return f"{by.name} lifted the freeze"
        case RestoreAccepted(by=by, reason=reason, size=size):
            return f"{by.name} gave up a journal of {size} records for this one{_because(reason)}"
        case Redacted(by=by, reason=reason, incident=incident, seqs=seqs):
            return f"{by.name} redacted the {len(seqs)} records of {incident}{_because(reason)}"
        case _:
            assert_never(event)


def _done(event: Done) -> str:
    name = event.request[:SHORT]
    match event:
        case ActionStarted(digest=digest):
            return f"the action of request {name} was started as approved ({digest[:SHORT]})"
        case ActionFinished(summary=summary, how="run"):
            return f"the action of request {name} was done: {summary}"
        case ActionFinished(summary=summary):
            return f"the action of request {name} turned out to have been done: {summary}"
        case ActionFailed(why=why):
            return f"the action of request {name} was not done: {why}"
        case ActionUnknown(why=why):
            return f"nobody knows whether the action of request {name} was done: {why}"
        case Verified(recovery=recovery):
            effect = recovery.effect.replace("_", " ")
            return f"measured again after request {name}: {effect}, {recovery.why}"
        case _:
            assert_never(event)


def _ended(event: Ended) -> str:
    match event:
        case Closed(by=by, reason=reason):
            return f"{by.name} closed it{_because(reason)}"
        case Reopened(by=by, reason=reason):
            return f"{by.name} opened it again{_because(reason)}"
        case PostmortemWritten():
            return "the postmortem was written"
        case PostmortemShared(by=by, left_out=()):
            return f"{by.name} posted the postmortem"
        case PostmortemShared(by=by, left_out=left_out):
            return f"{by.name} posted the postmortem without {len(left_out)} lines of its timeline"
        case RunbookDrafted(draft=draft):
            return f"a runbook was drafted: {draft.runbook} ({draft.digest[:SHORT]})"
        case RunbookAccepted(by=by, digest=digest):
            return f"{by.name} accepted the runbook {digest[:SHORT]}"
        case RunbookRejected(by=by, digest=digest, reason=reason):
            return f"{by.name} rejected the runbook {digest[:SHORT]}{_because(reason)}"
        case Remembered(runbook=None):
            return "it can be found from now on"
        case Remembered(runbook=runbook):
            return f"it can be found from now on, with the runbook {runbook}"
        case _:
            assert_never(event)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
