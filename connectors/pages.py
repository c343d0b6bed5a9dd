"""How a connector that holds the rows itself answers an ask: the same rules for each of them.

A row is known once it is over: a span belongs to a window if it began in it and *ended* before the
window's end, a log line or a sample if its time lies in it. So an ask whose window ends at T gets
nothing that a live backend could not have told at T.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import polars as pl

from connectors.api import FRAME_SCHEMAS, TIME, Ask, Capability, Change, Page
from connectors.errors import DeadlineExceeded, Rejected

# What nanoseconds in 64 bits can tell.
EARLIEST = datetime(1678, 1, 1, tzinfo=UTC)
LATEST = datetime(2262, 1, 1, tzinfo=UTC)

_Answer = TypeVar("_Answer")


def began(capability: Capability) -> str:
    """Return the column with the time at which a row begins."""
    return "start" if capability is Capability.SPANS else "time"


def known(capability: Capability) -> str:
    """Return the column with the time from which on a row can be known."""
    return "end" if capability is Capability.SPANS else "time"


def instant(moment: datetime) -> pl.Expr:
    """Return `moment` as a literal of the frames' time type."""
    return pl.lit(min(max(moment, EARLIEST), LATEST), dtype=TIME)


def asked(ask: Ask) -> pl.Expr:
    """Return the condition that a frame's rows meet if they belong to the answer."""
    begin, end = pl.col(began(ask.capability)), pl.col(known(ask.capability))
    condition = (begin >= instant(ask.window.start)) & (end < instant(ask.window.end))
    return condition & pl.col("service").is_in(ask.services) if ask.services else condition


def bounded(rows: pl.DataFrame, ask: Ask) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the newest `max_items` of `rows` in order of time, and the gap that this left."""
    first, last = began(ask.capability), known(ask.capability)
    gaps: tuple[str, ...] = ()
    if rows.height > ask.max_items:
        gaps = (
            f"Only the newest {ask.max_items} of {rows.height} {ask.capability} were looked at.",
        )
        rows = rows.sort(last, maintain_order=True).tail(ask.max_items)
    return rows.sort(first, maintain_order=True), gaps


def changes_in(changes: tuple[Change, ...], ask: Ask) -> list[Change]:
    """Return the changes that began in the window, in order of time.

    A change without a target (a commit) may concern any service, so a filter keeps it.
    """
    return sorted(
        (
            change
            for change in changes
            if ask.window.start <= change.at < ask.window.end
            and (not ask.services or change.target is None or change.target in ask.services)
        ),
        key=lambda change: change.at,
    )


def misfit(page: Page, capability: Capability) -> str | None:
    """Return in a sentence why this is no page of `capability` as documented; null if it is one."""
    if page.capability is not capability:
        return f"asked for {capability}, got {page.capability}"
    wanted = FRAME_SCHEMAS.get(capability)
    if wanted is None:
        if page.frame is not None:
            return f"{capability} come without a frame"
    elif page.frame is None or list(page.frame.schema.items()) != list(wanted.items()):
        return f"{capability} must come in a frame of exactly the fixed schema"
    if page.changes and capability is not Capability.CHANGES:
        return "only changes come as changes"
    if page.edges and capability is not Capability.GRAPH:
        return "only the graph comes as edges"
    if not all(isinstance(one, str) for caller, callee in page.edges for one in (caller, callee)):
        return "the graph's edges are pairs of names"
    times = [time for change in page.changes for time in (change.at, change.until)]
    if not all(time is None or time.tzinfo is not None for time in times):
        return "a change's times must have a zone"
    return None


def query_text(source: str, ask: Ask) -> str:
    """Return what is really asked of `source`, for a person to read."""
    is_frame = ask.capability in FRAME_SCHEMAS
    first, last = (began(ask.capability), known(ask.capability)) if is_frame else ("at", "at")
    start, end = (
        moment.astimezone(UTC).isoformat() for moment in (ask.window.start, ask.window.end)
    )
    said = f"{source} where {first} >= {start} and {last} < {end}"
    if ask.services:
        said += f" and service in ({', '.join(ask.services)})"
    return f"{said}, newest {ask.max_items}"


def refuse_unless_offered(ask: Ask, offered: frozenset[Capability], name: str) -> None:
    """Raise `Rejected` for an ask that this connector can never answer."""
    if ask.capability not in offered:
        raise Rejected(
            f"{name} has no {ask.capability}; it offers {', '.join(sorted(offered)) or 'nothing'}."
        )
    if ask.cursor is not None:
        raise Rejected(f"{name} answers in one page and gave out no cursor; ask without one.")


async def within_deadline(ask: Ask, name: str, work: Callable[[], _Answer]) -> _Answer:
    """Run `work` in a thread and return its result; raises `DeadlineExceeded` if it takes longer.

    The thread itself cannot be stopped: it ends on its own and its result is dropped.
    """
    try:
        async with asyncio.timeout(ask.deadline_s):
            return await asyncio.to_thread(work)
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"{name} did not answer within {ask.deadline_s:g} s; ask for a shorter window or allow "
            "more time."
        ) from error
