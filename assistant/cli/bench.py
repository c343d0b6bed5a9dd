"""`firstline bench`: measures, prints a table, writes figures."""

import asyncio
import dataclasses
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from assistant.evaluate.audit import Figures, measure
from assistant.evaluate.diagnosis import Outcome, abstentions, outcomes
from assistant.evaluate.report import report, show
from assistant.result import dumps
from connectors.recording import open_recording


async def audit(records: int, json_file: Path | None) -> int:
    """Measure the audit trail in a folder of its own, which is removed afterwards."""
    progress = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="firstline-bench-") as folder,
        Progress(console=progress, disable=not progress.is_terminal) as bar,
    ):
        task = bar.add_task("records to verify", total=records)
        found = await measure(Path(folder), records, lambda n: bar.update(task, completed=n))
    show_audit(found, Console())
    if json_file is not None:
        text = dumps(dataclasses.asdict(found)) + "\n"
        await asyncio.to_thread(json_file.write_text, text, encoding="utf-8")
    return 0


def show_audit(found: Figures, console: Console) -> None:
    """Print the figures, each with what it means."""
    table = Table("what", "figure", "beside it")
    single = found.single_rate / found.fsync_rate
    table.add_row(
        "append and fsync, bare", f"{found.fsync_rate:.0f}/s", f"p99 {found.fsync_p99:.1f} ms"
    )
    table.add_row(
        "one record at a time",
        f"{found.single_rate:.0f}/s",
        f"{single:.2f} of bare; p50 {found.single_p50:.1f}, p99 {found.single_p99:.1f} ms",
    )
    table.add_row(
        "grouped",
        f"{found.grouped_rate:.0f}/s",
        f"{found.grouped_rate / found.single_rate:.1f} times one at a time",
    )
    table.add_row(
        "what a click waits for", f"p99 {found.click_p99:.1f} ms", "three records in a row"
    )
    table.add_row(
        f"verify {found.verified:,} records",
        f"{found.verify_cpu:.1f} s CPU",
        f"{found.verify_mib:.0f} MiB",
    )
    console.print(table)


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
