"""What a command comes to: the events that it causes at once, and the answer to whoever gave it.

Every attempt at something that may not be is an event too (`Refused`), so that it can be looked up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from assistant.actions.approval import crowded, lapsed, may_ask, may_decide, unread
from assistant.actions.audience import NOT_SAID, UNKNOWN, wider
from assistant.actions.judge import ASKED, Case
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
from assistant.domain.action import ActionRequest, Approval, Mandate, Status, Tracked
from assistant.domain.board import under_way
from assistant.domain.events import (
    ActionRequested,
    Approved,
    Closed,
    Denied,
    Event,
    Expired,
    PolicyDecided,
    Refused,
    Reopened,
    RunbookAccepted,
    RunbookRejected,
    Steered,
    WentOn,
)
from assistant.domain.incident import Incident
from assistant.domain.judgement import CauseCorrected
from assistant.domain.people import Actor
from assistant.domain.shown import Moved, PostmortemShared
from assistant.domain.stopping import held_up, stopped, stopped_words
from assistant.engine.steering import Vocabulary, understand
from assistant.feedback import heard
from assistant.flow import Sources, due
from assistant.policy.decide import Kind
from assistant.showing import moved, shared, told
from connectors.actions import ActionCall, ArgValue, Preview
from connectors.errors import ConnectorError

IN_THE_WAY = (Status.PENDING, Status.APPROVED, Status.STARTED, Status.UNKNOWN)
CAN_SAY = (
    "I did not understand that. "
    "You can say: not SERVICE, ignore CHANGE, look at SERVICE, since 14:05."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Events to be recorded, and the answer."""

    events: tuple[Event, ...]
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An action that somebody wants, before it is previewed."""

    action: str
    args: Mapping[str, ArgValue]
    reason: str
    break_glass: bool = False
    runbook: str | None = None
    step: int | None = None
    undo_of: str | None = None
    audience: str = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Decides on commands; `new_id` gives unguessable ids, `busy` the targets others work on.

    `waiting` are all requests that wait for a decision.
    """

    sources: Sources
    new_id: Callable[[], str]
    busy: Callable[[str], Mapping[str, str]]
    waiting: Callable[[], Sequence[ActionRequest]]

    async def decide(
        self, command: OnIncident, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        """Return what the command comes to; merging and splitting are the service's."""
        match command:
            case Steer():
                return self._steer(command, actor, incident, state)
            case RequestStep() | RequestAction() | RequestUndo():
                return await self._request(command, actor, incident, state)
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
                return _judged(command, actor, incident, state)
            case AcceptRunbook() | RejectRunbook():
                return await self._runbook(command, actor, incident, state)
            case _:
                return _refused(incident, actor, type(command).__name__, "this is not known here")

    def _steer(self, command: Steer, actor: Actor, incident: str, state: Incident) -> Decision:
        finding = state.finding
        if not actor.human:
            return _refused(incident, actor, "steer", "only a person can steer")
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
            return Decision(events=(), answer=Answer(incident=incident, said=CAN_SAY, refused=True))
        event = Steered(by=actor, text=command.text, steering=steering)
        return _done(incident, f"Noted: {command.text.strip()}. I look again.", event)

    async def _request(
        self,
        command: RequestStep | RequestAction | RequestUndo,
        actor: Actor,
        incident: str,
        state: Incident,
    ) -> Decision:
        wanted = meant(command, state)
        if isinstance(wanted, str):
            return _refused(incident, actor, "request an action", wanted)
        try:
            call = self.sources.catalogue.call(wanted.action, wanted.args)
            spec = self.sources.catalogue.entry(wanted.action).spec
        except ConnectorError as error:
            return _refused(incident, actor, f"request {wanted.action}", str(error))
        why = may_ask(actor, self.sources.desk(), demo=spec.demo)
        why = why or ("the incident is closed" if not state.open else None)
        why = why or held_up(state)
        why = why or crowded(self.waiting(), actor, incident)
        audience = await self._audience(state)
        why = why or (NOT_SAID if audience == UNKNOWN else None)
        if why is not None:
            return _refused(incident, actor, f"request {wanted.action}", why)
        wanted = replace(wanted, audience=audience or UNKNOWN)
        return await self._preview(wanted, call, actor, incident, state)

    async def _audience(self, state: Incident) -> str | None:
        """Return who can read along where the incident is shown; null where nobody can."""
        audience = self.sources.audience
        return await audience.readers(state.place) if audience is not None else None

    async def _preview(
        self, wanted: Wanted, call: ActionCall, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        entry = self.sources.catalogue.entry(call.action)
        try:
            preview = await entry.actuator.preview(call)
        except ConnectorError as error:
            return _refused(incident, actor, f"request {call.action}", str(error))
        now = self.sources.clock.now()
        twin = next((t for t in state.requests.values() if _in_the_way(t, call)), None)
        if twin is not None and twin.request.expires > now:
            why = f"the same action is {twin.status.value} already"
            return _refused(incident, actor, f"request {call.action}", why)
        other = self.busy(incident).get(preview.target)
        if other is not None:
            why = f"{other} works on {preview.target} right now; wait until that is over"
            return _refused(incident, actor, f"request {call.action}", why)
        case = Case(
            spec=entry.spec,
            preview=preview,
            at=now,
            repeated=self.sources.recent(preview.target, now),
            reason=bool(wanted.reason.strip()),
            break_glass=wanted.break_glass,
        )
        decided = self.sources.judge.ask(case, stage=ASKED)
        if decided.decision == Kind.DENY or decided.rule is None:
            why = f"the policy does not allow it: {decided.why}"
            return _refused(incident, actor, f"request {call.action}", why, None, decided)
        request = self._shown(wanted, call, preview, decided, actor, incident)
        event = ActionRequested(request=request, digest=request.digest)
        word = "Asked for approval" if decided.needed else "Allowed by the policy"
        return _done(incident, f"{word}: {preview.summary}", decided, event)

    def _shown(
        self,
        wanted: Wanted,
        call: ActionCall,
        preview: Preview,
        decided: PolicyDecided,
        actor: Actor,
        incident: str,
    ) -> ActionRequest:
        """Return the request that approvers are shown."""
        entry, now = self.sources.catalogue.entry(call.action), self.sources.clock.now()
        return ActionRequest(
            id=self.new_id(),
            incident=incident,
            actuator=entry.actuator.name,
            action=call.action,
            args=tuple(sorted(call.args.items())),
            effect=entry.spec.effect.value,
            risk=entry.spec.risk.value,
            demo=entry.spec.demo,
            target=preview.target,
            state=preview.state,
            summary=preview.summary,
            diff=preview.diff,
            blast=preview.blast,
            touches=preview.touches,
            among=preview.among,
            undo=preview.undo,
            requested_by=actor,
            reason=wanted.reason,
            mandate=Mandate(
                policy=decided.policy,
                rule=decided.rule or "",
                approvals=decided.needed,
                group=decided.group,
            ),
            code=entry.code,
            break_glass=wanted.break_glass,
            runbook=wanted.runbook,
            step=wanted.step,
            undo_of=wanted.undo_of,
            created=now,
            expires=now + timedelta(seconds=self.sources.timing.approval_s),
            audience=wanted.audience,
        )

    async def _approve(
        self, command: Approve, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        tracked = state.requests.get(command.request)
        if tracked is None:
            return _refused(incident, actor, "approve", "there is no such request")
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
        why = why or unread(tracked.request, command.typed)
        why = why or await wider(tracked.request, state.place, self.sources.audience)
        if why is not None:
            late = tracked.status is Status.PENDING and lapsed(tracked.request, now)
            expired = (Expired(request=command.request, at=now),) if late else ()
            return _refused(incident, actor, "approve", why, command.request, *expired)
        approval = Approval(digest=command.digest, by=actor, at=now)
        missing = tracked.request.mandate.approvals - len(tracked.approvals) - 1
        more = f" {missing} more must say yes." if missing > 0 else ""
        return _done(
            incident,
            f"Approved: {tracked.request.summary}{more}",
            Approved(request=command.request, approval=approval),
        )

    def _deny(self, command: Deny, actor: Actor, incident: str, state: Incident) -> Decision:
        tracked = state.requests.get(command.request)
        if tracked is None or not actor.human:
            return _refused(incident, actor, "deny", "there is no such request for you to decide")
        if tracked.status not in (Status.PENDING, Status.APPROVED):
            why = f"this request is {tracked.status.value} already"
            return _refused(incident, actor, "deny", why, command.request)
        event = Denied(request=command.request, by=actor, reason=command.reason)
        return _done(incident, f"Denied: {tracked.request.summary}", event)

    def _end(
        self, command: Close | Reopen, actor: Actor, incident: str, state: Incident
    ) -> Decision:
        now, opening = self.sources.clock.now(), isinstance(command, Reopen)
        if not actor.human:
            return _refused(incident, actor, "close", "only a person can say that it is over")
        if opening == state.open or state.merged_into is not None:
            already = "open" if state.open else "closed"
            return _refused(incident, actor, "change the incident", f"it is {already} already")
        busy = [t for t in state.requests.values() if under_way(t)]
        if busy and not opening:
            why = f"an action is under way: {busy[0].request.summary}"
            return _refused(incident, actor, "close", why)
        if opening:
            return _done(incident, "Open again.", Reopened(by=actor, at=now, reason=command.reason))
        waiting = tuple(
            Expired(request=t.request.id, at=now)
            for t in state.requests.values()
            if t.status is Status.PENDING
        )
        closed = Closed(by=actor, at=now, reason=command.reason)
        return _done(incident, "Closed. I write the postmortem.", *waiting, closed)

    def _stop(self, actor: Actor, incident: str, state: Incident) -> Decision:
        if not actor.human:
            return _refused(incident, actor, "stop", "only a person can stop what is under way")
        why = None if state.open else "the incident is closed"
        why = why or ("it is stopped already" if state.stopped is not None else None)
        why = why or ("nothing is under way" if due(state) is None else None)
        if why is not None:
            return _refused(incident, actor, "stop", why)
        events = stopped(state, actor, self.sources.clock.now())
        return _done(incident, stopped_words(state), *events)

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
            return _refused(incident, actor, "change what is shown", outcome)
        return _done(incident, told(incident, outcome), outcome)

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
        elif self.sources.approvers is not None:
            why = await self.sources.approvers.refusal(actor)
        if why is not None:
            return _refused(incident, actor, "decide on a runbook", why)
        if isinstance(command, AcceptRunbook):
            event: Event = RunbookAccepted(digest=command.digest, by=actor)
            return _done(incident, "Accepted. The next incident will find it.", event)
        event = RunbookRejected(digest=command.digest, by=actor, reason=command.reason)
        return _done(incident, "Rejected. It will not be used.", event)


def _go_on(actor: Actor, incident: str, state: Incident) -> Decision:
    if not actor.human:
        return _refused(incident, actor, "go on", "only a person can let it go on")
    if state.stopped is None:
        return _refused(incident, actor, "go on", "nobody has stopped it")
    return _done(incident, "I go on.", WentOn(by=actor))


def meant(command: RequestStep | RequestAction | RequestUndo, state: Incident) -> Wanted | str:
    """Return the action that is meant, or why there is none."""
    match command:
        case RequestAction(action=action, args=args, reason=reason, break_glass=emergency):
            return Wanted(action=action, args=args, reason=reason, break_glass=emergency)
        case RequestStep(step=index):
            plan = state.plan
            if plan is None or not 0 <= index < len(plan.steps):
                return "the plan has changed; there is no such step any more"
            step = plan.steps[index]
            if step.action is None or not step.ready:
                return "this step has no action of which everything is known"
            return Wanted(
                action=step.action,
                args=dict(step.args),
                reason=step.text,
                runbook=plan.runbook,
                step=index,
            )
        case RequestUndo(request=request):
            tracked = state.requests.get(request)
            done = tracked and tracked.status in (Status.FINISHED, Status.VERIFIED)
            if tracked is None or not done or tracked.request.undo is None:
                return "there is nothing that could be undone"
            undo = tracked.request.undo
            reason = f"undo: {tracked.request.summary}"
            return Wanted(action=undo.action, args=undo.args, reason=reason, undo_of=request)


def _judged(command: CorrectCause | Rate, actor: Actor, incident: str, state: Incident) -> Decision:
    event = heard(command, actor, state)
    if isinstance(event, str):
        return _refused(incident, actor, "judge the answer", event)
    said = f"Noted: {event.told}" if isinstance(event, CauseCorrected) else "Thank you, noted."
    return _done(incident, said, event)


def _in_the_way(tracked: Tracked, call: ActionCall) -> bool:
    request = tracked.request
    same = (request.action, dict(request.args)) == (call.action, dict(call.args))
    return same and tracked.status in IN_THE_WAY


def _done(incident: str, said: str, *events: Event) -> Decision:
    return Decision(events=events, answer=Answer(incident=incident, said=said))


def _refused(
    incident: str, actor: Actor, tried: str, why: str, request: str | None = None, *before: Event
) -> Decision:
    refused = Refused(by=actor, tried=tried, why=why, request=request)
    said = f"Not done: {why.removesuffix('.')}."
    return Decision(
        events=(*before, refused), answer=Answer(incident=incident, said=said, refused=True)
    )
