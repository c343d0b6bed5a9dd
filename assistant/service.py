"""Takes a command and who gives it, in order within an incident and parallel across incidents.

The one entry of every surface, and the only one that appends to the journal. What is due after a
command follows from the journal alone, so a restart goes on where the line was.
"""

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial

from assistant.actions.approval import lapsed
from assistant.admission import Admission
from assistant.answer import Answer
from assistant.commands import (
    AlertEnded,
    Command,
    Deny,
    Freeze,
    Investigate,
    Merge,
    OnIncident,
    Split,
    Stop,
    Thaw,
)
from assistant.domain.action import Status
from assistant.domain.board import (
    belongs_to,
    busy_targets,
    next_id,
    started_on,
    told_before,
    troubled,
    unmeasured,
    waiting,
    with_alert,
)
from assistant.domain.events import (
    Absorbed,
    ActionStarted,
    AlertResolved,
    Event,
    Expired,
    MergedInto,
    SplitOff,
)
from assistant.domain.incident import IllegalEvent, Incident
from assistant.domain.people import FIRSTLINE, Actor
from assistant.failure import Unusable
from assistant.flow import Place, Sources, Stage, due, run
from assistant.freezing import braked
from assistant.journal.api import AlreadyIntended
from assistant.journal.group import Batched, GroupCommit
from assistant.known import ALL, Known, Watcher
from assistant.opening import joined, opened
from assistant.rehearsal import rehearse
from assistant.requesting import Rehearsed, Requesting
from assistant.runtime import Lanes
from assistant.sieve import sieved

Alarm = Callable[[str, str], Awaitable[None]]
STOPPED = "I have stopped here, because nothing can be written down and nothing is done unrecorded"

RECENT = timedelta(hours=1)
LOOK_AGAIN_S = 60.0
_log = logging.getLogger(__name__)


class Service:
    """Incidents, their lanes and the journal. `lanes` null: only `investigate` can be used."""

    def __init__(self, sources: Sources, journal: Batched, lanes: Lanes | None = None) -> None:
        self._known = Known()
        self._incidents = self._known.incidents
        self._objections: set[str] = set()
        self._sources = replace(
            sources,
            known=lambda incident: (  # what keeps out of baselines
                *sources.known(incident),
                *troubled(self._incidents, incident, sources.clock.now()),
            ),
            desk=lambda: self._known.desk,
            recent=lambda target, now: started_on(self._incidents, target, now - RECENT),
            busy=lambda incident: busy_targets(self._incidents, incident, begun=True),
            objected=self._objections.__contains__,
            wanted=lambda incident: lanes is not None and lanes.waits(incident),
        )
        self._journal = GroupCommit(journal)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._opening = asyncio.Lock()
        self._submissions: set[asyncio.Task[Answer]] = set()
        self._looking_again: set[str] = set()
        self._deciding: set[str] = set()
        self._lanes = lanes
        self._alarms: list[Alarm] = []
        self._requesting = Requesting(
            sources=self._sources,
            new_id=lambda: secrets.token_hex(16),
            busy=lambda incident: busy_targets(self._incidents, incident),
            waiting=lambda: waiting(self._incidents),
        )
        self._admission = Admission(sources=self._sources, requesting=self._requesting)
        for record in journal.records():
            self._known.fold(record.incident, record.event)

    @property
    def catalogue_names(self) -> frozenset[str]:
        """Return the names of all actions that can be asked for."""
        return self._sources.catalogue.names

    def incidents(self) -> Mapping[str, Incident]:
        """Return every incident by its id, in the order of their opening."""
        return dict(self._incidents)

    def incident(self, incident: str) -> Incident | None:
        """Return an incident as it stands."""
        return self._incidents.get(incident)

    def account(self, incident: str) -> str | None:
        """Return the postmortem of an incident as it stands, null where no records are kept."""
        memory, state = self._sources.memory, self._incidents.get(incident)
        return memory.postmortem(incident, state) if memory and state else None

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` each event with the state after it, once it is on disk."""
        self._known.watch(watcher)

    def warn(self, alarm: Alarm) -> None:
        """Tell `alarm` the incident and the reason when nothing can be written down any more."""
        self._alarms.append(alarm)

    async def investigate(self, command: Investigate, actor: Actor = FIRSTLINE) -> Incident:
        """Open an incident and return it when people are awaited."""
        async with self._opening:
            incident = await self._open(sieved(command), actor)
        await self._advance(incident)
        return self._incidents[incident]

    async def submit(self, command: Command, actor: Actor) -> Answer:
        """Return as soon as it is clear what the command comes to; its work goes on behind.

        Whoever stops waiting for the answer stops nothing: what is written down is known as well.
        """
        work = asyncio.create_task(self._submitted(sieved(command), actor))
        self._submissions.add(work)
        work.add_done_callback(self._submissions.discard)
        return await asyncio.shield(work)

    async def _submitted(self, command: Command, actor: Actor) -> Answer:
        match command:
            case Investigate():
                return await self._asked(command, actor)
            case AlertEnded():
                return await self._alert_ended(command, actor)
            case Freeze() | Thaw():
                return await self._freeze(command, actor)
            case Stop() if command.incident in self._incidents:
                return await self._stop(command, actor)
            case _:
                return await self._on_incident(command, actor)

    async def rehearse(self, incident: str) -> Mapping[int, Rehearsed]:
        """Return what each step of the plan that is an action would do now; it only looks."""
        state = self._incidents.get(incident)
        return await rehearse(incident, state, self._requesting) if state else {}

    async def resume(self) -> None:
        """Go on with every incident where the journal says that it was."""
        for incident, state in self._incidents.items():
            self._expect_expiry(incident, state)
            if due(state) is not None:
                self._must_have_lanes().submit(incident, partial(self._advance, incident))

    async def settled(self, incident: str) -> Incident:
        """Return an incident once nothing of it is queued or under way."""
        await self._must_have_lanes().idle(incident)
        return self._incidents[incident]

    async def _asked(self, command: Investigate, actor: Actor) -> Answer:
        async with self._opening:  # two alerts of one trouble come in one moment
            known = belongs_to(self._incidents, command.fingerprint, command.service, command.at)
            if known is not None and command.fingerprint is not None:
                await self._append(known, actor, joined(command, command.fingerprint))
                return Answer(incident=known, said=f"This belongs to {known}.")
            again = told_before(self._incidents, command.key)
            incident = again or await self._open(command, actor)
        self._must_have_lanes().submit(incident, partial(self._advance, incident))
        return Answer(incident=incident, said=f"{incident}: I am looking.")

    async def _open(self, command: Investigate, actor: Actor) -> str:
        incident = next_id((*self._incidents, *self._known.desk.redacted))
        await self._append(incident, actor, opened(command, self._sources.clock.now()))
        return incident

    async def _alert_ended(self, command: AlertEnded, actor: Actor) -> Answer:
        incident = with_alert(self._incidents, command.fingerprint)
        if incident is None:
            return Answer(incident=None, said="No open incident has this alert.")
        ended = AlertResolved(at=command.at, fingerprint=command.fingerprint)
        await self._append(incident, actor, ended)
        return Answer(incident=incident, said="Noted.")

    async def _freeze(self, command: Freeze | Thaw, actor: Actor) -> Answer:
        async with self._turns[ALL]:  # nothing is said in between
            decision = braked(command, actor, self._known.desk)
            await self._write(ALL, actor, *decision.events)
        return decision.answer

    async def _stop(self, command: Stop, actor: Actor) -> Answer:
        """Stop what is under way at once: it must not wait for its turn behind that."""
        incident = command.incident
        known = set(self._incidents[incident].requests) if actor.human else set()
        said_no = known - self._objections
        self._objections |= said_no  # what has not begun will not begin meanwhile
        try:
            async with self._turns[incident]:
                state = self._incidents[incident]
                decision = await self._admission.decide(command, actor, incident, state)
                # Written down first: nobody takes up again what was cut off and is not on record.
                await self._write(incident, actor, *decision.events)
                if not decision.answer.refused and self._may_be_cut_off(incident):
                    self._must_have_lanes().cancel(incident)
            answer = decision.answer
        except Unusable as error:
            answer = _unwritten(incident, error)
        finally:
            self._objections -= said_no
        # What was done has to be known all the same, and what was objected to looked at again.
        self._must_have_lanes().submit(incident, partial(self._advance, incident))
        return answer

    def _may_be_cut_off(self, incident: str) -> bool:
        """Tell whether it is neither an action, nor its measuring, nor what a command comes to."""
        requests = self._incidents[incident].requests.values()
        acting = any(t.status is Status.STARTED or unmeasured(t) for t in requests)
        return not acting and incident not in self._deciding

    async def _on_incident(self, command: OnIncident, actor: Actor) -> Answer:
        incident = command.incident
        if incident not in self._incidents:
            said = f"Not done: there is no incident {incident}."
            return Answer(incident=None, said=said, refused=True)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # A no counts from the moment it is said, not from when its turn comes.
        objection = {command.request} if isinstance(command, Deny) and actor.human else set()
        self._objections |= objection

        async def work() -> None:
            self._objections.difference_update(objection)
            self._deciding.add(incident)
            try:
                decided = await self._decide(command, actor)
                if not answer.done():
                    answer.set_result(decided)
            except Unusable as error:
                answer.set_result(_unwritten(incident, error))
                return
            finally:
                self._deciding.discard(incident)
                if not answer.done():  # whoever waits must not wait for ever; the lane tells why
                    said = "That did not work; the log says why."
                    answer.set_result(Answer(incident=incident, said=said, refused=True))
            await self._advance(incident)

        self._must_have_lanes().submit(incident, work)
        return await answer

    async def _decide(self, command: OnIncident, actor: Actor) -> Answer:
        incident, state = command.incident, self._incidents[command.incident]
        match command:
            case Merge(into=other):
                return await self._merge(incident, other, actor)
            case Split(text=text, place=place):
                ask = Investigate(text=text, at=self._sources.clock.now(), place=place)
                made = await self._asked(ask, actor)
                await self._append(
                    incident, actor, SplitOff(by=actor, other=str(made.incident), text=text)
                )
                return made
            case _:
                decision = await self._admission.decide(command, actor, incident, state)
        await self._append(incident, actor, *decision.events)
        self._expect_expiry(incident, self._incidents[incident])
        return decision.answer

    async def _merge(self, incident: str, other: str, actor: Actor) -> Answer:
        into = self._incidents.get(other)
        state = self._incidents[incident]
        if into is None or other == incident or not into.open or not state.open:
            said = f"Not done: {incident} cannot be merged into {other}."
            return Answer(incident=incident, said=said, refused=True)
        await self._append(incident, actor, MergedInto(by=actor, other=other))
        await self._append(other, actor, Absorbed(by=actor, other=incident))
        return Answer(incident=other, said=f"{incident} is followed in {other}.")

    async def _advance(self, incident: str) -> None:
        """Do what is due; where it cannot be written down, stop there and tell people."""
        try:
            await self._advance_while_written(incident)
        except Unusable as error:
            _log.error("%s: %s", incident, error)
            for alarm in self._alarms:
                await alarm(incident, f"{STOPPED}: {error}")

    async def _advance_while_written(self, incident: str) -> None:
        """Do what is due, stage by stage, until people are awaited; nothing is tried twice."""
        tried: set[Place] = set()
        while (now := due(self._incidents[incident], tried)) is not None:
            stage, tracked = now
            tried.add((stage, tracked.request.id if tracked else None))
            state = self._incidents[incident]
            try:
                async with aclosing(run(stage, incident, state, tracked, self._sources)) as events:
                    async for event in events:
                        await self._append(incident, FIRSTLINE, event)
            except AlreadyIntended:
                continue  # another process of ours has started it; its record will tell
            if stage is Stage.VERIFY and self._lanes is not None and self._lanes.waits(incident):
                # It may have made way for them.
                self._lanes.submit(incident, partial(self._advance, incident))
                return
        self._look_again(incident)

    def _look_again(self, incident: str) -> None:
        """Find out later what became of an action of which nobody knows."""
        unknown = any(
            t.status is Status.UNKNOWN for t in self._incidents[incident].requests.values()
        )
        if not unknown or self._lanes is None or incident in self._looking_again:
            return
        self._looking_again.add(incident)

        async def look() -> None:
            self._looking_again.discard(incident)
            await self._advance(incident)

        self._lanes.later(LOOK_AGAIN_S, incident, look)

    async def _append(self, incident: str, actor: Actor, *events: Event) -> None:
        """Write events down, fold them, tell the watchers; refuses what the fold refuses."""
        # What may follow is checked against a state that nobody else adds to meanwhile, and what
        # is on disk is folded, whoever stops its work at that moment.
        with self._lanes.whole(incident) if self._lanes is not None else nullcontext():
            async with self._turns[incident]:
                await self._write(incident, actor, *events)

    async def _write(self, incident: str, actor: Actor, *events: Event) -> None:
        for event in events:
            self._known.check(incident, event)
            intent = (event.request, event.digest) if isinstance(event, ActionStarted) else None
            await self._journal.append(incident, actor, [event], intent=intent)
            self._known.fold(incident, event)
            await self._known.tell(incident, event)

    def _expect_expiry(self, incident: str, state: Incident) -> None:
        for request_id, tracked in state.requests.items():
            if tracked.status is Status.PENDING:
                request, now = tracked.request, self._sources.clock.now()
                left = 0.0 if lapsed(request, now) else (request.expires - now).total_seconds()
                work = partial(self._expire, incident, request_id)
                self._must_have_lanes().later(left, incident, work)

    async def _expire(self, incident: str, request: str) -> None:
        # Its time was waited for; what the clock says by now, if somebody set it, does not count.
        if self._incidents[incident].requests[request].status is Status.PENDING:
            now = self._sources.clock.now()
            await self._append(incident, FIRSTLINE, Expired(request=request, at=now))

    def _must_have_lanes(self) -> Lanes:
        if self._lanes is None:
            raise IllegalEvent("this service answers one question; open it with lanes for more")
        return self._lanes


def _unwritten(incident: str, error: Unusable) -> Answer:
    _log.error("%s: %s", incident, error)
    said = f"Not done, since it cannot be written down: {error}"
    return Answer(incident=incident, said=said, refused=True)
