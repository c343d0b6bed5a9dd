"""What every actuator must do, as checks that anyone can run on theirs.

    contract = ActuatorContract(make=..., build=..., calls=..., impossible=...)

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    async def test_contract(check):
        await check(contract)

A check raises AssertionError with a sentence that says what was promised and what happened. The
checks really act, and take back what can be taken back: give them a system to play with.
"""

import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from connectors.actions import ActionCall, Actuator, Preview
from connectors.errors import Rejected
from connectors.testing import effects, must

_SIGNS = str.maketrans("+-", "-+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatorContract:
    """An actuator to check, and what can be done with the system behind it.

    `make` opens an actuator; `build` is what the entry point does. `calls` names calls that can be
    done now, at least two, each on something that the others leave alone; it is asked anew before
    each use. `impossible` are calls of known actions that cannot be done: an unknown target, or
    nothing to change.
    """

    make: Callable[[], AbstractAsyncContextManager[Actuator]]
    build: Callable[[], Actuator]
    calls: Callable[[], Awaitable[tuple[ActionCall, ...]]]
    impossible: tuple[ActionCall, ...]


Check = Callable[[ActuatorContract], Awaitable[None]]


async def building_does_no_io(contract: ActuatorContract) -> None:
    """Building opens no file and no socket; what it imports is imported first."""
    contract.build()
    found = effects(contract.build)
    must(not found, f"build() must do no I/O, but it did: {', '.join(found)}")


async def specs_are_complete(contract: ActuatorContract) -> None:
    """Names are unique, the target is an argument, and the specs cover what can be called."""
    async with contract.make() as actuator:
        specs = {spec.name: spec for spec in actuator.specs}
        must(len(specs) == len(actuator.specs), "two actions have the same name")
        for spec in specs.values():
            fields = spec.args.model_fields
            must(spec.target in fields, f"{spec.name} has no argument {spec.target}, its target")
            must(bool(spec.summary.strip()), f"{spec.name} must say what it does")
        for call in await contract.calls():
            specs[call.action].args.model_validate(dict(call.args))


async def previews_change_nothing(contract: ActuatorContract) -> None:
    """A preview is the same the second time, says something, and shows what will differ."""
    async with contract.make() as actuator:
        calls = await contract.calls()
        first = [await actuator.preview(call) for call in calls]
        must([await actuator.preview(call) for call in calls] == first, "a preview changed a thing")
        for shown in first:
            said = (shown.target, shown.state, shown.summary, shown.blast, *shown.diff)
            must(bool(shown.diff) and all(said), "a preview must fill all but undo")
            must(0 <= shown.touches <= shown.among, "a preview must count what it touches")


async def a_key_runs_once(contract: ActuatorContract) -> None:
    """A second run with a key returns the first outcome and leaves the system as it is."""
    async with contract.make() as actuator:
        for call in await contract.calls():
            before, key = await actuator.preview(call), uuid.uuid4().hex
            first = await actuator.run(call, key)
            must(bool(first.summary.strip()), "an outcome must hold a sentence")
            after = await _shown(actuator, call)
            must(after != before, f"{call.action} ran and nothing is different")
            must(await actuator.run(call, key) == first, "a key's second outcome must be its first")
            must(await _shown(actuator, call) == after, f"{call.action} was done twice for one key")
            await _take_back(actuator, before)


async def a_key_belongs_to_one_call(contract: ActuatorContract) -> None:
    """A key that was used for another call is Rejected, and that call is not done."""
    async with contract.make() as actuator:
        first, second, *_ = await contract.calls()
        key, before = uuid.uuid4().hex, await actuator.preview(first)
        untouched = await actuator.preview(second)
        await actuator.run(first, key)
        await _is_rejected(actuator.run(second, key), "a key was used for two calls")
        must(await actuator.preview(second) == untouched, "a call was done under another's key")
        await _take_back(actuator, before)


async def probing_tells(contract: ActuatorContract) -> None:
    """A probe knows nothing of a new key, and the outcome of a used one."""
    async with contract.make() as actuator:
        call, *_ = await contract.calls()
        before, key = await actuator.preview(call), uuid.uuid4().hex
        must(await actuator.probe(key) is None, "a key that was never used has no outcome")
        outcome = await actuator.run(call, key)
        must(await actuator.probe(key) == outcome, "a probe must tell the outcome of the run")
        await _take_back(actuator, before)


async def undoing_returns_the_old_state(contract: ActuatorContract) -> None:
    """After run and undo the same call would do the same again; what is reversible has an undo."""
    async with contract.make() as actuator:
        reversible = {spec.name for spec in actuator.specs if spec.reversible}
        for call in await contract.calls():
            before = await actuator.preview(call)
            must(
                (before.undo is not None) == (call.action in reversible),
                f"{call.action} must show an undo if and only if it is reversible",
            )
            if before.undo is None:
                continue
            await actuator.run(call, uuid.uuid4().hex)
            back = await actuator.preview(before.undo)
            must(_reversed(back.diff) == set(before.diff), "an undo must show the reverse")
            await _take_back(actuator, before)
            again = await actuator.preview(call)
            must(again.diff == before.diff, f"undoing {call.action} left something behind")


async def what_cannot_be_done_is_rejected(contract: ActuatorContract) -> None:
    """Unknown actions, arguments and targets are Rejected in a sentence, and leave no outcome."""
    async with contract.make() as actuator:
        call, *_ = await contract.calls()
        foreign = (
            ActionCall(action="no-such-action"),
            ActionCall(action=call.action, args={**call.args, "no-such-argument": "1"}),
        )
        for wrong in (*foreign, *contract.impossible):
            key = uuid.uuid4().hex
            await _is_rejected(actuator.preview(wrong), f"{wrong} was previewed")
            await _is_rejected(actuator.run(wrong, key), f"{wrong} was run")
            must(await actuator.probe(key) is None, "what was rejected must leave no outcome")


async def closing_again_is_harmless(contract: ActuatorContract) -> None:
    """`aclose` may be called again."""
    async with contract.make() as actuator:
        await actuator.aclose()
        await actuator.aclose()


CHECKS: tuple[Check, ...] = (
    building_does_no_io,
    specs_are_complete,
    previews_change_nothing,
    a_key_runs_once,
    a_key_belongs_to_one_call,
    probing_tells,
    undoing_returns_the_old_state,
    what_cannot_be_done_is_rejected,
    closing_again_is_harmless,
)


async def _shown(actuator: Actuator, call: ActionCall) -> Preview | None:
    """Return what the call would do now; null if it can no longer be done."""
    try:
        return await actuator.preview(call)
    except Rejected:
        return None


async def _take_back(actuator: Actuator, shown: Preview) -> None:
    if shown.undo is not None:
        await actuator.run(shown.undo, uuid.uuid4().hex)


async def _is_rejected(work: Awaitable[object], otherwise: str) -> None:
    try:
        await work
    except Rejected as error:
        must(bool(str(error).strip()), "a rejection must hold a sentence")
    else:
        raise AssertionError(f"{otherwise}, but it must be Rejected")


def _reversed(diff: tuple[str, ...]) -> set[str]:
    """Return the lines with the signs of what goes and what comes exchanged."""
    return {line[0].translate(_SIGNS) + line[1:] for line in diff}
