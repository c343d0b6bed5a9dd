"""One live run: a real system breaks, its alert comes in, the verdict is compared with the truth.

The system comes from the entry-point group `firstline.demos`. Everything it says reaches firstline
the way a stranger's system would say it: OTLP over HTTP, an alert webhook, a feed of changes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from assistant.clock import Clock
from assistant.commands import AlertEnded, Investigate
from assistant.domain.board import troubled
from assistant.domain.hypothesis import NAMED, Finding
from assistant.domain.incident import Incident
from assistant.domain.people import Actor, ActorKind
from assistant.gather import gather
from assistant.service import Service
from assistant.story import People, Solved
from connectors import registry
from connectors.actions import Actuator
from connectors.alertmanager import AlertmanagerWebhook
from connectors.api import Alert, Connector, Window
from connectors.demo import DemoError, DemoRun, DemoSystem, Session, Truth
from connectors.otlp import OtlpReceiver
from connectors.recording import Case, write_recording

GROUP = "firstline.demos"
ALERT_PATH = "/alerts"
ALERT_PATIENCE_S = 60.0
ALARM_AT_THE_END_S = 2.0
NO_FAULT = "none"
AGAIN = "-again"
MONITOR = Actor(kind=ActorKind.ALERT, id="monitor", name="monitor")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How to run the system once; `record` is where its telemetry is kept, if anywhere.

    What is seen of the same fault the second time is kept beside it, with the suffix `AGAIN`.
    """

    fault: str | None
    seed: int
    folder: Path
    rename: bool = False
    record: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One incident of a run. `waited` is seconds from the alert to the verdict."""

    id: str
    incident: Incident
    truth: Truth
    correct: bool
    waited: float
    solved: Solved | None = None

    @property
    def steps(self) -> int:
        """Return how many steps people were shown."""
        return len(self.incident.plan.steps) if self.incident.plan else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run; `second` is the same fault once more, after the first was learnt from."""

    fault: str
    first: Episode
    second: Episode | None
    learnt: bool

    @property
    def seen_before(self) -> bool:
        """Tell whether the second incident was recognised as the first one."""
        again = self.second
        return again is not None and self.first.id in {s.incident for s in again.incident.similar}

    @property
    def recovered(self) -> bool:
        """Tell whether every incident was ended by an action, by the figures."""
        both = (self.first, *([self.second] if self.second else []))
        return all(e.solved is not None and e.solved.recovered for e in both)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Everything that is on call in a run; `people` null: the run ends with the verdict."""

    service: Service
    people: People | None


MakeLine = Callable[
    [Mapping[str, Connector], Mapping[str, Actuator]], AbstractAsyncContextManager[Line]
]


def beside(record: Path, suffix: str) -> Path:
    """Return the folder of a recording that has `suffix`, "" or `AGAIN`."""
    return record.with_name(record.name + suffix)


def systems() -> dict[str, DemoSystem]:
    """Return the installed demo systems by name; raises `DemoError` where there is none."""
    found = {point.name: cast(DemoSystem, point.load()()) for point in entry_points(group=GROUP)}
    if not found:
        raise DemoError("no demo system is installed: run `make setup`, or install examples/shop")
    return found


def chosen(system: DemoSystem, fault: str) -> str | None:
    """Return the fault to inject, null for a run in which nothing breaks; raises `DemoError`."""
    names = [f.name for f in system.faults]
    if fault == NO_FAULT:
        return None
    if fault not in names:
        raise DemoError(f"no fault is called {fault}; there are: {', '.join([*names, NO_FAULT])}")
    return fault


@asynccontextmanager
async def played(
    system: DemoSystem,
    script: Script,
    receiver: OtlpReceiver,
    make_line: MakeLine,
    clock: Clock,
    say: Say,
) -> AsyncIterator[Result]:
    """Run the system once; yields what came of it, while everything still runs.

    Raises `DemoError`, `ConnectorError`.
    """
    inbox = _Inbox(clock)
    receiver.add_route(ALERT_PATH, inbox.receive)
    await receiver.start()
    say(f"starting {system.name}")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(receiver.aclose)
        session = await stack.enter_async_context(system.start(_started(script, receiver)))
        say(f"{len(session.system.services)} services run; traffic flows, then something happens")
        connectors, actuators = _parts(session, receiver)
        for connector in connectors.values():
            stack.push_async_callback(connector.aclose)
        for actuator in actuators.values():
            stack.push_async_callback(actuator.aclose)
        line = await stack.enter_async_context(make_line(connectors, actuators))
        inbox.service = line.service
        play = _Play(session=session, line=line, inbox=inbox, clock=clock, say=say)
        await session.play()
        first = await play.episode()
        recorder = _Recorder(
            script=script, connectors=connectors, service=line.service, clock=clock
        )
        await recorder.keep(first)
        result = await play.story(script.fault or NO_FAULT, first)
        if result.second is not None:
            await recorder.keep(result.second, AGAIN)
        yield result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Play:
    """A run under way."""

    session: Session
    line: Line
    inbox: "_Inbox"
    clock: Clock
    say: Say

    async def episode(self) -> Episode:
        """Wait for the alert about what was just broken, and for the verdict on it."""
        alert = await self._fresh_alert()
        heard = self.clock.monotonic()
        self.say(f"alert: {alert.symptom}")
        service = self.line.service
        answer = await service.submit(
            Investigate(
                text=alert.symptom,
                at=alert.at,
                service=alert.service,
                labels=alert.labels,
                source="alert",
                fingerprint=alert.fingerprint,
            ),
            MONITOR,
        )
        if answer.incident is None:
            raise DemoError(answer.said)
        incident = await service.settled(answer.incident)
        waited = self.clock.monotonic() - heard
        truth = await self.session.truth()
        finding = incident.finding
        right = finding is not None and correct(finding, truth)
        said = _said(finding) if finding is not None else "no verdict"
        self.say(f"{answer.incident}: {said}, {waited:.1f} s after the alert")
        if not right:
            self.say(f"that is wrong: it was {_named(truth.service, truth.change)}")
        return Episode(
            id=answer.incident, incident=incident, truth=truth, correct=right, waited=waited
        )

    async def story(self, fault: str, first: Episode) -> Result:
        """Let people solve it, learn from it, and solve it once more."""
        people = self.line.people
        if people is None or first.truth.service is None:
            return Result(fault=fault, first=first, second=None, learnt=False)
        first = await self._solve(first, people)
        learnt = await people.learn(first.id)
        if not learnt:
            return Result(fault=fault, first=first, second=None, learnt=False)
        self.say("some healthy traffic, then the same thing happens again")
        await self.session.recur()
        second = await self._solve(await self.episode(), people)
        await people.learn(second.id)
        await people.read()
        return Result(fault=fault, first=first, second=second, learnt=learnt)

    async def _solve(self, episode: Episode, people: People) -> Episode:
        """Let people act until it is over."""
        solved = await people.solve(episode.id)
        state = self.line.service.incident(episode.id)
        return replace(episode, incident=state or episode.incident, solved=solved)

    async def _fresh_alert(self) -> Alert:
        """Return the alert about the newest fault; raises `DemoError` where none comes.

        A system that breaks nothing raises its (false) alarm at the end of the play.
        """
        since = self.clock.monotonic() - ALARM_AT_THE_END_S
        try:
            async with asyncio.timeout(ALERT_PATIENCE_S):
                aside = 0
                while True:
                    fresh, alert = await self.inbox.next(since)
                    if fresh:
                        if aside:
                            self.say(f"alerts from before are left aside: {aside}")
                        return alert
                    aside += 1
        except TimeoutError as error:
            raise DemoError(
                f"no alert came within {ALERT_PATIENCE_S:.0f} s; is the machine overloaded?"
            ) from error


def _started(script: Script, receiver: OtlpReceiver) -> DemoRun:
    return DemoRun(
        otlp_endpoint=receiver.endpoint,
        alert_webhook=receiver.endpoint + ALERT_PATH,
        folder=script.folder,
        seed=script.seed,
        fault=script.fault,
        rename=script.rename,
    )


def correct(finding: Finding, truth: Truth) -> bool:
    """Tell whether a verdict is right: the service, the change, and no innocent change blamed."""
    named = finding.verdict in NAMED
    if truth.service is None:
        return not named
    blamed = finding.change.ref if finding.change is not None else None
    return named and finding.hypotheses[0].service == truth.service and blamed == truth.change


def _said(finding: Finding) -> str:
    """Return a verdict in a few words: how sure, whom, and the change that is blamed."""
    if finding.verdict not in NAMED:
        return finding.verdict.value.replace("_", " ")
    change = finding.change.ref if finding.change is not None else None
    return f"{finding.verdict.value} {_named(finding.hypotheses[0].service, change)}"


def _named(service: str | None, change: str | None) -> str:
    if service is None:
        return "nothing"
    return f"{service} after {change}" if change else f"{service}, without a change"


class _Inbox:
    """The alert webhook: what begins is kept with the moment of its arrival, what ends is told."""

    def __init__(self, clock: Clock) -> None:
        self._webhook = AlertmanagerWebhook()
        self._clock = clock
        self._alerts: asyncio.Queue[tuple[float, Alert]] = asyncio.Queue()
        self.service: Service | None = None

    async def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, object]:
        """Take a payload; what it raises becomes a refusal."""
        received = [a for a in self._webhook.receive(headers, body) if isinstance(a, Alert)]
        for alert in received:
            if alert.status == "firing":
                self._alerts.put_nowait((self._clock.monotonic(), alert))
            elif self.service is not None:
                ended = AlertEnded(at=self._clock.now(), fingerprint=alert.fingerprint)
                await self.service.submit(ended, MONITOR)
        return 200, {"received": len(received)}

    async def next(self, since: float) -> tuple[bool, Alert]:
        """Return the next firing alert, and whether it came after the moment `since`."""
        came, alert = await self._alerts.get()
        return came >= since, alert


def _parts(
    session: Session, receiver: OtlpReceiver
) -> tuple[dict[str, Connector], dict[str, Actuator]]:
    """Return what the system can be seen and acted on through; raises `DemoError`."""
    seen = registry.load(session.system.connectors)
    done = registry.load_actuators(session.system.actuators)
    failed = (*seen.failed, *done.failed)
    if failed:
        raise DemoError("; ".join(f"{f.name}: {f.message}" for f in failed))
    return {receiver.connector.name: receiver.connector, **seen.connectors}, dict(done.actuators)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorder:
    """Keeps what an investigation could see, with the truth, as a recording of one case."""

    script: Script
    connectors: Mapping[str, Connector]
    service: Service
    clock: Clock

    async def keep(self, episode: Episode, suffix: str = "") -> None:
        """Write the recording of an episode, where the script names a folder for it."""
        if self.script.record is None or episode.incident.window is None:
            return
        folder = beside(self.script.record, suffix)
        fault = self.script.fault or NO_FAULT
        start, horizon = episode.incident.window
        window = Window(start=start, end=horizon)
        telemetry = (await gather(self.connectors, window, self.clock)).telemetry
        first = telemetry.spans.get_column("start").min()
        write_recording(
            folder,
            title=f"{fault}, seed {self.script.seed}",
            source="recorded by `firstline demo --record`",
            window=Window(start=first if isinstance(first, datetime) else start, end=horizon),
            spans=telemetry.spans,
            logs=telemetry.logs,
            metrics=telemetry.metrics,
            changes=telemetry.changes,
            known_incidents=troubled(self.service.incidents(), episode.id, horizon),
            cases=[self._case(f"{fault}-{self.script.seed}{suffix}", episode, horizon)],
            notes="alert_at is the moment of the investigation, some seconds after the alert",
        )

    def _case(self, name: str, episode: Episode, horizon: datetime) -> Case:
        truth, opened = episode.truth, episode.incident.opened
        return Case(
            id=name,
            alert_at=horizon,
            symptom=opened.text,
            onset=datetime.fromisoformat(truth.onset) if truth.onset else None,
            until=horizon if truth.onset else None,
            alert={"service": opened.service, "fired_at": opened.at.isoformat()},
            truth={
                "service": truth.service,
                "instance": truth.instance,
                "type": truth.type,
                "fault": self.script.fault or NO_FAULT,
                "change": truth.change,
                "decoys": list(truth.innocent),
            },
        )
