"""Who may do what: each command on an incident becomes a decision.

What asks for an action is `requesting`'s.
"""

from dataclasses import dataclass, replace

from assistant.actions.approval import lapsed, may_decide, unread
from assistant.actions.audience import PUBLIC, wider
from assistant.answer import Answer
from assistant.commands import (
    AcceptRunbook,
    Approve,
    Close,
    CorrectCause,
    Deny,
    GoOn,
    Move,
    OnIncident,
    Rate,
    RejectRunbook,
    Reopen,
    RequestAction,
    RequestStep,
    RequestUndo,
    SharePostmortem,
    Steer,
    Stop,
)
from assistant.decision import Decision, done, refused
from assistant.domain.action import Approval, Status
from assistant.domain.board import taken, under_way
from assistant.domain.events import (
    Approved,
    Closed,
    Denied,
    Event,
    Expired,
    Reopened,
    RunbookAccepted,
    RunbookRejected,
    Steered,
    WentOn,
)
from assistant.domain.incident import Incident
from assistant.domain.judgement import Rated
from assistant.domain.people import Actor
from assistant.domain.shown import Moved, PostmortemShared
from assistant.domain.stopping import held_up, stopped, stopped_words
from assistant.engine.steering import Vocabulary, understand
from assistant.feedback import heard, told_again
from assistant.flow import Sources, due
from assistant.requesting import Requesting
from assistant.showing import moved, shared, told

CAN_SAY = (
    "I did not understand that. "
    "You can say: not SERVICE, ignore CHANGE, look at SERVICE, since 14:05; "
    "or stop, go on, close, freeze, status, help."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Decides on commands."""

    sources: Sources
    requesting: Requesting

    async def decide(
        self, command: OnIncident, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        """Return what the command comes to; merging and splitting are the service's."""
        match command:
            case Steer():
                return self._steer(command, actor, incident, state)
            case RequestStep() | RequestAction() | RequestUndo():
                return await self.requesting.request(command, actor, incident, state)
            case Approve():
                return await self._approve(command, actor, incident, state)
            case Deny():
                return self._deny(command, actor, incident, state)
            case Close() | Reopen():
                return self._end(command, actor, incident, state)
            case Stop():
                return self._stop(actor, incident, state)
            case GoOn():
                return _go_on(actor, incident, state)
            case Move() | SharePostmortem():
                return self._show(command, actor, incident, state)
            case CorrectCause() | Rate():
                return await self._judged(command, actor, incident, state)
            case AcceptRunbook() | RejectRunbook():
                return await self._runbook(command, actor, incident, state)
            case _:
                return refused(incident, actor, type(command).__name__, "this is not known here")

    def _steer(self, command: Steer, actor: Actor, incident: str, state: Incident) -> Decision:
        finding = state.finding
        if not actor.human:
            return refused(incident, actor, "steer", "only a person can steer")
        over = None if state.open else _over(incident, state)
        named = finding.components if finding else frozenset()
        refs = {c.ref for c in finding.innocent_changes} if finding else set()
        if finding and finding.change:
            refs.add(finding.change.ref)
        steering = understand(
            command.text,
            state.steering,
            Vocabulary(components=named, changes=refs),
            now=self.sources.clock.now(),
            zone=command.zone,
        )
        if steering is None:
            said = f"Not done: {over}." if over else CAN_SAY
            answer = Answer(incident=incident, said=said, refused=True, understood=False)
            return Decision(events=(), answer=answer)
        if over is not None:
            return refused(incident, actor, "steer", over)
        event = Steered(by=actor, text=command.text, steering=steering)
        return done(incident, f"Noted: {command.text.strip()}. I look again.", event)

    async def _approve(
        self, command: Approve, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        tracked = state.requests.get(command.request)
        if tracked is None:
            return refused(incident, actor, "approve", "there is no such request")
        now = self.sources.clock.now()
        why = may_decide(tracked, actor, command.digest, now) or held_up(state)
        if why is None:
            approvers = self.sources.approvers
            group = tracked.request.mandate.group
            why = (
                await approvers.refusal(actor, group=group, fresh=True)
                if approvers
                else "nobody may approve here"
            )
        why = why or taken(self.requesting.busy(incident), tracked.request.target)
        why = why or unread(tracked.request, command.typed)
        why = why or await wider(tracked.request, state.place, self.sources.audience)
        if why is not None:
            late = tracked.status is Status.PENDING and lapsed(tracked.request, now)
            expired = (Expired(request=command.request, at=now),) if late else ()
            return refused(incident, actor, "approve", why, command.request, *expired)
        approval = Approval(digest=command.digest, by=actor, at=now)
        missing = tracked.request.mandate.approvals - len(tracked.approvals) - 1
        more = f" {missing} more must say yes." if missing > 0 else ""
        return done(
            incident,
            f"Approved: {tracked.request.summary}{more}",
            Approved(request=command.request, approval=approval),
        )

    def _deny(self, command: Deny, actor: Actor, incident: str, state: Incident) -> Decision:
        tracked = state.requests.get(command.request)
        if tracked is None or not actor.human:
            return refused(incident, actor, "deny", "there is no such request for you to decide")
        if tracked.status not in (Status.PENDING, Status.APPROVED):
            why = f"this request is {tracked.status.value} already"
            return refused(incident, actor, "deny", why, command.request)
        event = Denied(request=command.request, by=actor, reason=command.reason)
        return done(incident, f"Denied: {tracked.request.summary}", event)

    def _end(
        self, command: Close | Reopen, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        now, opening = self.sources.clock.now(), isinstance(command, Reopen)
        if not actor.human:
            return refused(incident, actor, "close", "only a person can say that it is over")
        if opening == state.open or state.merged_into is not None:
            already = "open" if state.open else "closed"
            return refused(incident, actor, "change the incident", f"it is {already} already")
        busy = [t for t in state.requests.values() if under_way(t)]
        if busy and not opening:
            why = f"an action is under way: {busy[0].request.summary}"
            return refused(incident, actor, "close", why)
        if opening:
            return done(incident, "Open again.", Reopened(by=actor, at=now, reason=command.reason))
        waiting = tuple(
            Expired(request=t.request.id, at=now)
            for t in state.requests.values()
            if t.status is Status.PENDING
        )
        closed = Closed(by=actor, at=now, reason=command.reason)
        return done(incident, "Closed. I write the postmortem.", *waiting, closed)

    def _stop(self, actor: Actor, incident: str, state: Incident) -> Decision:
        if not actor.human:
            return refused(incident, actor, "stop", "only a person can stop what is under way")
        why = None if state.open else "the incident is closed"
        why = why or ("it is stopped already" if state.stopped is not None else None)
        why = why or ("nothing is under way" if due(state) is None else None)
        if why is not None:
            return refused(incident, actor, "stop", why)
        events = stopped(state, actor, self.sources.clock.now())
        return done(incident, stopped_words(state), *events)

    def _show(
        self, command: Move | SharePostmortem, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        memory = self.sources.memory
        outcome: Moved | PostmortemShared | str
        if isinstance(command, Move):
            outcome = moved(command, actor, state)
        else:
            account = memory.postmortem(incident, state) if memory is not None else None
            outcome = shared(command, actor, state, account)
        if isinstance(outcome, str):
            return refused(incident, actor, "change what is shown", outcome)
        return done(incident, told(incident, outcome), outcome)

    async def _judged(
        self, command: CorrectCause | Rate, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        event, audience = heard(command, actor, state), self.sources.audience
        if isinstance(event, str):
            return refused(incident, actor, "judge the answer", event)
        if isinstance(event, Rated):
            return done(incident, "Thank you, noted.", event)
        if told_again(event, state):
            return done(incident, f"Noted: {event.told}")
        public = audience is not None and await audience.readers(state.place) == PUBLIC
        return done(incident, f"Noted: {event.told}", replace(event, public=public))

    async def _runbook(
        self, command: AcceptRunbook | RejectRunbook, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        why = None
        if state.draft is None or state.draft.digest != command.digest:
            why = "this is not the present draft; look at it again"
        elif state.draft_decided is not None:
            why = "it was decided on already"
        elif not actor.human:
            why = "only a person can decide on a runbook"
        elif state.corrections and isinstance(command, AcceptRunbook):
            why = "somebody said that its cause was wrong; reject it, and write down what you know"
        elif self.sources.approvers is not None:
            why = await self.sources.approvers.refusal(actor)
        if why is not None:
            return refused(incident, actor, "decide on a runbook", why)
        if isinstance(command, AcceptRunbook):
            event: Event = RunbookAccepted(digest=command.digest, by=actor)
            return done(incident, "Accepted. The next incident will find it.", event)
        event = RunbookRejected(digest=command.digest, by=actor, reason=command.reason)
        return done(incident, "Rejected. It will not be used.", event)


def _over(incident: str, state: Incident) -> str:
    """Return why nothing is taken into account any more, and what to do instead."""
    if state.merged_into is not None:
        return f"{incident} is followed in {state.merged_into}: say it there"
    return f"{incident} is closed: say reopen, or ask in the channel itself, outside of a thread"


def _go_on(actor: Actor, incident: str, state: Incident) -> Decision:
    if not actor.human:
        return refused(incident, actor, "go on", "only a person can let it go on")
    if state.stopped is None:
        return refused(incident, actor, "go on", "nobody has stopped it")
    return done(incident, "I go on.", WentOn(by=actor))
