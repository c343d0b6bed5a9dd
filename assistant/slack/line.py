"""One connection of Socket Mode, and the next one whenever it ends.

An address from apps.connections.open opens one socket, once. Slack's own Python client tries the
same one for ever where the first try failed, and closes a socket before it has the next; so the
connection is ours. Source: docs.slack.dev, using Socket Mode.
"""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import ClientWebSocketResponse, WSMsgType

from assistant.slack.errors import FAILURES, SlackError, locked_out, sentence, wait_s

SILENT = "Slack opened a connection and did not greet."
CUT = "the connection was cut."
_REFRESH = ("warning", "refresh_requested")
_REFUSED = {
    "link_disabled": "Socket Mode is turned off: turn it on in the app's settings.",
    "too_many_websockets": "the app holds too many connections: stop its other processes.",
}
_LOG = logging.getLogger(__name__)
_CHANCE = random.SystemRandom()  # many that lost Slack together should not come back together


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds: between tries, from `first_s` doubling up to `longest_s`, half of it by chance.

    Slack may take `open_s` to open a socket, and as long to greet on it.
    A socket that Slack will close is read for `linger_s` beside the next one; one that lasted for
    `steady_s` begins with the first wait again.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    linger_s: float = 20.0
    steady_s: float = 60.0
    open_s: float = 10.0

    def waits(self) -> Iterator[float]:
        """Yield the waits, one a try."""
        most_s = self.first_s
        while True:
            yield most_s * _CHANCE.uniform(0.5, 1.0)
            most_s = min(2 * most_s, self.longest_s)


class Exchange(Protocol):
    """Who takes what comes through a line, and is told whether it is open."""

    async def take(self, payload: dict[str, Any], envelope: str) -> bool:
        """Keep an envelope; true where it may be acknowledged."""
        ...

    def opened(self) -> None: ...

    def closed(self, reason: str) -> None:
        """One socket fewer."""
        ...

    def failed(self, reason: str) -> None:
        """Another try was in vain."""
        ...


class Line:
    """Holds one socket; `dial` opens one with a new address."""

    def __init__(
        self,
        dial: Callable[[], Awaitable[ClientWebSocketResponse]],
        exchange: Exchange,
        pace: Pace,
    ) -> None:
        self._dial = dial
        self._exchange = exchange
        self._pace = pace

    async def run(self) -> None:
        """Hold a socket until cancelled; raises `SlackError` (in a group) for a refused token."""
        clock = asyncio.get_running_loop().time
        waits = self._pace.waits()
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    async with asyncio.timeout(self._pace.open_s):
                        socket = await self._dial()
                except FAILURES as error:
                    if locked_out(error):
                        raise SlackError(sentence(error)) from error
                    self._exchange.failed(sentence(error))
                    asked_s = wait_s(error)
                    await asyncio.sleep(next(waits) if asked_s is None else asked_s)
                    continue
                began = clock()
                refreshed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
                tasks.create_task(self._read(socket, refreshed))
                politely = await refreshed
                if clock() - began > self._pace.steady_s:
                    waits = self._pace.waits()
                if not politely:
                    await asyncio.sleep(next(waits))

    async def _read(self, socket: ClientWebSocketResponse, refreshed: asyncio.Future[bool]) -> None:
        """Read until the socket is closed; `refreshed` is whether another is to replace it."""
        held, reason = False, SILENT
        try:
            # Whatever is answered, the next is read: the disk may take longer over one of them.
            async with asyncio.timeout(self._pace.open_s) as patience, asyncio.TaskGroup() as tasks:
                async for message in socket:
                    told = _object(message.data) if message.type is WSMsgType.TEXT else {}
                    if told.get("type") == "hello":
                        held, reason = True, CUT
                        patience.reschedule(None)
                        self._exchange.opened()
                    elif told.get("type") == "disconnect":
                        why = str(told.get("reason"))
                        reason = _REFUSED.get(why, f"Slack closed the connection ({why}).")
                        if why not in _REFRESH:
                            break
                        _settle(refreshed, politely=True)
                        patience.reschedule(asyncio.get_running_loop().time() + self._pace.linger_s)
                    elif told.get("envelope_id"):
                        tasks.create_task(self._answer(socket, told))
        except TimeoutError:
            pass  # it was silent, or lingered for too long
        finally:
            await socket.close()
        if held:
            self._exchange.closed(reason)
        else:
            self._exchange.failed(reason)
        _settle(refreshed, politely=False)

    async def _answer(self, socket: ClientWebSocketResponse, told: Mapping[str, Any]) -> None:
        """Acknowledge on the socket that it came through, once it is kept."""
        envelope = str(told["envelope_id"])
        if not await self._exchange.take(told.get("payload") or {}, envelope):
            return
        with suppress(ConnectionError):  # it is cut, which the reader notices; Slack tells it again
            await socket.send_json({"envelope_id": envelope})


def _settle(refreshed: asyncio.Future[bool], *, politely: bool) -> None:
    if not refreshed.done():
        refreshed.set_result(politely)


def _object(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        _LOG.warning("Slack sent something that is no envelope")
        return {}
    return told
