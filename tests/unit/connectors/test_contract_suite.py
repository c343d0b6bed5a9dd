"""The contract suite finds connectors that break their promises."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from connectors import testing
from connectors.api import Ask, Capability, Connector, Health, Page, Window
from connectors.recording import RecordingConnector
from connectors.testing import Check, ConnectorContract


class Tampered(RecordingConnector):
    """A recording whose pages somebody spoils."""

    def __init__(self, path: Path, spoil: Callable[[Page, Ask], Page]) -> None:
        super().__init__(path)
        self._spoil = spoil

    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        async for page in super().fetch(ask):
            yield self._spoil(page, ask)


class Unbounded(RecordingConnector):
    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        async for page in super().fetch(replace(ask, max_items=1000)):
            yield page


class Timeless(RecordingConnector):
    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        always = Window(
            start=ask.window.start.replace(year=2000), end=ask.window.end.replace(year=2100)
        )
        async for page in super().fetch(replace(ask, window=always)):
            yield page


class Undiscerning(RecordingConnector):
    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        async for page in super().fetch(replace(ask, services=())):
            yield page


class Careless(RecordingConnector):
    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        async for page in super().fetch(replace(ask, cursor=None)):
            yield page


class Raw(RecordingConnector):
    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        if ask.cursor:
            raise KeyError(ask.cursor)
        async for page in super().fetch(ask):
            yield page


class Unwell(RecordingConnector):
    async def check(self) -> Health:
        return Health(ok=False, message="no")


class ClosesOnce(RecordingConnector):
    closed = False

    async def aclose(self) -> None:
        if self.closed:
            raise ValueError("closed already")
        self.closed = True


def eager(path: Path) -> Connector:
    path.stat()
    (path / "recording.json").read_text()
    return RecordingConnector(path)


def tampered(spoil: Callable[[Page, Ask], Page]) -> Callable[[Path], Connector]:
    return lambda path: Tampered(path, spoil)


def wider(page: Page, _ask: Ask) -> Page:
    return page if page.frame is None else replace(page, frame=page.frame.with_columns(extra=1))


def leaking(page: Page, _ask: Ask) -> Page:
    if page.capability is not Capability.LOGS or page.frame is None:
        return page
    return replace(page, frame=page.frame.with_columns(body=pl.lit("hunter2")))


BROKEN: list[tuple[Callable[[Path], Connector], Check, str]] = [
    (eager, testing.build_does_no_io, "must do no I/O, but it did: "),
    (tampered(wider), testing.answers_are_typed, "exactly the fixed schema"),
    (Timeless, testing.answers_stay_in_the_window, "outside the window"),
    (Unbounded, testing.answers_are_bounded, "at most one"),
    (
        tampered(lambda page, _: replace(page, complete=True)),
        testing.answers_are_bounded,
        "must say complete=False",
    ),
    (
        tampered(lambda page, _: replace(page, gaps=())),
        testing.answers_are_bounded,
        "must name the gap",
    ),
    (Undiscerning, testing.services_are_filtered, "of the asked services"),
    (
        tampered(lambda page, _: replace(page, query=" ")),
        testing.answers_tell_the_query,
        "must tell its query",
    ),
    (tampered(leaking), testing.secrets_stay_inside, "a secret left with the logs"),
    (Careless, testing.only_connector_errors_leave, "unknown cursor must be Rejected"),
    (Unwell, testing.health_is_a_sentence, "must find a working connector well"),
]


def contract(recorded: Path, hour: Window, kind: Callable[[Path], Connector]) -> ConnectorContract:
    @asynccontextmanager
    async def make() -> AsyncIterator[Connector]:
        yield kind(recorded)

    return ConnectorContract(
        make=make, build=lambda: kind(recorded), window=hour, secret="hunter2"  # noqa: S106
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "check", "sentence"), BROKEN)
async def test_a_broken_promise_is_found(
    recorded: Path, hour: Window, kind: Callable[[Path], Connector], check: Check, sentence: str
):
    with pytest.raises(AssertionError, match=sentence):
        await check(contract(recorded, hour, kind))


async def test_a_foreign_error_is_not_swallowed(recorded: Path, hour: Window):
    with pytest.raises(KeyError):
        await testing.only_connector_errors_leave(contract(recorded, hour, Raw))
    with pytest.raises(ValueError, match="closed already"):
        await testing.closing_twice_is_once(contract(recorded, hour, ClosesOnce))


@pytest.mark.parametrize("check", testing.CHECKS, ids=lambda check: check.__name__)
async def test_an_honest_connector_passes(recorded: Path, hour: Window, check: Check):
    await check(contract(recorded, hour, RecordingConnector))
