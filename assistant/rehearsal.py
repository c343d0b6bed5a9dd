"""What the steps of a plan would do now: previewed and judged, without asking for anything."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.actions.judge import ASKED, Case
from assistant.commands import RequestStep
from assistant.domain.events import PolicyDecided
from assistant.domain.incident import Incident
from assistant.flow import Sources
from assistant.policy.decide import Kind
from assistant.requesting import meant
from connectors.actions import Preview
from connectors.errors import ConnectorError

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a step would do; `why` says why it cannot be asked for as things stand, or is null.

    `decided` is what the policy says of it. Both are null where there is no preview.
    """

    preview: Preview | None = None
    decided: PolicyDecided | None = None
    why: str | None = None


async def rehearse(incident: str, state: Incident, sources: Sources) -> Mapping[int, Rehearsed]:
    """Return each step that names an action, by its place in the plan (from 0)."""
    steps = state.plan.steps if state.plan is not None else ()
    numbers = [number for number, step in enumerate(steps) if step.action is not None]
    told = await asyncio.gather(*(_tried(incident, n, state, sources) for n in numbers))
    return dict(zip(numbers, told, strict=True))


async def _tried(incident: str, number: int, state: Incident, sources: Sources) -> Rehearsed:
    wanted = meant(RequestStep(incident=incident, step=number), state)
    if isinstance(wanted, str):
        return Rehearsed(why=wanted)
    try:
        call = sources.catalogue.call(wanted.action, wanted.args)
        entry = sources.catalogue.entry(call.action)
        async with asyncio.timeout(PATIENCE_S):
            preview = await entry.actuator.preview(call)
    except ConnectorError as error:
        return Rehearsed(why=str(error))
    except TimeoutError:
        return Rehearsed(why=f"{wanted.action} was not previewed within {PATIENCE_S:.0f} s")
    now = sources.clock.now()
    case = Case(
        spec=entry.spec,
        preview=preview,
        at=now,
        repeated=sources.recent(preview.target, now),
        reason=bool(wanted.reason.strip()),
        break_glass=wanted.break_glass,
    )
    decided = sources.judge.ask(case, stage=ASKED)
    denied = decided.decision == Kind.DENY or decided.rule is None
    why = f"the policy does not allow it: {decided.why}" if denied else None
    return Rehearsed(preview=preview, decided=decided, why=why)
