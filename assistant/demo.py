"""One live run: a real system breaks, its alert comes in, firstline investigates, truth is compared.

The system comes from the entry-point group `firstline.demos`. Everything it says reaches firstline
the way a stranger's system would say it: OTLP over HTTP, an alert webhook, a feed of changes.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from assistant.clock import Clock
from assistant.commands import Investigate
from assistant.domain.hypothesis import Finding, Verdict
from assistant.domain.incident import Incident
from assistant.gather import gather
from assistant.service import Service
from connectors import registry
from connectors.alertmanager import AlertmanagerWebhook
from connectors.api import Alert, Change, Connector, Window
from connectors.demo import DemoError, DemoRun, DemoSystem, Session, Truth
from connectors.errors import ConnectorError
from connectors.otlp import OtlpReceiver
from connectors.recording import write_recording

GROUP = "firstline.demos"
ALERT_PATH = "/alerts"
ALERT_PATIENCE_S = 60.0
SETTLE_S = 5.0  # telemetry is exported in batches, and a few seconds of it say more than none
NO_FAULT = "none"

Say = Callable[[str], None]
MakeService = Callable[[Mapping[str, Connector]], Service]


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
    plan: DemoRun,
    receiver: OtlpReceiver,
    make_service: MakeService,
    clock: Clock,
    *,
    say: Say,
    record: Path | None = None,
) -> Result:
    """Run the system once, from its start to the verdict; raises `DemoError`, `ConnectorError`."""
    alerts: asyncio.Queue[Alert] = asyncio.Queue()
    receiver.add_route(ALERT_PATH, _alert_route(AlertmanagerWebhook(), alerts))
    say(f"starting {system.name}")
    async with system.start(plan) as session:
        say(f"{len(session.system.services)} services run; traffic flows for a while first")
        connectors = {receiver.connector.name: receiver.connector, **_connectors(session)}
        alert = await _first_alert(session, alerts)
        heard = clock.monotonic()
        say(f"alert: {alert.symptom}")
        service = make_service(connectors)
        await asyncio.sleep(SETTLE_S)
        horizon = clock.now()
        incident = await service.investigate(
            Investigate(
                text=alert.symptom,
                at=alert.at,
                horizon=horizon,
                service=alert.service,
                labels=alert.labels,
            )
        )
        waited = clock.monotonic() - heard
        truth = await session.truth()
        if record is not None:
            await _record(record, connectors, alert, truth, horizon, clock)
        for connector in connectors.values():
            if connector is not receiver.connector:
                await connector.aclose()
    finding = incident.finding
    return Result(
        fault=plan.fault or NO_FAULT,
        incident=incident,
        alert=alert,
        truth=truth,
        correct=finding is not None and correct(finding, truth),
        waited=waited,
    )


def correct(finding: Finding, truth: Truth) -> bool:
    """Tell whether a verdict is right: the service, the change, and no innocent change blamed."""
    named = finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    if truth.service is None:
        return not named
    blamed = finding.change.ref if finding.change is not None else None
    return named and finding.hypotheses[0].service == truth.service and blamed == truth.change


def _alert_route(
    webhook: AlertmanagerWebhook, alerts: "asyncio.Queue[Alert]"
) -> Callable[[Mapping[str, str], bytes], "asyncio.Future[object]"]:
    raise NotImplementedError


def _connectors(session: Session) -> dict[str, Connector]:
    registered = registry.load(session.system.connectors)
    if registered.failed:
        raise DemoError("; ".join(f"{f.name}: {f.message}" for f in registered.failed))
    return dict(registered.connectors)


async def _first_alert(session: Session, alerts: "asyncio.Queue[Alert]") -> Alert:
    """Play the run and return the first alert that comes after the fault was put in."""
    play = asyncio.create_task(session.play())
    try:
        alert = await _firing(play, alerts)
    finally:
        play.cancel()
        await asyncio.gather(play, return_exceptions=True)
    return alert


async def _firing(play: "asyncio.Task[None]", alerts: "asyncio.Queue[Alert]") -> Alert:
    await play
    try:
        async with asyncio.timeout(ALERT_PATIENCE_S):
            while True:
                alert = await alerts.get()
                if alert.status == "firing":
                    return alert
    except TimeoutError as error:
        raise DemoError(
            f"no alert came within {ALERT_PATIENCE_S:.0f} s of the fault; is the machine overloaded?"
        ) from error


async def _record(  # noqa: PLR0913
    folder: Path,
    connectors: Mapping[str, Connector],
    alert: Alert,
    truth: Truth,
    horizon: datetime,
    clock: Clock,
) -> None:
    window = Window(start=horizon - timedelta(hours=1), end=horizon)
    telemetry = (await gather(connectors, window, clock)).telemetry
    raise NotImplementedError
