"""What every connector must do, as checks that anyone can run on theirs.

    contract = ConnectorContract(make=..., build=..., window=..., secret="hunter2")

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    async def test_contract(check):
        await check(contract)

A check raises AssertionError with a sentence that says what was promised and what happened.
`connectors.testing_actuators` is the same for what can be acted on.
"""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from connectors.api import FRAME_SCHEMAS, Ask, Capability, Connector, Page, Receiver, Window
from connectors.errors import ConnectorError, Rejected
from connectors.pages import asked, misfit

_PATIENCE_S = 10.0
_PLANTED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorContract:
    """A connector to check, and what its maker has put into it.

    `make` opens one connector (started, if it listens) that holds, within `window`, at least two
    items of every capability that it offers; `build` is what the entry point does. `secret` is a
    text that the maker has planted as a password in telemetry, which must not come out again.
    """

    make: Callable[[], AbstractAsyncContextManager[Connector]]
    build: Callable[[], Connector | Receiver]
    window: Window
    secret: str

    def ask(self, capability: Capability) -> Ask:
        """Return the ask for everything of `capability`."""
        return Ask(capability=capability, window=self.window)


Check = Callable[[ConnectorContract], Awaitable[None]]


async def build_does_no_io(contract: ConnectorContract) -> None:
    """Building opens no file and no socket; what it imports is imported first."""
    contract.build()
    found = effects(contract.build)
    must(not found, f"build() must do no I/O, but it did: {', '.join(found)}")


async def answers_are_typed(contract: ConnectorContract) -> None:
    """Frames have exactly the schema, changes aware times; nothing else is filled."""
    async with contract.make() as connector:
        for capability in connector.capabilities:
            pages = await _pages(connector, contract.ask(capability))
            must(_items(pages) >= _PLANTED, f"the maker must plant two {capability} in the window")
            for page in pages:
                said = misfit(page, capability)
                must(said is None, said or "")


async def answers_stay_in_the_window(contract: ConnectorContract) -> None:
    """Start inclusive, end exclusive; an empty window holds nothing."""
    window = contract.window
    halves = (
        Window(start=window.start, end=window.start + (window.end - window.start) / 2),
        Window(start=window.start, end=window.start),
    )
    async with contract.make() as connector:
        for capability in connector.capabilities - {Capability.GRAPH}:
            for half in (window, *halves):
                ask = replace(contract.ask(capability), window=half)
                for page in await _pages(connector, ask):
                    _check_window(page, ask)


async def answers_are_bounded(contract: ConnectorContract) -> None:
    """No more than `max_items`; what was left out is said."""
    async with contract.make() as connector:
        for capability in connector.capabilities:
            pages = await _pages(connector, replace(contract.ask(capability), max_items=1))
            must(_items(pages) <= 1, f"max_items=1 must give at most one of the {capability}")
            cut = [page for page in pages if not page.complete]
            must(bool(cut), f"a page of {capability} that was cut must say complete=False")
            must(any(page.gaps for page in cut), f"a cut page of {capability} must name the gap")


async def services_are_filtered(contract: ConnectorContract) -> None:
    """Only the asked services come; of one that does not exist nothing, which is no error."""
    async with contract.make() as connector:
        for capability in connector.capabilities & FRAME_SCHEMAS.keys():
            everything = contract.ask(capability)
            known = _services(await _pages(connector, everything))
            for name in (*sorted(known)[:1], "no-such-service"):
                pages = await _pages(connector, replace(everything, services=(name,)))
                must(
                    _services(pages) == known & {name},
                    f"only the {capability} of the asked services may come, and all of them",
                )


async def answers_tell_the_query(contract: ConnectorContract) -> None:
    """Every page says what was really asked."""
    async with contract.make() as connector:
        for capability in connector.capabilities:
            for page in await _pages(connector, contract.ask(capability)):
                must(bool(page.query.strip()), f"a page of {capability} must tell its query")


async def secrets_stay_inside(contract: ConnectorContract) -> None:
    """The planted secret is in no page, and something was redacted."""
    said = ""
    async with contract.make() as connector:
        for capability in connector.capabilities:
            for page in await _pages(connector, contract.ask(capability)):
                text = page.frame.write_json() if page.frame is not None else repr(page.changes)
                must(contract.secret not in text, f"a secret left with the {capability}")
                said += text
    must("[redacted" in said, "the maker must plant the secret as a password in some telemetry")


async def only_connector_errors_leave(contract: ConnectorContract) -> None:
    """What is not offered, and a cursor that nobody gave out, is Rejected; a deadline may pass."""
    async with contract.make() as connector:
        for capability in Capability:
            offered = capability in connector.capabilities
            foreign = replace(contract.ask(capability), cursor="not-ours")
            late = replace(contract.ask(capability), deadline_s=0.0)
            for ask in (foreign, late) if offered else (contract.ask(capability),):
                try:
                    await asyncio.wait_for(_pages(connector, ask), _PATIENCE_S)
                except ConnectorError as error:
                    fitting = isinstance(error, Rejected) or ask is late
                    must(fitting, f"{capability}: {type(error).__name__} is not Rejected")
                    must(bool(str(error)), "an error must hold a sentence")
                else:
                    must(offered, f"asking for {capability}, not offered, must be Rejected")
                    must(ask is late, "an unknown cursor must be Rejected")


async def fetching_can_be_cancelled(contract: ConnectorContract) -> None:
    """Cancelling ends the fetch, and the connector goes on answering."""
    async with contract.make() as connector:
        for capability in connector.capabilities:
            task = asyncio.create_task(_pages(connector, contract.ask(capability)))
            await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=_PATIENCE_S)
            must(bool(done), f"a cancelled fetch of {capability} must end")
            must(
                _items(await _pages(connector, contract.ask(capability))) >= _PLANTED,
                "it must go on",
            )


async def health_is_a_sentence(contract: ConnectorContract) -> None:
    """A working connector says so."""
    async with contract.make() as connector:
        health = await connector.check()
        must(health.ok, f"check() must find a working connector well, not: {health.message}")
        must(bool(health.message.strip()), "check() must say something")


async def closing_twice_is_once(contract: ConnectorContract) -> None:
    """`aclose` may be called again."""
    async with contract.make() as connector:
        await connector.aclose()
        await connector.aclose()


CHECKS: tuple[Check, ...] = (
    build_does_no_io,
    answers_are_typed,
    answers_stay_in_the_window,
    answers_are_bounded,
    services_are_filtered,
    answers_tell_the_query,
    secrets_stay_inside,
    only_connector_errors_leave,
    fetching_can_be_cancelled,
    health_is_a_sentence,
    closing_twice_is_once,
)


async def _pages(connector: Connector, ask: Ask) -> list[Page]:
    return [page async for page in connector.fetch(ask)]


def _items(pages: list[Page]) -> int:
    return sum(
        page.frame.height if page.frame is not None else len(page.changes) + len(page.edges)
        for page in pages
    )


def _services(pages: list[Page]) -> set[str]:
    return {name for page in pages if page.frame is not None for name in page.frame["service"]}


def _check_window(page: Page, ask: Ask) -> None:
    if page.frame is not None:
        outside = page.frame.filter(~asked(ask))
        must(outside.is_empty(), f"{ask.capability} outside the window came along")
    for change in page.changes:
        must(ask.window.start <= change.at < ask.window.end, "a change outside the window came")
        over = change.until is None or change.until < ask.window.end
        must(over, "a change's end was told before it could be known")


def effects(work: Callable[[], object]) -> list[str]:
    """Return the audit events of files, sockets and processes that `work` causes in this thread."""
    seen: list[str] = []
    thread = threading.get_ident()
    watching = True

    def hook(event: str, _arguments: tuple[object, ...]) -> None:
        mine = watching and threading.get_ident() == thread
        if mine and (event == "open" or event.startswith(("os.", "socket.", "subprocess."))):
            seen.append(event)

    sys.addaudithook(hook)  # cannot be removed, only silenced
    try:
        work()
    finally:
        watching = False
    return seen


def must(condition: bool, sentence: str) -> None:  # noqa: FBT001 - reads as assert does
    """Raise `AssertionError` with the sentence unless the condition holds."""
    if not condition:
        raise AssertionError(sentence)
