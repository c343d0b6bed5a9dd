"""`firstline demo`: one live run of a real system, and whether the verdict was right."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console

from assistant import demo, observe, wiring
from assistant.card import show
from assistant.clock import Clock, SystemClock
from assistant.config import Settings
from assistant.folder import held
from assistant.result import dumps, result
from assistant.service import Service
from assistant.views import view
from connectors.api import Connector
from connectors.demo import DemoError, DemoSystem
from connectors.otlp import OtlpReceiver
from connectors.otlp import Settings as OtlpSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command line's options."""

    system: str | None
    fault: str | None
    seed: int
    rename: bool
    record: Path | None
    port: int
    data: Path | None
    as_json: bool


class _Progress:
    """Says on standard error what happens, with the seconds since the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began = clock, clock.monotonic()

    def say(self, sentence: str) -> None:
        click.echo(f"{self._clock.monotonic() - self._began:6.1f} s  {sentence}", err=True)


def listing(wanted: str | None) -> int:
    """Print one fault a line, its name first; raises `DemoError`."""
    for fault in _system(wanted).faults:
        click.echo(f"{fault.name}\t{fault.summary}")
    return 0


async def run(asked: Asked, settings: Settings) -> int:
    """Run once; 0 only if the verdict was right. Raises `DemoError`, `FolderInUse` and others."""
    system = _system(asked.system)
    names = [f.name for f in system.faults]
    fault = demo.chosen(system, asked.fault or names[asked.seed % len(names)])
    clock = SystemClock()
    progress = _Progress(clock)
    with ExitStack() as stack:
        folder = asked.data or Path(tempfile.mkdtemp(prefix="firstline-demo-"))
        if asked.data is None:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(held(folder))
        local = settings.model_copy(update={"data": folder})
        script = demo.Script(
            fault=fault,
            seed=asked.seed,
            folder=folder / "system",
            rename=asked.rename,
            record=asked.record,
        )
        opening = asyncio.create_task(asyncio.to_thread(stack.enter_context, wiring.index(local)))

        async def make_service(connectors: Mapping[str, Connector]) -> Service:
            return wiring.service(connectors, await opening, local)

        receiver = OtlpReceiver(OtlpSettings(port=asked.port))
        try:
            with observe.exported(settings.telemetry_endpoint):
                came = await demo.run(system, script, receiver, make_service, clock, progress.say)
        finally:
            await asyncio.wait([opening])
    _print(came, as_json=asked.as_json, progress=progress)
    return 0 if came.correct else 1


def _system(wanted: str | None) -> DemoSystem:
    found = demo.systems()
    if wanted is None:
        return found[min(found)]
    if wanted not in found:
        raise DemoError(f"no demo system is called {wanted}; there are: {', '.join(sorted(found))}")
    return found[wanted]


def _print(came: demo.Result, *, as_json: bool, progress: _Progress) -> None:
    progress.say(f"verdict {came.waited:.1f} s after the alert")
    if as_json:
        extra = {
            "fault": came.fault,
            "truth": asdict(came.truth),
            "correct": came.correct,
            "recovered": None,
            "audit": None,
            "seen_before": None,
        }
        click.echo(dumps({**result(came.incident), **extra}))
        return
    console = Console()
    show(view(came.incident), console)
    truth = came.truth
    if truth.service is None:
        happened = "nothing was broken"
    else:
        where = truth.instance or truth.service
        change = f"change {truth.change}" if truth.change else "no change was at fault"
        happened = f"{came.fault} at {where}; {change}"
    console.print(f"What really happened: {happened}.", highlight=False)
    colour, said = ("green", "right") if came.correct else ("red", "wrong")
    console.print(f"The verdict is [bold {colour}]{said}[/].")
