"""`firstline investigate`: one question, one card or one JSON object."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from assistant import observe, wiring
from assistant.card import show
from assistant.clock import SystemClock
from assistant.commands import Investigate
from assistant.config import Settings
from assistant.domain.events import ReadFailed
from assistant.result import dumps, result
from assistant.views import view
from connectors.errors import Rejected
from connectors.recording import open_recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command line's options."""

    question: str
    recording: Path | None
    at: datetime | None
    service: str | None
    as_json: bool


async def run(asked: Asked, settings: Settings) -> int:
    """Investigate and print; 0 whatever the verdict is, since "not determined" is an answer too."""
    clock = SystemClock()
    if asked.recording is not None:
        info = open_recording(asked.recording).info
        at = asked.at or info.end
        service = wiring.recorded(asked.recording, settings)
    else:
        at = asked.at or clock.now()
        service = wiring.live(settings)
    began = clock.monotonic()
    command = Investigate(text=asked.question, at=at, horizon=at, service=asked.service)
    with observe.exported(settings.telemetry_endpoint):
        incident = await service.investigate(command)
    failed = [r for r in incident.reads if isinstance(r, ReadFailed)]
    if asked.recording is not None and failed:
        # A live source may be down; a recording that cannot be read is a mistake in the question.
        raise Rejected(failed[0].reason)
    if asked.as_json:
        click.echo(dumps(result(incident)))
        click.echo(f"{clock.monotonic() - began:.1f} s", err=True)
    else:
        show(view(incident), Console())
    return 0
