"""One generated case put to the engine by the live protocol, without a file in between."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import polars as pl

from assistant.engine.question import Question, Telemetry
from assistant.evaluate.diagnosis import Outcome, outcome, question_of
from assistant.flow import LOOK_BACK
from bench.generated.plan import Planned, make
from bench.generator import Recorded, Shape
from connectors.api import Ask, Capability, Window
from connectors.pages import asked, began, bounded, changes_in, known
from connectors.redact import redact_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A case as it was made, and what the engine said."""

    planned: Planned
    outcome: Outcome


def judge_all(plans: Sequence[Planned], jobs: int) -> Iterator[Judged]:
    """Yield the answers in the order of the plans, from so many processes."""
    if jobs < 2:
        yield from map(judge, plans)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge, plans)


def judge(planned: Planned, shape: Shape | None = None) -> Judged:
    """Make a case and ask the engine about it; without `shape` the seed draws one."""
    made, recorded = make(planned, shape)
    (case,) = recorded.cases
    question = question_of(case, recorded.known_incidents, given=False)
    said = outcome(made.variety, case, seen(recorded, question), question)
    return Judged(planned=made, outcome=said)


def seen(recorded: Recorded, question: Question) -> Telemetry:
    """Return what the connector of recordings would have told at the time of the question."""
    window = Window(start=question.at - LOOK_BACK, end=question.horizon)
    changes = changes_in(recorded.changes, Ask(capability=Capability.CHANGES, window=window))
    return Telemetry(
        spans=_rows(recorded, recorded.spans, Ask(capability=Capability.SPANS, window=window)),
        logs=_rows(recorded, recorded.logs, Ask(capability=Capability.LOGS, window=window)),
        metrics=_rows(
            recorded, recorded.metrics, Ask(capability=Capability.METRICS, window=window)
        ),
        changes=tuple(
            c if c.until is not None and c.until < window.end else replace(c, until=None)
            for c in changes
        ),
        changes_seen=True,
    )


def _rows(recorded: Recorded, frame: pl.DataFrame, ask: Ask) -> pl.DataFrame:
    """Return the rows of the ask's window, without those that are impossible."""
    begin, end = pl.col(began(ask.capability)), pl.col(known(ask.capability))
    possible = (begin >= recorded.window.start) & (end <= recorded.window.end) & (end >= begin)
    rows, _ = bounded(frame.filter(possible & asked(ask)), ask)
    return redact_frame(rows)
