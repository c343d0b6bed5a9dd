"""The line of an incident, stage by stage: what is due next, and the events of each stage.

What is due follows from the state alone, and the state from the journal: after a restart the line
goes on where it was. Stages yield what happened and keep nothing; whoever drives them records each
event before asking for the next one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from opentelemetry import trace

from assistant import names
from assistant.actions.approval import Approvers
from assistant.actions.audience import Audience, wider
from assistant.actions.catalogue import Catalogue
from assistant.actions.judge import Judge
from assistant.actions.run import Checks, execute, find_out
from assistant.clock import Clock
from assistant.computing import Computing
from assistant.domain.action import Status, Tracked
from assistant.domain.board import unmeasured
from assistant.domain.desk import Desk
from assistant.domain.events import (
    Event,
    HypothesesRanked,
    Opened,
    PlanProposed,
    PostmortemWritten,
    Recalled,
    RecallFailed,
    Remembered,
    RunbookDrafted,
    ScopeSet,
    Verified,
)
from assistant.domain.hypothesis import NAMED, Finding
from assistant.domain.incident import Incident
from assistant.domain.memory import Draft, SimilarIncident
from assistant.domain.plan import RemediationPlan
from assistant.domain.recovery import Effect
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from assistant.engine.recovery import Phases, recovery
from assistant.gather import each, gather, unread
from assistant.opening import QUESTION
from connectors.api import Capability, Connector, Window
from retrieval.api import RetrievalError

LOOK_BACK = timedelta(minutes=75)  # an hour of baseline before an onset up to 15 minutes ago
BEFORE_ALERT = timedelta(minutes=2)  # where nothing stepped: the alert came later than the trouble

_tracer = trace.get_tracer(names.TRACER)


class Recall(Protocol):
    """What can be found; raises `RetrievalError` where it cannot be asked."""

    def similar(self, incident: str, finding: Finding) -> tuple[SimilarIncident, ...]:
        """Return earlier incidents like this one, the most alike first."""
        ...

    def plan(self, finding: Finding) -> RemediationPlan | None:
        """Return the steps of the runbook that fits, or null."""
        ...


class Memory(Protocol):
    """What is kept of an incident; raises `RetrievalError` where it cannot be."""

    def postmortem(self, incident: str, state: Incident) -> str:
        """Return the account of an incident, made from its records."""
        ...

    def draft(self, incident: str, state: Incident) -> Draft | None:
        """Return a runbook made from its records, or null where no action helped."""
        ...

    def remember(self, incident: str, state: Incident) -> str | None:
        """Let the incident, and its accepted runbook, be found; return the runbook's id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How an effect is waited for: `settle_s` after an action, then a look each `every_s`.

    After an alert `look_after_s` pass before anything is read: telemetry comes in batches, and a
    few seconds of it say more than none. A person notices later and is looked for at once; only
    where that names no cause, the same seconds are waited for and it is looked again. Until
    `grace_s` after a start an action that cannot be found may still be on its way.
    """

    look_after_s: float = 6.0
    settle_s: float = 2.0
    every_s: float = 5.0
    patience_s: float = 180.0
    approval_s: float = 900.0
    grace_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that the stages look at and act through.

    `known` returns the windows of other incidents, which are no baseline. `audience` null means
    that nobody else can read along, `found` null that nothing is looked up, `memory` null that
    nothing is kept. `desk`, `recent`, `busy`, `objected` and `ours` are what other incidents,
    people and processes say, see `actions.run.Checks`. `picture` is handed what an answer rests on,
    once that is recorded, and returns at once. `wanted` tells whether somebody waits until the
    present stage of an incident is over.
    """

    connectors: Mapping[str, Connector]
    clock: Clock
    catalogue: Catalogue = field(default_factory=lambda: Catalogue({}))
    approvers: Approvers | None = None
    audience: Audience | None = None
    found: Recall | None = None
    memory: Memory | None = None
    known: Callable[[str], tuple[Window, ...]] = lambda _: ()
    desk: Callable[[], Desk] = Desk
    judge: Judge = field(default_factory=Judge)
    recent: Callable[[str, datetime], int] = lambda _target, _now: 0
    busy: Callable[[str], Mapping[str, str]] = lambda _incident: {}
    objected: Callable[[str], bool] = lambda _: False
    wanted: Callable[[str], bool] = lambda _: False
    ours: Callable[[], str | None] = lambda: None
    picture: Callable[[str, Telemetry, Finding], None] = lambda *_: None
    timing: Timing = field(default_factory=Timing)
    computing: Computing = field(default_factory=Computing)


class Stage(StrEnum):
    """A part of the line that can be done on its own."""

    INVESTIGATE = "investigate"
    RECALL = "recall"
    ACT = "act"
    FIND_OUT = "find_out"
    VERIFY = "verify"
    WRITE = "write"
    DRAFT = "draft"
    REMEMBER = "remember"


Place = tuple[Stage, str | None]  # a stage, and the id of the request that it is about
_DUE = {
    Status.APPROVED: Stage.ACT,
    Status.STARTED: Stage.FIND_OUT,
    Status.UNKNOWN: Stage.FIND_OUT,
    Status.FINISHED: Stage.VERIFY,
}


def due(state: Incident, but: Collection[Place] = ()) -> tuple[Stage, Tracked | None] | None:
    """Return what has to be done next, or null where people are awaited. Pure.

    `but` is what was tried just now: that it got nowhere holds up nothing else.
    """
    if state.merged_into is not None:
        return None
    for tracked in state.requests.values():
        stage = _due_for(tracked)
        # Whoever has stopped the rest: what was done has to be known, and what came of it measured.
        if state.stopped is not None and stage not in (Stage.FIND_OUT, Stage.VERIFY):
            continue
        if stage is not None and (stage, tracked.request.id) not in but:
            return stage, tracked
    if state.stopped is not None:
        return None
    alone = _after_the_end(state) if state.closed is not None else _explaining(state)
    return next(((stage, None) for stage in alone if (stage, None) not in but), None)


def _explaining(state: Incident) -> Iterator[Stage]:
    if state.finding is None or state.asked_anew:
        yield Stage.INVESTIGATE
    elif not state.recalled and state.finding.verdict in NAMED:
        yield Stage.RECALL


def _due_for(tracked: Tracked) -> Stage | None:
    request = tracked.request
    if tracked.status is Status.PENDING and request.mandate.approvals == 0:
        return Stage.ACT
    if tracked.status is Status.FINISHED and not unmeasured(tracked):
        return None  # nothing was meant to change
    return _DUE.get(tracked.status)


def _after_the_end(state: Incident) -> Iterator[Stage]:
    """Yield what is due; a draft that cannot be made, or waits for a yes, holds up nothing."""
    if state.postmortem is None:
        yield Stage.WRITE
        return
    explained = state.finding is not None and bool(state.finding.hypotheses)
    if state.draft is None and state.resolved_by and explained and not state.remembered:
        yield Stage.DRAFT
    if not state.remembered:
        yield Stage.REMEMBER


def run(
    stage: Stage, incident: str, state: Incident, tracked: Tracked | None, sources: Sources
) -> AsyncGenerator[Event, None]:
    """Return the events of a stage."""
    if tracked is not None:
        return _on_request(stage, incident, state, tracked, sources)
    stages = {
        Stage.INVESTIGATE: investigate,
        Stage.RECALL: recall,
        Stage.WRITE: write,
        Stage.DRAFT: draft,
        Stage.REMEMBER: remember,
    }
    return stages[stage](incident, state, sources)


def _on_request(
    stage: Stage, incident: str, state: Incident, tracked: Tracked, sources: Sources
) -> AsyncGenerator[Event, None]:
    if stage is Stage.VERIFY:
        return verify(incident, state, tracked, sources)
    if stage is Stage.FIND_OUT or sources.approvers is None:
        grace = timedelta(seconds=sources.timing.grace_s)
        return find_out(tracked, catalogue=sources.catalogue, clock=sources.clock, grace=grace)
    checks = Checks(
        catalogue=sources.catalogue,
        approvers=sources.approvers,
        judge=sources.judge,
        desk=sources.desk,
        objected=sources.objected,
        ours=sources.ours,
        recent=sources.recent,
        busy=sources.busy,
        wider=lambda request: wider(request, state.place, sources.audience),
        clock=sources.clock,
    )
    return execute(tracked, checks)


async def investigate(
    incident: str, state: Incident, sources: Sources
) -> AsyncGenerator[Event, None]:
    """Yield what was read and what the engine says about it.

    What a person asks is looked at at once. Where that names no cause and telemetry of the asking
    may still be on its way, it is waited for and everything is read once more: both looks are told,
    one finding is.
    """
    opened, clock = state.opened, sources.clock
    asked = opened.source == QUESTION
    if not asked:
        await asyncio.sleep(_left_s(opened, clock.now(), sources.timing))
    for first_look in (True, False):
        horizon = opened.horizon or clock.now()
        first = min(opened.at, state.steering.since or opened.at)  # something from before it
        window = Window(start=first - LOOK_BACK, end=horizon)
        yield ScopeSet(start=window.start, end=window.end)
        telemetry = Telemetry.empty()
        with _span("gather"):
            async with aclosing(each(sources.connectors, window, clock)) as answers:
                async for answer in answers:
                    if isinstance(answer, Telemetry):
                        telemetry = answer
                    else:
                        yield answer
        began = clock.monotonic()
        question = _question(incident, state, horizon, sources)
        with _span("analyse"):
            finding = await sources.computing.do(diagnose, telemetry, question)
        early = asked and first_look and _left_s(opened, horizon, sources.timing) > 0
        if not early or finding.verdict in NAMED:
            yield HypothesesRanked(finding=finding, seconds=round(clock.monotonic() - began, 3))
            sources.picture(incident, telemetry, finding)
            return
        await asyncio.sleep(_left_s(opened, clock.now(), sources.timing))


def _left_s(opened: Opened, now: datetime, timing: Timing) -> float:
    """Return the seconds that telemetry of the moment of the asking may still need."""
    if opened.horizon is not None:
        return 0.0
    left = opened.at + timedelta(seconds=timing.look_after_s) - now
    # Never longer than that, wherever the clock was set meanwhile.
    return min(max(0.0, left.total_seconds()), timing.look_after_s)


def _question(incident: str, state: Incident, horizon: datetime, sources: Sources) -> Question:
    opened, steering = state.opened, state.steering
    return Question(
        at=opened.at,
        horizon=horizon,
        text=opened.text,
        service=steering.focus or opened.service,
        onset=steering.since,
        known_incidents=sources.known(incident),
        ruled_out=steering.ruled_out,
        ignored=steering.ignored,
    )


async def recall(incident: str, state: Incident, sources: Sources) -> AsyncGenerator[Event, None]:
    """Yield what memory and the runbooks say about the finding."""
    found, finding = sources.found, state.finding
    if found is None or finding is None:
        yield Recalled(similar=(), seconds=0.0)
        return
    began = sources.clock.monotonic()
    try:
        with _span("recall"):
            similar = await sources.computing.do(found.similar, incident, finding)
            fitting = await sources.computing.do(found.plan, finding)
    except RetrievalError as error:
        yield RecallFailed(reason=str(error))
        return
    seconds = round(sources.clock.monotonic() - began, 3)
    if fitting is not None:
        yield PlanProposed(plan=fitting, seconds=seconds)
    # Last, because it says that this stage is over: whoever is stopped before does all of it again.
    yield Recalled(similar=similar, seconds=seconds)


async def verify(
    incident: str, state: Incident, tracked: Tracked, sources: Sources
) -> AsyncGenerator[Event, None]:
    """Yield whether the evidence is as before; looks until it is, or until patience ends.

    Ends without a word where somebody waits to be heard in this incident; it is due again then.
    """
    clock, timing, finding = sources.clock, sources.timing, state.finding
    if finding is None or tracked.started is None or tracked.finished is None:
        return
    worked = tracked.finished + timedelta(seconds=timing.settle_s)
    onset = finding.onset or state.opened.at - BEFORE_ALERT
    patient = worked + timedelta(seconds=timing.patience_s)
    # Whoever sets the clock back must not make everybody in this incident wait as long.
    give_up = clock.monotonic() + timing.settle_s + timing.patience_s
    while True:
        await asyncio.sleep(timing.every_s)
        now = max(clock.now(), worked)
        gathered = await gather(sources.connectors, Window(start=onset - LOOK_BACK, end=now), clock)
        phases = Phases(
            before=onset,
            during=Window(start=onset, end=max(onset, tracked.started)),
            after=Window(start=worked, end=now),
            known=sources.known(incident),
        )
        judged = await sources.computing.do(recovery, gathered.telemetry, finding, phases)
        failed = unread(gathered.reads, (Capability.SPANS, Capability.METRICS))
        if failed and judged.effect is Effect.NOT_MEASURED:
            judged = replace(judged, why=failed)
        over = now >= patient or clock.monotonic() >= give_up
        if judged.effect is Effect.RECOVERED or over:
            yield Verified(request=tracked.request.id, recovery=judged)
            return
        if sources.wanted(incident):
            return


async def write(incident: str, state: Incident, sources: Sources) -> AsyncGenerator[Event, None]:
    """Yield the postmortem."""
    if sources.memory is not None:
        yield PostmortemWritten(markdown=sources.memory.postmortem(incident, state))


async def draft(incident: str, state: Incident, sources: Sources) -> AsyncGenerator[Event, None]:
    """Yield the runbook that the incident teaches, for a person to accept."""
    try:
        made = sources.memory.draft(incident, state) if sources.memory is not None else None
    except RetrievalError as error:
        yield RecallFailed(reason=str(error))
        return
    if made is not None:
        yield RunbookDrafted(draft=made)


async def remember(incident: str, state: Incident, sources: Sources) -> AsyncGenerator[Event, None]:
    """Yield that the incident can be found from now on; tried again later where it cannot."""
    if sources.memory is None:
        return
    try:
        runbook = await sources.computing.do(sources.memory.remember, incident, state)
    except RetrievalError as error:
        yield RecallFailed(reason=str(error))
        return
    yield Remembered(runbook=runbook)


def _span(step: str) -> AbstractContextManager[trace.Span]:
    return _tracer.start_as_current_span(names.SPAN_STAGE, attributes={names.ATTRIBUTE_STAGE: step})
