"""`firstline doctor`: what is installed, what answers, and what to do about the rest."""

import importlib.util
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console

import assistant
from assistant import wiring
from assistant.config import Settings
from assistant.folder import FolderInUse, HeldByAnother, held
from assistant.journal.api import JournalError
from assistant.journal.verify import State, verify
from assistant.result import dumps
from assistant.vouching import believed, trusted
from connectors import registry
from connectors.api import Connector
from connectors.errors import ConnectorError
from connectors.registry import Listener
from retrieval.api import RetrievalError
from runbooks.model import RunbookError

BUSY = "another firstline process uses the data folder (is it on call?)"
PACKAGES = ("assistant", "connectors", "retrieval", "runbooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    message: str


async def run(settings: Settings, *, as_json: bool) -> int:
    """Check everything; 0 if all is well, 1 otherwise."""
    busy = _busy(settings)
    sources = [*await _sources(settings, busy=busy), *await _actuators(settings)]
    own = [_packages(), _index(settings, busy=busy), _journal(settings)]
    own.append(_listen(settings, busy=busy))
    if as_json:
        answer = {
            "available_connectors": list(registry.available()),
            "configured": [asdict(c) for c in sources],
            "installation": [asdict(c) for c in own],
        }
        click.echo(dumps(answer))
    else:
        _print(own, sources, settings)
    return 0 if all(c.ok for c in (*own, *sources)) else 1


def _busy(settings: Settings) -> bool:
    """Tell whether another process, most likely the one on call, uses the data folder."""
    try:
        with held(settings.data, patience_s=1.0):
            return False
    except HeldByAnother:
        return True
    except FolderInUse:
        return False  # the index will say why


async def _sources(settings: Settings, *, busy: bool) -> list[Check]:
    registered = wiring.configured(settings)
    checks = [Check(name=f.name, ok=False, message=f.message) for f in registered.failed]
    for name, connector in registered.connectors.items():
        checks.append(await _source(name, connector, busy=busy))
    checks += [
        Check(name=name, ok=True, message="waits to be called") for name in registered.receivers
    ]
    return sorted(checks, key=lambda c: c.name)


async def _source(name: str, connector: Connector, *, busy: bool) -> Check:
    """Check a source; what has to listen is not started: what it heard would be dropped."""
    try:
        if busy and isinstance(connector, Listener):
            return Check(name=name, ok=True, message=f"not looked at: {BUSY}")
        health = await connector.check()
    except ConnectorError as error:
        return Check(name=name, ok=False, message=str(error))
    finally:
        await connector.aclose()
    return Check(name=name, ok=health.ok, message=health.message)


async def _actuators(settings: Settings) -> list[Check]:
    loaded = registry.load_actuators(settings.actuators)
    checks = [Check(name=f.name, ok=False, message=f.message) for f in loaded.failed]
    for name, actuator in sorted(loaded.actuators.items()):
        offered = ", ".join(spec.name for spec in actuator.specs)
        checks.append(Check(name=name, ok=True, message=f"can be asked for: {offered}"))
        await actuator.aclose()
    return checks


def _journal(settings: Settings) -> Check:
    if not settings.database.exists():
        return Check(name="journal", ok=True, message="nothing was written down yet")
    try:
        report = verify(settings.database, believed(settings), trusted(settings))
    except JournalError as error:
        return Check(name="journal", ok=False, message=str(error))
    if report.state is State.SOUND:
        return Check(name="journal", ok=True, message=f"sound, {report.records} records")
    return Check(name="journal", ok=False, message=f"{report.state.value}: {report.why}")


def _listen(settings: Settings, *, busy: bool) -> Check:
    """Try the port for webhooks and health checks, without serving it."""
    where = f"{settings.listen}, for webhooks and health checks,"
    if busy:
        return Check(name="listen", ok=True, message=f"not tried: {BUSY}")
    try:
        with socket.socket() as tried:
            # As whoever serves: what has just been closed is no hindrance.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(settings.address)
    except OSError as error:
        message = f"{where} cannot be opened ({error.strerror}): stop what uses it, or set `listen`"
        return Check(name="listen", ok=False, message=message)
    return Check(name="listen", ok=True, message=f"{where} can be opened")


def _packages() -> Check:
    """Our four packages have common names: say so when another distribution shadows one."""
    home = Path(assistant.__file__).parent.parent
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        where = Path(found.origin).parent.parent if found and found.origin else None
        if where != home:
            message = (
                f"the package {name} comes from {where}: install firstline in its own environment"
            )
            return Check(name="packages", ok=False, message=message)
    return Check(name="packages", ok=True, message="all four are firstline's own")


def _index(settings: Settings, *, busy: bool) -> Check:
    if busy:
        return Check(name="index", ok=True, message=f"not looked at: {BUSY}")
    try:
        with held(settings.data, patience_s=1.0), wiring.index(settings) as index:
            status = index.status()
    except (FolderInUse, RetrievalError, RunbookError) as error:
        return Check(name="index", ok=False, message=str(error))
    message = f"{status.documents} runbooks in {status.engine}, embedded by {status.embedder}"
    return Check(name="index", ok=True, message=message)


def _print(own: list[Check], sources: list[Check], settings: Settings) -> None:
    console = Console()
    for check in (*own, *sources):
        mark = "[green]✓[/]" if check.ok else "[red]✗[/]"
        console.print(f"{mark} [bold]{check.name}[/]  {check.message}", highlight=False)
    if not sources:
        console.print(settings.no_connectors, style="yellow", markup=False, highlight=False)
    console.print(f"available connectors: {', '.join(registry.available())}", highlight=False)
