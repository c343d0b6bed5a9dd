"""One live run: a real system breaks, its alert comes in, the verdict is compared with the truth.

The system comes from the entry-point group `firstline.demos`. Everything it says reaches firstline
the way a stranger's system would say it: OTLP over HTTP, an alert webhook, a feed of changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from assistant.clock import Clock
from assistant.commands import Investigate
from assistant.domain.hypothesis import Finding, Verdict
from assistant.domain.incident import Incident
from assistant.flow import LOOK_BACK
from assistant.gather import gather
from assistant.service import Service
from connectors import registry
from connectors.alertmanager import AlertmanagerWebhook
from connectors.api import Alert, Connector, Window
from connectors.demo import DemoError, DemoRun, DemoSystem, Session, Truth
from connectors.otlp import OtlpReceiver
from connectors.recording import Case, write_recording

GROUP = "firstline.demos"
ALERT_PATH = "/alerts"
ALERT_PATIENCE_S = 60.0
ALARM_AT_THE_END_S = 2.0
SETTLE_S = 5.0  # telemetry is exported in batches, and a few seconds of it say more than none
NO_FAULT = "none"

Say = Callable[[str], None]
MakeService = Callable[[Mapping[str, Connector]], Awaitable[Service]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How to run the system once; `record` is where its telemetry is kept, if anywhere."""

    fault: str | None
    seed: int
    folder: Path
    rename: bool = False
    record: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run. `waited` is seconds from the alert to the verdict."""

    fault: str
    incident: Incident
    alert: Alert
    truth: Truth
    correct: bool
    waited: float


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


async def run(
    system: DemoSystem,
    script: Script,
    receiver: OtlpReceiver,
    make_service: MakeService,
    clock: Clock,
    say: Say,
) -> Result:
    """Run the system once, from its start to the verdict; raises `DemoError`, `ConnectorError`."""
    inbox = _Inbox(clock)
    receiver.add_route(ALERT_PATH, inbox.receive)
    await receiver.start()
    say(f"starting {system.name}")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(receiver.aclose)
        session = await stack.enter_async_context(system.start(_started(script, receiver)))
        say(f"{len(session.system.services)} services run; traffic flows, then something happens")
        connectors = {receiver.connector.name: receiver.connector, **_connectors(session)}
        for connector in connectors.values():
            stack.push_async_callback(connector.aclose)
        alert = await _first_alert(session, inbox, clock, say)
        heard = clock.monotonic()
        say(f"alert: {alert.symptom}")
        service = await make_service(connectors)
        await asyncio.sleep(SETTLE_S)
        horizon = clock.now()
        incident = await service.investigate(_command(alert, horizon))
        waited = clock.monotonic() - heard
        truth = await session.truth()
        if script.record is not None:
            asked = _Asked(script=script, alert=alert, horizon=horizon, truth=truth)
            await _record(script.record, connectors, asked, clock)
    finding = incident.finding
    return Result(
        fault=script.fault or NO_FAULT,
        incident=incident,
        alert=alert,
        truth=truth,
        correct=finding is not None and correct(finding, truth),
        waited=waited,
    )


def _started(script: Script, receiver: OtlpReceiver) -> DemoRun:
    return DemoRun(
        otlp_endpoint=receiver.endpoint,
        alert_webhook=receiver.endpoint + ALERT_PATH,
        folder=script.folder,
        seed=script.seed,
        fault=script.fault,
        rename=script.rename,
    )


def _command(alert: Alert, horizon: datetime) -> Investigate:
    return Investigate(
        text=alert.symptom,
        at=alert.at,
        horizon=horizon,
        service=alert.service,
        labels=alert.labels,
    )


def correct(finding: Finding, truth: Truth) -> bool:
    """Tell whether a verdict is right: the service, the change, and no innocent change blamed."""
    named = finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    if truth.service is None:
        return not named
    blamed = finding.change.ref if finding.change is not None else None
    return named and finding.hypotheses[0].service == truth.service and blamed == truth.change


class _Inbox:
    """The alert webhook: parse, keep with the moment of arrival, acknowledge."""

    def __init__(self, clock: Clock) -> None:
        self._webhook = AlertmanagerWebhook()
        self._clock = clock
        self._alerts: asyncio.Queue[tuple[float, Alert]] = asyncio.Queue()

    async def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, object]:
        """Take a payload; what it raises becomes a refusal."""
        received = [a for a in self._webhook.receive(headers, body) if isinstance(a, Alert)]
        for alert in received:
            if alert.status == "firing":
                self._alerts.put_nowait((self._clock.monotonic(), alert))
        return 200, {"received": len(received)}

    async def next(self, since: float) -> tuple[bool, Alert]:
        """Return the next firing alert, and whether it came after the moment `since`."""
        came, alert = await self._alerts.get()
        return came >= since, alert


def _connectors(session: Session) -> dict[str, Connector]:
    registered = registry.load(session.system.connectors)
    if registered.failed:
        raise DemoError("; ".join(f"{f.name}: {f.message}" for f in registered.failed))
    return dict(registered.connectors)


async def _first_alert(session: Session, inbox: _Inbox, clock: Clock, say: Say) -> Alert:
    """Play the run and return the alert about it; raises `DemoError` where none comes.

    A system that breaks nothing raises its (false) alarm at the end of the play.
    """
    await session.play()
    since = clock.monotonic() - ALARM_AT_THE_END_S
    try:
        async with asyncio.timeout(ALERT_PATIENCE_S):
            while True:
                fresh, alert = await inbox.next(since)
                if fresh:
                    return alert
                say(f"an alert from before is left aside: {alert.symptom}")
    except TimeoutError as error:
        raise DemoError(
            f"no alert came within {ALERT_PATIENCE_S:.0f} s; is the machine overloaded?"
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The investigation of a run: what was asked, and until when telemetry was seen."""

    script: Script
    alert: Alert
    horizon: datetime
    truth: Truth


async def _record(
    folder: Path, connectors: Mapping[str, Connector], asked: _Asked, clock: Clock
) -> None:
    """Keep what the investigation could see, with the truth, as a recording of one case."""
    window = Window(start=asked.horizon - LOOK_BACK, end=asked.horizon)
    telemetry = (await gather(connectors, window, clock)).telemetry
    first = telemetry.spans.get_column("start").min()
    truth, fault = asked.truth, asked.script.fault or NO_FAULT
    case = Case(
        id=f"{fault}-{asked.script.seed}",
        alert_at=asked.horizon,
        symptom=asked.alert.symptom,
        onset=datetime.fromisoformat(truth.onset) if truth.onset else None,
        until=asked.horizon if truth.onset else None,
        alert={"service": asked.alert.service, "fired_at": asked.alert.at.isoformat()},
        truth={
            "service": truth.service,
            "instance": truth.instance,
            "type": truth.type,
            "fault": fault,
            "change": truth.change,
            "decoys": list(truth.innocent),
        },
    )
    write_recording(
        folder,
        title=f"{fault}, seed {asked.script.seed}",
        source="recorded by `firstline demo --record`",
        window=Window(start=first if isinstance(first, datetime) else window.start, end=window.end),
        spans=telemetry.spans,
        logs=telemetry.logs,
        metrics=telemetry.metrics,
        changes=telemetry.changes,
        cases=[case],
        notes="alert_at is the moment of the investigation, some seconds after the alert",
    )
