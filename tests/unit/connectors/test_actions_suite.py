"""The contract suite finds actuators that break their promises."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from connectors import testing_actuators as suite
from connectors.actions import ActionCall, ActionSpec, Args, Effect, Outcome, Preview, Risk
from connectors.errors import Rejected
from connectors.testing_actuators import CHECKS, ActuatorContract, Check


class Lamp(Args):
    lamp: str
    light: str


SPEC = ActionSpec(
    name="switch",
    summary="Switch a lamp.",
    effect=Effect.MUTATE,
    args=Lamp,
    target="lamp",
    reversible=True,
    risk=Risk.LOW,
)
LAMPS = ("hall", "cellar")


class Honest:
    """Two lamps that can be switched."""

    name = "lamps"
    specs = (SPEC,)

    def __init__(self) -> None:
        self.lit = dict.fromkeys(LAMPS, "off")
        self.runs: dict[str, tuple[ActionCall, Outcome]] = {}

    async def preview(self, call: ActionCall) -> Preview:
        lamp, light = self.understood(call)
        return Preview(
            target=f"lamp/{lamp}",
            state=self.lit[lamp],
            summary=f"Switch {lamp} {light}.",
            diff=(f"- {self.lit[lamp]}", f"+ {light}"),
            blast="Whoever is there sees it.",
            touches=1,
            among=len(LAMPS),
            undo=ActionCall(action="switch", args={"lamp": lamp, "light": self.lit[lamp]}),
        )

    async def run(self, call: ActionCall, key: str) -> Outcome:
        if key in self.runs:
            first, outcome = self.runs[key]
            if first != call:
                raise Rejected("The key is taken.")
            return outcome
        lamp, light = self.understood(call)
        self.lit[lamp] = light
        self.runs[key] = (call, Outcome(summary=f"{lamp} is {light}.", ref=f"run-{key}"))
        return self.runs[key][1]

    async def probe(self, key: str) -> Outcome | None:
        return self.runs[key][1] if key in self.runs else None

    async def aclose(self) -> None:
        return None

    def understood(self, call: ActionCall) -> tuple[str, str]:
        if call.action != "switch" or set(call.args) != {"lamp", "light"}:
            raise Rejected("This is no call of ours.")
        lamp, light = str(call.args["lamp"]), str(call.args["light"])
        if self.lit.get(lamp) in (None, light):
            raise Rejected("There is nothing to switch.")
        return lamp, light


class ActsOnPreview(Honest):
    async def preview(self, call: ActionCall) -> Preview:
        shown = await super().preview(call)
        self.lit[str(call.args["lamp"])] += "?"
        return shown


class ForgetsKeys(Honest):
    async def run(self, call: ActionCall, key: str) -> Outcome:
        self.runs.clear()
        return await super().run(call, key)


class TakesAnyKey(Honest):
    async def run(self, call: ActionCall, key: str) -> Outcome:
        return self.runs[key][1] if key in self.runs else await super().run(call, key)


class Forgetful(Honest):
    async def probe(self, key: str) -> Outcome | None:
        return None


class OneWay(Honest):
    async def preview(self, call: ActionCall) -> Preview:
        shown = await super().preview(call)
        other = next(lamp for lamp in LAMPS if lamp != call.args["lamp"])
        undo = ActionCall(action="switch", args={"lamp": other, "light": "on"})
        return Preview(**{**{f: getattr(shown, f) for f in shown.__slots__}, "undo": undo})


class Nameless(Honest):
    specs = (SPEC, SPEC)


class Lazy(Honest):
    async def run(self, call: ActionCall, key: str) -> Outcome:
        self.understood(call)
        return Outcome(summary="Done.")


class Willing(Honest):
    def understood(self, call: ActionCall) -> tuple[str, str]:
        return str(call.args.get("lamp", "hall")), str(call.args.get("light", "on"))


class ClosesOnce(Honest):
    closed = False

    async def aclose(self) -> None:
        if self.closed:
            raise ValueError("closed already")
        self.closed = True


def eager() -> Honest:
    with open(__file__, encoding="utf-8"):  # noqa: PTH123 - what the suite must see
        return Honest()


def contract(kind: Callable[[], Honest]) -> ActuatorContract:
    made = kind()

    @asynccontextmanager
    async def make() -> AsyncIterator[Honest]:
        yield made

    async def calls() -> tuple[ActionCall, ...]:
        return tuple(
            ActionCall(action="switch", args={"lamp": lamp, "light": "on"}) for lamp in LAMPS
        )

    absent = ActionCall(action="switch", args={"lamp": "attic", "light": "on"})
    return ActuatorContract(make=make, build=kind, calls=calls, impossible=(absent,))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_an_honest_actuator_passes(check: Check):
    await check(contract(Honest))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (eager, suite.building_does_no_io),
        (Nameless, suite.specs_are_complete),
        (ActsOnPreview, suite.previews_change_nothing),
        (ForgetsKeys, suite.a_key_runs_once),
        (Lazy, suite.a_key_runs_once),
        (TakesAnyKey, suite.a_key_belongs_to_one_call),
        (Forgetful, suite.probing_tells),
        (OneWay, suite.undoing_returns_the_old_state),
        (Willing, suite.what_cannot_be_done_is_rejected),
        (ClosesOnce, suite.closing_again_is_harmless),
    ],
)
async def test_a_broken_promise_is_found(kind: Callable[[], Honest], check: Check):
    with pytest.raises((AssertionError, ValueError, Rejected)):
        await check(contract(kind))
