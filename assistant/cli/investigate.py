"""`firstline investigate`: one question, one card or one JSON object, and a picture if wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from assistant import observe, wiring
from assistant.card import show
from assistant.clock import Clock, SystemClock
from assistant.commands import Investigate
from assistant.config import Settings
from assistant.domain.events import ReadFailed
from assistant.domain.incident import Incident
from assistant.engine.series import panels
from assistant.failure import Unusable
from assistant.gather import gather, unread
from assistant.result import dumps, result
from assistant.views import view
from connectors.api import Connector, Window
from connectors.errors import Rejected
from connectors.recording import RecordingConnector, open_recording

NOTHING = "nothing to draw: no cited fact has a course"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The command line's options."""

    question: str
    recording: Path | None
    at: datetime | None
    service: str | None
    as_json: bool
    plot: Path | None = None


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
    if asked.plot is not None:
        said = await _plot(incident, _sources(asked, settings), clock, asked.plot)
        click.echo(said, err=asked.as_json)
    return 0


def _sources(asked: Asked, settings: Settings) -> Mapping[str, Connector]:
    if asked.recording is not None:
        return {"recording": RecordingConnector(asked.recording)}
    return wiring.configured(settings).connectors


async def _plot(
    incident: Incident, connectors: Mapping[str, Connector], clock: Clock, file: Path
) -> str:
    """Draw the evidence into a file, and its sentences beside it; return them, or why not.

    The sources are read once more: an incident keeps what was found, not what it was found in.
    Raises `Unusable` where the files cannot be written.
    """
    if incident.window is None or incident.finding is None:
        return NOTHING
    start, end = incident.window
    gathered = await gather(connectors, Window(start=start, end=end), clock)
    series = panels(gathered.telemetry, incident.finding)
    if not series:
        failed = unread(gathered.reads)
        return f"nothing to draw: {failed}" if failed else NOTHING
    from assistant.plots import png  # noqa: PLC0415 — a second to load, and few want a picture

    said = "\n".join(s.alt for s in series)
    _write(file, png(*series), said)
    return said


def _write(file: Path, image: bytes, said: str) -> None:
    try:
        file.write_bytes(image)
        file.with_name(f"{file.name}.txt").write_text(f"{said}\n", encoding="utf-8")
    except OSError as error:
        raise Unusable(
            f"the picture cannot be written to {file}: {error.strerror}; name another --plot"
        ) from error
