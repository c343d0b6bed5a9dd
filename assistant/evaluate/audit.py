"""What the audit trail costs: records a second, what a click waits for, and proving a million.

All figures stand beside what the disk itself takes for an append of the same size in the same run:
they say more about the code than a number of milliseconds does.
"""

import asyncio
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.clock import SystemClock
from assistant.config import DATABASE
from assistant.domain.events import Closed, Event, Opened, PolicyDecided, ReadPerformed, ScopeSet
from assistant.domain.people import FIRSTLINE
from assistant.journal.api import Writing
from assistant.journal.group import GroupCommit
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.store.database import open_database

BYTES = 700  # about what a record takes
SINGLES, GROUPED, AT_ONCE = 400, 6000, 128
BATCH = 2000
A_CLICK = 3  # records before people see that their yes was taken: the yes, the policy, the start

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Rates are a second, times in ms, CPU in s, memory in MiB."""

    fsync_rate: float
    fsync_p99: float
    single_rate: float
    single_p50: float
    single_p99: float
    grouped_rate: float
    click_p99: float
    verified: int
    verify_cpu: float
    verify_mib: float


async def measure(folder: Path, records: int, progress: Progress) -> Figures:
    """Measure in an empty folder; `records` are written to be verified, as `progress` is told."""
    appended = await asyncio.to_thread(_fsync, folder)
    with closing(open_database(folder / "single.db")) as database:
        single = await asyncio.to_thread(_single, SqlJournal(database, SystemClock()))
    with closing(open_database(folder / "grouped.db")) as database:
        grouped = await _grouped(SqlJournal(database, SystemClock()))
    await asyncio.to_thread(_fill, folder, records, progress)
    cpu, mib = await asyncio.to_thread(_verify, folder)
    return Figures(
        fsync_rate=1 / _mean(appended),
        fsync_p99=_at(appended, 0.99) * 1e3,
        single_rate=1 / _mean(single),
        single_p50=_at(single, 0.5) * 1e3,
        single_p99=_at(single, 0.99) * 1e3,
        grouped_rate=grouped,
        click_p99=_at([sum(single[i : i + A_CLICK]) for i in range(len(single))], 0.99) * 1e3,
        verified=records,
        verify_cpu=cpu,
        verify_mib=mib,
    )


def story(number: int) -> Iterator[Event]:
    """Yield what an incident without an action writes down."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    yield Opened(at=at, text=f"bookings are slow ({number})", service="ledger", horizon=None)
    yield ScopeSet(start=at, end=at)
    for source in ("prometheus", "loki", "tempo", "argocd"):
        yield ReadPerformed(
            source=source, capability="spans", rows=1500, seconds=0.4, complete=True,
            query='{service="ledger"}', link=None,
        )  # fmt: skip
    for stage in ("asked", "start"):
        yield PolicyDecided(
            stage=stage, action="restart_instance", target="instance/ledger-1", decision="deny",
            rule=None, why="no rule of the policy allows it", needed=0, group=None,
            policy="0" * 64, facts="0" * 64, failed=False,
        )  # fmt: skip
    yield Closed(by=FIRSTLINE, at=at, reason="it went away")


def _fsync(folder: Path) -> list[float]:
    """Return how long an append of a record's size takes until it is on the disk."""
    with (folder / "fsync").open("ab", buffering=0) as file:

        def append() -> None:
            file.write(b"x" * BYTES)
            os.fdatasync(file.fileno())

        return [_timed(append) for _ in range(SINGLES)]


def _single(journal: SqlJournal) -> list[float]:
    events = [event for number in range(SINGLES // 9 + 1) for event in story(number)][:SINGLES]
    return [_timed(lambda e=event: journal.append("INC-1", FIRSTLINE, [e])) for event in events]  # type: ignore[misc]


async def _grouped(journal: SqlJournal) -> float:
    group = GroupCommit(journal)

    async def write(number: int) -> None:
        for _ in range(GROUPED // AT_ONCE):
            await group.append(f"INC-{number}", FIRSTLINE, [next(story(number))])

    began = time.perf_counter()
    await asyncio.gather(*(write(number) for number in range(AT_ONCE)))
    return (GROUPED // AT_ONCE) * AT_ONCE / (time.perf_counter() - began)


def _fill(folder: Path, records: int, progress: Progress) -> None:
    """Write a journal of so many records."""
    with closing(open_database(folder / DATABASE)) as database:
        journal, batch, written = SqlJournal(database, SystemClock()), [], 0
        for number in range(1, records // 9 + 2):
            events = tuple(story(number))[: max(1, records - written)]
            batch.append(Writing(incident=f"INC-{number}", actor=FIRSTLINE, events=events))
            written += len(events)
            if len(batch) * 9 >= BATCH or written >= records:
                journal.append_all(batch)
                batch = []
                progress(written)
            if written >= records:
                return


def _verify(folder: Path) -> tuple[float, float]:
    """Verify; return the CPU seconds and the most memory that the process took meanwhile."""
    _forget_peak()
    before = time.process_time()
    report = verify(folder / DATABASE)
    cpu = time.process_time() - before
    if report.state is not State.SOUND:
        raise RuntimeError(f"a journal that was just written is {report.state}: {report.why}")
    return cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _forget_peak() -> None:
    """Count the most memory from here on, where the kernel can (Linux, proc(5))."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _at(values: Sequence[float], quantile: float) -> float:
    return sorted(values)[min(len(values) - 1, int(quantile * len(values)))]
