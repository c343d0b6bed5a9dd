"""`firstline bench`: measures, prints a table, writes figures."""

import asyncio
from pathlib import Path

from rich.console import Console
from rich.progress import track

from assistant.evaluate.diagnosis import Outcome, abstentions, outcomes
from assistant.evaluate.report import report, show
from assistant.result import dumps
from connectors.recording import open_recording


async def diagnosis(folders: tuple[Path, ...], json_file: Path | None, *, given: bool) -> int:
    """Run every case of every folder; raises `connectors.errors.Rejected` for a faulty one."""
    recordings = [open_recording(folder) for folder in folders]
    progress = Console(stderr=True)
    found: list[Outcome] = []
    quiet, asked = 0, 0
    for recording in track(
        recordings, description="recordings", console=progress, disable=not progress.is_terminal
    ):
        found += await outcomes(recording, given=given)
        more = await abstentions(recording)
        quiet, asked = quiet + more[0], asked + more[1]
    show(found, (quiet, asked), Console())
    if json_file is not None:
        text = dumps(report(found, (quiet, asked))) + "\n"
        await asyncio.to_thread(json_file.write_text, text, encoding="utf-8")
    return 0
