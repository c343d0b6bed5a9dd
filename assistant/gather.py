"""Asks through all connectors at once, within one deadline.

A failure becomes a gap ("not looked at"), never an empty answer, whatever a connector of anybody
raises or yields. Nothing later than the window's end is asked for, whoever asks.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Container, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

import polars as pl

from assistant.clock import Clock
from assistant.domain.events import ReadFailed, ReadPerformed
from assistant.engine.question import Telemetry
from connectors.api import FRAME_SCHEMAS, Ask, Capability, Change, Connector, Page, Window
from connectors.errors import ConnectorError, Rejected
from connectors.pages import misfit

_log = logging.getLogger(__name__)

Read = ReadPerformed | ReadFailed

LONGEST_REASON = 100  # characters, where a failure is told in passing
CHANGES_BACK = timedelta(hours=6)  # what builds up slowly began long before it is felt


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Everything that came back, and what was read to get it."""

    telemetry: Telemetry
    reads: tuple[Read, ...]


async def gather(
    connectors: Mapping[str, Connector], window: Window, clock: Clock, *, deadline_s: float = 20.0
) -> Gathered:
    """Ask every connector for everything that it offers; raises nothing for a failed source."""
    reads: list[Read] = []
    async with aclosing(each(connectors, window, clock, deadline_s=deadline_s)) as answers:
        async for answer in answers:
            if isinstance(answer, Telemetry):
                reads.sort(key=lambda read: (read.source, read.capability))
                return Gathered(telemetry=answer, reads=tuple(reads))
            reads.append(answer)
    raise AssertionError("the telemetry comes last")


async def each(
    connectors: Mapping[str, Connector], window: Window, clock: Clock, *, deadline_s: float = 20.0
) -> AsyncGenerator[Read | Telemetry, None]:
    """Ask as `gather` does; yield each read as soon as it is answered, and all telemetry last.

    The telemetry is the same whoever answered first. Whoever closes this ends the asking.
    """
    asks = [
        (
            name,
            connector,
            Ask(capability=capability, window=_span(capability, window), deadline_s=deadline_s),
        )
        for name, connector in sorted(connectors.items())
        for capability in sorted(connector.capabilities)
    ]
    tasks = [asyncio.create_task(_read(name, c, ask, clock)) for name, c, ask in asks]
    try:
        waiting = set(tasks)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task in done:
                    yield task.result()[1]
        yield _joined([task.result() for task in tasks])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def unread(reads: Sequence[Read], wanted: Container[str] = FRAME_SCHEMAS) -> str:
    """Return which of the wanted capabilities were not looked at and why; empty where all were."""
    told = []
    for read in reads:
        if isinstance(read, ReadFailed) and read.capability in wanted:
            why = " ".join(read.reason.split()).rstrip(".")
            short = why if len(why) <= LONGEST_REASON else f"{why[: LONGEST_REASON - 1]}…"
            told.append(f"{read.capability} ({read.source}) not looked at: {short}")
    return "; ".join(told)


def _span(capability: Capability, window: Window) -> Window:
    if capability is not Capability.CHANGES:
        return window
    return Window(start=min(window.start, window.end - CHANGES_BACK), end=window.end)


async def _read(name: str, connector: Connector, ask: Ask, clock: Clock) -> tuple[list[Page], Read]:
    began = clock.monotonic()
    pages: list[Page] = []
    try:
        async with asyncio.timeout(ask.deadline_s):
            async for page in connector.fetch(ask):
                pages.append(page)  # noqa: PERF401 — what came before a failure is kept out below
        _refuse_misfits(pages, ask.capability)
    except TimeoutError:
        reason = f"no answer within {ask.deadline_s:.0f} s"
    except ConnectorError as error:
        reason = str(error)
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 — it may be anybody's
        reason = f"it failed: {type(error).__name__}; the log says more"
        _log.exception("%s failed over %s in a way that it should not", name, ask.capability)
    else:
        return pages, ReadPerformed(
            source=name,
            capability=ask.capability.value,
            rows=sum(_rows(p) for p in pages),
            seconds=round(clock.monotonic() - began, 3),
            complete=all(p.complete for p in pages),
            query=pages[0].query if pages else "",
            link=pages[0].link if pages else None,
        )
    return [], ReadFailed(
        source=name,
        capability=ask.capability.value,
        seconds=round(clock.monotonic() - began, 3),
        reason=reason,
    )


def _refuse_misfits(pages: Sequence[Page], capability: Capability) -> None:
    for page in pages:
        if said := misfit(page, capability):
            raise Rejected(said)


def _rows(page: Page) -> int:
    return (
        (page.frame.height if page.frame is not None else 0) + len(page.changes) + len(page.edges)
    )


def _joined(results: Sequence[tuple[list[Page], Read]]) -> Telemetry:
    answers = [pages for pages, _ in results]
    spans = [read for _, read in results if read.capability == Capability.SPANS]
    pages = [page for answer in answers for page in answer]
    changes: dict[tuple[str, str, str | None], Change] = {}
    for page in pages:
        for change in page.changes:
            changes[change.at.isoformat(), change.ref, change.target] = change
    seen = any(answer and answer[0].capability is Capability.CHANGES for answer in answers)
    return replace(
        Telemetry.empty(),
        spans=_frame(pages, Capability.SPANS),
        logs=_frame(pages, Capability.LOGS),
        metrics=_frame(pages, Capability.METRICS),
        changes=tuple(changes[key] for key in sorted(changes, key=str)),
        changes_seen=seen,
        spans_whole=all(isinstance(read, ReadPerformed) and read.complete for read in spans),
        edges=tuple(sorted({edge for page in pages for edge in page.edges})),
        gaps=tuple(dict.fromkeys(gap for page in pages for gap in page.gaps)),
    )


def _frame(pages: Sequence[Page], capability: Capability) -> pl.DataFrame:
    schema = FRAME_SCHEMAS[capability]
    frames = [p.frame for p in pages if p.capability is capability and p.frame is not None]
    return pl.concat([pl.DataFrame(schema=schema), *frames])
