"""`firstline demo`: one live run of a real system, and whether the verdict was right."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import RenderableType

from assistant import demo, observe, oncall, wiring
from assistant.cli import ending
from assistant.cli.serve import refuse_beside_real
from assistant.clock import Clock, SystemClock
from assistant.config import AuditSettings, Settings, TimingSettings
from assistant.folder import held
from assistant.journal.verify import Report, State, verify
from assistant.result import dumps, result
from assistant.slack.local.page import LocalPage
from assistant.story import WHO_MAY_NOT, People
from assistant.vouching import believed, trusted
from connectors.actions import Actuator
from connectors.api import Connector
from connectors.demo import DemoError, DemoSystem
from connectors.otlp import OtlpReceiver
from connectors.otlp import Settings as OtlpSettings
from retrieval.api import Index


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
    verdict_only: bool
    page: bool
    auto: bool


def refuse_kept(record: Path) -> None:
    """Say before the run that a recording could not be kept; raises `click.BadParameter`."""
    for folder in (demo.beside(record, suffix) for suffix in ("", demo.AGAIN)):
        if folder.exists() and (folder.is_file() or any(folder.iterdir())):
            raise click.BadParameter(
                f"{folder} is not empty; name a new folder", param_hint="--record"
            )


# A demo is short: its effects show within seconds, and so does their absence.
TIMING = TimingSettings(look_after_s=6, settle_s=3, every_s=2, patience_s=40, grace_s=10)


def apart(settings: Settings, folder: Path) -> Settings:
    """Return `settings` for a run that touches nothing of what is really on call.

    Its index lies in `folder`: on a configured server it would replace what incidents have taught.
    """
    own: dict[str, object] = {
        "data": folder,
        "timing": TIMING,
        "audit": AuditSettings(),
        "qdrant": None,
    }
    return settings.model_copy(update=own)


class _Progress:
    """Says on standard error what happens, with the seconds since the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began = clock, clock.monotonic()

    def say(self, sentence: str) -> None:
        click.echo(f"{self._clock.monotonic() - self._began:6.1f} s  {sentence}", err=True)


@dataclass(slots=True, kw_only=True)
class _Line:
    """Makes what is on call in the run, and keeps its Slack to be read at the end."""

    asked: Asked
    settings: Settings
    clock: Clock
    say: Callable[[str], None]
    index: "asyncio.Task[Index]"
    said: Callable[[], list[RenderableType]] = list

    @asynccontextmanager
    async def make(
        self, connectors: Mapping[str, Connector], actuators: Mapping[str, Actuator]
    ) -> AsyncIterator[demo.Line]:
        parts = oncall.Parts(
            connectors=connectors, actuators=actuators, index=await self.index, receivers={}
        )
        async with AsyncExitStack() as stack:
            here, slack = await stack.enter_async_context(
                oncall.on_local_slack(parts, self.settings, self.clock)
            )
            if self.asked.page:
                page = await stack.enter_async_context(LocalPage(slack))
                self.say(f"the thread in a browser: {page.url}")
            people = None if self.asked.verdict_only else People(slack, here.service, self.say)
            self.said = partial(ending.thread, slack)
            yield demo.Line(service=here.service, people=people)


@asynccontextmanager
async def _index(settings: Settings) -> AsyncIterator["asyncio.Task[Index]"]:
    """Open the index meanwhile: its libraries take seconds to load."""
    with ExitStack() as stack:
        opened = asyncio.to_thread(stack.enter_context, wiring.index(settings))
        opening = asyncio.create_task(opened)
        try:
            yield opening
        finally:
            await asyncio.wait([opening])


def listing(wanted: str | None) -> int:
    """Print one fault a line, its name first; raises `DemoError`."""
    for fault in _system(wanted).faults:
        click.echo(f"{fault.name}\t{fault.summary}")
    return 0


async def run(asked: Asked, settings: Settings) -> int:
    """Run once; 0 only if everything was right. Raises `DemoError`, `FolderInUse` and others."""
    if asked.page:
        refuse_beside_real(settings, "--page")
    system = _system(asked.system)
    names = [f.name for f in system.faults]
    fault = demo.chosen(system, asked.fault or names[asked.seed % len(names)])
    clock = SystemClock()
    progress = _Progress(clock)
    async with AsyncExitStack() as stack:
        folder = asked.data or Path(tempfile.mkdtemp(prefix="firstline-demo-"))
        local = apart(settings, folder)
        if asked.data is None:
            for made in (folder, local.audit_folder):
                stack.callback(shutil.rmtree, made, ignore_errors=True)
        stack.enter_context(held(folder))
        script = demo.Script(
            fault=fault,
            seed=asked.seed,
            folder=folder / "system",
            rename=asked.rename,
            record=asked.record,
        )
        index = await stack.enter_async_context(_index(local))
        line = _Line(asked=asked, settings=local, clock=clock, say=progress.say, index=index)
        receiver = OtlpReceiver(OtlpSettings(port=asked.port))
        stack.enter_context(observe.exported(settings.telemetry_endpoint))
        came = await stack.enter_async_context(
            demo.played(system, script, receiver, line.make, clock, progress.say)
        )
        audit = verify(local.database, believed(local), trusted(local))
        right = _right(came, audit, whole=not asked.verdict_only)
        if asked.as_json:
            click.echo(dumps(_told(came, audit)))
        else:
            ending.show_end(came, audit, line.said(), right=right)
        if asked.page and not asked.auto:
            progress.say("the page stays open, and so does the system; Ctrl-C ends it")
            await asyncio.Event().wait()
    return 0 if right else 1


def _system(wanted: str | None) -> DemoSystem:
    found = demo.systems()
    if wanted is None:
        return found[min(found)]
    if wanted not in found:
        raise DemoError(f"no demo system is called {wanted}; there are: {', '.join(sorted(found))}")
    return found[wanted]


def _right(came: demo.Result, audit: Report, *, whole: bool) -> bool:
    """Tell whether everything was as it should be; `whole`: not only the verdict."""
    if not came.first.correct or audit.state is not State.SOUND:
        return False
    if not whole or came.first.truth.service is None:
        return True
    first, second = came.first.solved, came.second.solved if came.second else None
    if first is None or second is None or came.second is None:
        return False
    shorter = came.first.steps > came.second.steps
    told = len(first.refused) == len(WHO_MAY_NOT)
    learnt = came.learnt and came.seen_before
    # Seconds are told but not judged: on a busy machine they say little.
    return came.second.correct and came.recovered and learnt and shorter and told


def _told(came: demo.Result, audit: Report) -> dict[str, object]:
    """Return the first incident's result with what was true and how it went on."""
    return {
        **result(came.first.incident),
        "fault": came.fault,
        "truth": asdict(came.first.truth),
        "correct": came.first.correct,
        "recovered": came.recovered,
        "audit": audit.state.value,
        "seen_before": came.seen_before,
        "first": _episode(came.first),
        "second": _episode(came.second) if came.second else None,
    }


def _episode(episode: demo.Episode) -> dict[str, object]:
    plan, solved = episode.incident.plan, episode.solved
    return {
        "incident": episode.id,
        "correct": episode.correct,
        "verdict_s": round(episode.waited, 1),
        "recovered_s": solved.seconds if solved else None,
        "runbook": plan.runbook if plan else None,
        "steps": episode.steps,
        "actions_tried": solved.tried if solved else 0,
        "refused": list(solved.refused) if solved else [],
    }
