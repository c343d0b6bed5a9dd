"""The state of an incident: a pure fold of its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import assert_never

from assistant.domain.action import Status, Tracked
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
from assistant.domain.hypothesis import Finding
from assistant.domain.judgement import CauseCorrected, Rated
from assistant.domain.memory import Draft, SimilarIncident
from assistant.domain.plan import RemediationPlan
from assistant.domain.recovery import Effect
from assistant.domain.requests import IllegalEvent, track
from assistant.domain.shown import Moved, PostmortemShared
from assistant.domain.steering import Steering

__all__ = ["IllegalEvent", "Incident", "apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is known so far; what is not known yet is null or empty.

    `asked_anew` is true while something was said that the finding does not consider yet. While it
    is `stopped`, nothing is begun until a person steers it or lets it go on. Of the `corrections`
    the last counts; `ratings` tell by person whether the answer was right.
    """

    opened: Opened
    window: tuple[datetime, datetime] | None = None
    reads: tuple[ReadPerformed | ReadFailed, ...] = ()
    finding: Finding | None = None
    analysis_seconds: float = 0.0
    steering: Steering = field(default_factory=Steering)
    asked_anew: bool = False
    recalled: bool = False
    similar: tuple[SimilarIncident, ...] = ()
    plan: RemediationPlan | None = None
    recall_seconds: float = 0.0
    recall_failure: str | None = None
    fingerprints: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    requests: Mapping[str, Tracked] = field(default_factory=dict)
    moved: Moved | None = None
    merged_into: str | None = None
    closed: Closed | None = None
    postmortem: str | None = None
    shared: tuple[PostmortemShared, ...] = ()
    draft: Draft | None = None
    draft_decided: bool | None = None
    remembered: bool = False
    stopped: Stopped | None = None
    corrections: tuple[CauseCorrected, ...] = ()
    ratings: Mapping[str, bool] = field(default_factory=dict)

    @property
    def gaps(self) -> tuple[str, ...]:
        """Return, as sentences, everything that could not be seen."""
        failed = [
            f"{r.source} {r.capability} were not looked at: {r.reason}"
            for r in self.reads
            if isinstance(r, ReadFailed)
        ]
        if self.recall_failure:
            failed.append(f"runbooks were not looked at: {self.recall_failure}")
        return tuple(dict.fromkeys([*(self.finding.gaps if self.finding else ()), *failed]))

    @property
    def open(self) -> bool:
        """Tell whether people still work on it."""
        return self.closed is None and self.merged_into is None

    @property
    def over(self) -> bool:
        """Tell whether it has ended, is remembered, and no draft waits for a person."""
        waits = self.draft is not None and self.draft_decided is None
        return not self.open and self.remembered and not waits

    @property
    def place(self) -> str | None:
        """Return where it is shown, in the surface's own words; null where nobody asked there."""
        return self.moved.place if self.moved is not None else self.opened.place

    @property
    def resolved_by(self) -> Tracked | None:
        """Return the last action after which the evidence was as before the incident."""
        good = [
            t
            for t in self.requests.values()
            if t.status is Status.VERIFIED and t.recovery and t.recovery.effect is Effect.RECOVERED
        ]
        return good[-1] if good else None


_NAMES = tuple(f.name for f in fields(Incident))
_VALUES = attrgetter(*_NAMES)


def _with(state: Incident, **changes: object) -> Incident:
    """Return `dataclasses.replace(state, **changes)`, three times as fast: it is folding's cost."""
    values = dict(zip(_NAMES, _VALUES(state), strict=True)) | changes
    return Incident(**values)


def apply(state: Incident | None, event: Event) -> Incident:
    """Return the state after an event; raises `IllegalEvent` instead of guessing."""
    if isinstance(event, Opened):
        if state is not None:
            raise IllegalEvent("an incident is opened once")
        known = {event.fingerprint} - {None}
        return Incident(
            opened=event,
            fingerprints=frozenset(str(f) for f in known),
            steering=Steering(since=event.since),
        )
    if state is None:
        raise IllegalEvent("an incident begins with being opened")
    match event:
        case ScopeSet():
            return _with(state, window=(event.start, event.end), reads=())
        case ReadPerformed() | ReadFailed():
            return _with(state, reads=tuple(sorted((*state.reads, event), key=_place)))
        case HypothesesRanked() | Recalled() | PlanProposed() | RecallFailed():
            return _explained(state, event)
        case Steered() | AlertJoined() | AlertResolved() | Stopped() | WentOn():
            return _heard(state, event)
        case Moved() | PostmortemShared():
            return _shown(state, event)
        case CauseCorrected() | Rated():
            return _judged(state, event)
        case (
            ActionRequested()
            | Approved()
            | Denied()
            | Expired()
            | WentStale()
            | ActionStarted()
            | ActionFinished()
            | ActionFailed()
            | ActionUnknown()
            | Verified()
        ):
            return _with(state, requests=track(state.requests, event))
        case Frozen() | Thawed() | RestoreAccepted() | Redacted():
            raise IllegalEvent("it concerns the journal as a whole, not one incident")
        case _:
            return _ended(state, event)


def _place(read: ReadPerformed | ReadFailed) -> tuple[str, str]:
    """Return where a read stands among the others, whoever answered first."""
    return read.source, read.capability


def _explained(
    state: Incident, event: HypothesesRanked | Recalled | PlanProposed | RecallFailed
) -> Incident:
    match event:
        case HypothesesRanked():
            _check_citations(event.finding)
            return _with(
                state,
                finding=event.finding,
                analysis_seconds=event.seconds,
                asked_anew=False,
                recalled=False,
                similar=(),
                plan=None,
                recall_failure=None,
            )
        case Recalled():
            return _with(state, recalled=True, similar=event.similar, recall_seconds=event.seconds)
        case PlanProposed():
            if state.finding is None or not state.finding.hypotheses:
                raise IllegalEvent("a plan needs a hypothesis")
            return _with(state, plan=event.plan, recall_seconds=event.seconds)
        case RecallFailed():
            return _with(state, recalled=True, recall_failure=event.reason)
        case _:
            assert_never(event)


def _heard(
    state: Incident, event: Steered | AlertJoined | AlertResolved | Stopped | WentOn
) -> Incident:
    match event:
        case Steered():
            return _with(state, steering=event.steering, asked_anew=True, stopped=None)
        case AlertJoined(fingerprint=heard):
            known = state.fingerprints | {heard}
            return _with(state, fingerprints=known, silent=state.silent - {heard})
        case AlertResolved(fingerprint=heard):
            return _with(state, silent=state.silent | {heard})
        case Stopped():
            if not state.open or state.stopped is not None:
                raise IllegalEvent("there is nothing to stop")
            return _with(state, stopped=event)
        case WentOn():
            if state.stopped is None:
                raise IllegalEvent("the incident was not stopped")
            return _with(state, stopped=None)
        case _:
            assert_never(event)


def _shown(state: Incident, event: Moved | PostmortemShared) -> Incident:
    if isinstance(event, PostmortemShared):
        return _with(state, shared=(*state.shared, event))
    if state.moved is not None:
        raise IllegalEvent("the incident has a place of its own already")
    return _with(state, moved=event)


def _judged(state: Incident, event: CauseCorrected | Rated) -> Incident:
    if state.finding is None:
        raise IllegalEvent("there is no answer that could be judged")
    if isinstance(event, Rated):
        person = f"{event.by.team}/{event.by.id}"
        return _with(state, ratings={**state.ratings, person: event.good})
    # What was written and remembered said something else: it is done again.
    corrections = (*state.corrections, event)
    return _with(state, corrections=corrections, postmortem=None, remembered=False)


def _ended(
    state: Incident,
    event: Refused
    | PolicyDecided
    | Absorbed
    | SplitOff
    | MergedInto
    | Closed
    | Reopened
    | PostmortemWritten
    | RunbookDrafted
    | RunbookAccepted
    | RunbookRejected
    | Remembered,
) -> Incident:
    match event:
        case Refused() | PolicyDecided() | Absorbed() | SplitOff():
            return state
        case MergedInto():
            return _with(state, merged_into=event.other)
        case Closed():
            if state.closed is not None:
                raise IllegalEvent("the incident is closed already")
            return _with(state, closed=event, stopped=None)
        case Reopened():
            if state.closed is None:
                raise IllegalEvent("the incident is open")
            return _with(
                state,
                closed=None,
                postmortem=None,
                draft=None,
                draft_decided=None,
                remembered=False,
            )
        case PostmortemWritten():
            return _with(state, postmortem=event.markdown)
        case RunbookDrafted():
            return _with(state, draft=event.draft, draft_decided=None)
        case RunbookAccepted() | RunbookRejected():
            if state.draft is None or state.draft.digest != event.digest:
                raise IllegalEvent("what was decided on is not the draft")
            accepted = isinstance(event, RunbookAccepted)
            # What was remembered before has no runbook: with an accepted one it is done again.
            kept = state.remembered and not accepted
            return _with(state, draft_decided=accepted, remembered=kept)
        case Remembered():
            return _with(state, remembered=True)
        case _:
            assert_never(event)


def _check_citations(finding: Finding) -> None:
    """Refuse a finding that cites evidence which is not in it."""
    known = {e.id for e in finding.evidence}
    cited = [i for h in finding.hypotheses for i in (*h.supports, *h.contradicts)]
    cited += [r.evidence for r in finding.ruled_out] + [
        c.evidence for c in finding.innocent_changes
    ]
    if finding.change is not None:
        cited.append(finding.change.evidence)
    unknown = sorted(set(cited) - known)
    if unknown:
        raise IllegalEvent(f"a hypothesis cites unknown evidence: {', '.join(unknown)}")
