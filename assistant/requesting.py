"""Asking for an action: it is previewed, the policy is asked, and what approvers see is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from assistant.actions.approval import crowded, frozen, may_ask
from assistant.actions.audience import NOT_SAID, UNKNOWN
from assistant.actions.judge import ASKED, Case
from assistant.actions.run import previewed
from assistant.commands import (
    RequestAction,
    RequestStep,
    RequestUndo,
)
from assistant.decision import Decision, done, refused
from assistant.domain.action import ActionRequest, Mandate, Status, Tracked
from assistant.domain.board import taken
from assistant.domain.events import (
    ActionRequested,
    PolicyDecided,
)
from assistant.domain.hypothesis import NAMED, Finding
from assistant.domain.incident import Incident
from assistant.domain.people import Actor
from assistant.domain.plan import RemediationPlan
from assistant.domain.requests import UNDER_WAY
from assistant.domain.stopping import held_up
from assistant.engine.wording import cause_sentence
from assistant.flow import Sources
from assistant.policy.decide import Kind
from connectors.actions import ActionCall, ArgValue, Preview
from connectors.errors import ConnectorError

SHOWN = 2  # ids of the evidence behind a cause, as on its card
WAITING = (Status.PENDING, Status.APPROVED)


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
class Rehearsed:
    """What an action would do; `why` says why it cannot be asked for as things stand, or is null.

    `decided` is what the policy says of it, null where it was not asked. `preview` is null where
    there is none.
    """

    preview: Preview | None = None
    decided: PolicyDecided | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requesting:
    """Takes requests; `new_id` gives unguessable ids, `busy` the targets others work on.

    `waiting` are all requests that wait for a decision.
    """

    sources: Sources
    new_id: Callable[[], str]
    busy: Callable[[str], Mapping[str, str]]
    waiting: Callable[[], Sequence[ActionRequest]]

    async def request(
        self,
        command: RequestStep | RequestAction | RequestUndo,
        actor: Actor,
        incident: str,
        state: Incident,
    ) -> Decision:
        wanted = meant(command, state)
        if isinstance(wanted, str):
            return refused(incident, actor, "request an action", wanted)
        try:
            call = self.sources.catalogue.call(wanted.action, wanted.args)
            spec = self.sources.catalogue.entry(wanted.action).spec
        except ConnectorError as error:
            return refused(incident, actor, f"request {wanted.action}", str(error))
        why = may_ask(actor, self.sources.desk(), demo=spec.demo)
        why = why or _at_rest(state) or crowded(self.waiting(), actor, incident)
        audience = await self._audience(state)
        why = why or (NOT_SAID if audience == UNKNOWN else None)
        if why is not None:
            return refused(incident, actor, f"request {wanted.action}", why)
        wanted = replace(wanted, audience=audience or UNKNOWN)
        seen = await self.rehearsed(wanted, call, incident, state)
        preview, decided = seen.preview, seen.decided
        if seen.why is not None or preview is None or decided is None:
            asked = (decided,) if decided is not None else ()
            tried, why = f"request {call.action}", seen.why or "it cannot be previewed"
            return refused(incident, actor, tried, why, None, *asked)
        request = self._shown(wanted, call, preview, decided, actor, incident)
        event = ActionRequested(request=request, digest=request.digest)
        word = "Asked for approval" if decided.needed else "Allowed by the policy"
        return done(incident, f"{word}: {preview.summary}", decided, event)

    async def hindrance(self, state: Incident) -> str | None:
        """Return why nothing can be asked for in an incident now, whoever asks, or null."""
        why = frozen(self.sources.desk()) or _at_rest(state)
        if why is None and await self._audience(state) == UNKNOWN:
            why = NOT_SAID
        return why

    async def _audience(self, state: Incident) -> str | None:
        """Return who can read along where the incident is shown; null where nobody can."""
        audience = self.sources.audience
        return await audience.readers(state.place) if audience is not None else None

    async def rehearsed(
        self, wanted: Wanted, call: ActionCall, incident: str, state: Incident
    ) -> Rehearsed:
        """Return what a call would do now, and whether the policy lets it be asked for."""
        entry = self.sources.catalogue.entry(call.action)
        try:
            preview = await previewed(entry, call)
        except ConnectorError as error:
            return Rehearsed(why=str(error))
        now = self.sources.clock.now()
        twin = next((t for t in state.requests.values() if _in_the_way(t, call, now)), None)
        if twin is not None:
            again = f"the same action is {twin.status.value} already"
            return Rehearsed(preview=preview, why=again)
        why = taken(self.busy(incident), preview.target)
        if why is not None:
            return Rehearsed(preview=preview, why=why)
        case = Case(
            spec=entry.spec,
            preview=preview,
            at=now,
            repeated=self.sources.recent(preview.target, now),
            reason=bool(wanted.reason.strip()),
            break_glass=wanted.break_glass,
        )
        decided = self.sources.judge.ask(case, stage=ASKED)
        denied = decided.decision == Kind.DENY or decided.rule is None
        no = f"the policy does not allow it: {decided.why}" if denied else None
        return Rehearsed(preview=preview, decided=decided, why=no)

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
                reason=_because(plan, index, state.finding),
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


def _because(plan: RemediationPlan, index: int, finding: Finding | None) -> str:
    """Return the cause for which a step is proposed, with the evidence that it rests on.

    Where no evidence names one, that is only where the step stands: nothing is claimed without.
    """
    if finding is not None and finding.verdict in NAMED and finding.hypotheses[0].supports:
        first = finding.hypotheses[0]
        cause = cause_sentence(first.cause, first.service, first.instance, first.peer)
        return f"{cause} ({', '.join(first.supports[:SHOWN])})"
    return f"step {index + 1} of the runbook: {plan.title}"


def _at_rest(state: Incident) -> str | None:
    """Return why nothing is begun in an incident, or null."""
    return held_up(state) if state.open else "the incident is closed"


def _in_the_way(tracked: Tracked, call: ActionCall, now: datetime) -> bool:
    """Tell whether a request for this very call is still open: what has begun never lapses."""
    request, status = tracked.request, tracked.status
    same = (request.action, dict(request.args)) == (call.action, dict(call.args))
    return same and (status in UNDER_WAY or (status in WAITING and request.expires > now))
