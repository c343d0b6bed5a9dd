"""The straight line of an investigation, readable from top to bottom: one stage, its events.

Stages yield what happened; they keep nothing. Whoever drives the flow records each event before it
asks for the next one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from opentelemetry import trace

from assistant import names
from assistant.clock import Clock
from assistant.commands import Investigate
from assistant.domain.events import (
    Event,
    HypothesesRanked,
    Opened,
    PlanProposed,
    RecallFailed,
    ScopeSet,
)
from assistant.domain.hypothesis import Verdict
from assistant.domain.plan import RemediationPlan
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question
from assistant.gather import gather
from assistant.recall import Search, plan
from connectors.api import Connector, Window
from retrieval.api import RetrievalError
from runbooks.model import Runbook

LOOK_BACK = timedelta(minutes=75)  # an hour of baseline before an onset up to 15 minutes ago

_tracer = trace.get_tracer(names.TRACER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that an investigation looks at."""

    connectors: Mapping[str, Connector]
    search: Search | None
    runbooks: Mapping[str, Runbook]
    known_incidents: tuple[Window, ...] = ()


async def investigate(command: Investigate, sources: Sources, clock: Clock) -> AsyncIterator[Event]:
    """Yield the events of one investigation, in order."""
    yield Opened(at=command.at, text=command.text, service=command.service)
    window = Window(start=command.at - LOOK_BACK, end=command.horizon)
    yield ScopeSet(start=window.start, end=window.end)

    with _tracer.start_as_current_span(
        names.SPAN_STAGE, attributes={names.ATTRIBUTE_STAGE: "gather"}
    ):
        gathered = await gather(sources.connectors, window, clock)
    for read in gathered.reads:
        yield read

    began = clock.monotonic()
    question = Question(
        at=command.at,
        horizon=command.horizon,
        text=command.text,
        service=command.service,
        known_incidents=sources.known_incidents,
    )
    with _tracer.start_as_current_span(
        names.SPAN_STAGE, attributes={names.ATTRIBUTE_STAGE: "analyse"}
    ):
        finding = await asyncio.to_thread(diagnose, gathered.telemetry, question)
    yield HypothesesRanked(finding=finding, seconds=round(clock.monotonic() - began, 3))

    if sources.search is None or finding.verdict not in (Verdict.LIKELY, Verdict.POSSIBLE):
        return
    began = clock.monotonic()
    try:
        with _tracer.start_as_current_span(
            names.SPAN_STAGE, attributes={names.ATTRIBUTE_STAGE: "recall"}
        ):
            found: RemediationPlan | None = await asyncio.to_thread(
                plan, sources.search, sources.runbooks, finding
            )
    except RetrievalError as error:
        yield RecallFailed(reason=str(error))
        return
    if found is not None:
        yield PlanProposed(plan=found, seconds=round(clock.monotonic() - began, 3))
