"""What the steps of a plan would do now: previewed and judged, without asking for anything."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from assistant.commands import RequestStep
from assistant.domain.incident import Incident
from assistant.requesting import Rehearsed, Requesting, meant
from connectors.errors import ConnectorError

PATIENCE_S = 10.0


async def rehearse(
    incident: str, state: Incident, requesting: Requesting
) -> Mapping[int, Rehearsed]:
    """Return each step that names an action, by its place in the plan (from 0).

    Where nothing can be asked for at the moment, each says so and still what it would do.
    """
    steps = state.plan.steps if state.plan is not None else ()
    numbers = [number for number, step in enumerate(steps) if step.action is not None]
    tries = asyncio.gather(*(_tried(incident, n, state, requesting) for n in numbers))
    told, hindrance = await asyncio.gather(tries, requesting.hindrance(state))
    return {
        number: replace(one, why=one.why or hindrance)
        for number, one in zip(numbers, told, strict=True)
    }


async def _tried(incident: str, number: int, state: Incident, requesting: Requesting) -> Rehearsed:
    wanted = meant(RequestStep(incident=incident, step=number), state)
    if isinstance(wanted, str):
        return Rehearsed(why=wanted)
    try:
        call = requesting.sources.catalogue.call(wanted.action, wanted.args)
        async with asyncio.timeout(PATIENCE_S):
            return await requesting.rehearsed(wanted, call, incident, state)
    except ConnectorError as error:
        return Rehearsed(why=str(error))
    except TimeoutError:
        return Rehearsed(why=f"{wanted.action} was not previewed within {PATIENCE_S:.0f} s")
