"""The parent's end: start the zygote, have children forked, talk to them, see each of them end."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from connectors.demo import DemoError
from shop.lifeline import Channel, Message

_START_S = 30.0
_ANSWER_S = 10.0
_STOP_S = 2.0
_FOREIGN = ("OTEL_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class ShopError(DemoError):
    """The shop cannot do what it was asked; `str()` is a sentence for a person."""


class Child:
    """A process that has been forked for us."""

    def __init__(self, channel: Channel, heard: Callable[[Message], None]) -> None:
        self.pid = 0
        self.url = ""
        self._channel = channel
        self._heard = heard
        self._ready: asyncio.Future[Mapping[str, Any]] = asyncio.Future()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._sent = 0
        self._listener = asyncio.create_task(self._listen())

    async def begin(self, spec: Message) -> None:
        """Say what it is to be, and wait until it is ready; raises `ShopError`."""
        self._channel.send(spec)
        try:
            async with asyncio.timeout(_START_S):
                ready = await asyncio.shield(self._ready)
        except (TimeoutError, ConnectionError) as error:
            place = Path(spec["log"]).parent
            raise ShopError(f"A process did not start; the logs in {place} say why.") from error
        self.pid, self.url = ready["pid"], ready["url"]

    async def tell(self, message: Message) -> None:
        """Send a message and wait until it has taken effect; a child that is gone needs none."""
        if self._listener.done():
            return
        self._sent += 1
        done: asyncio.Future[None] = asyncio.Future()
        self._waiting[self._sent] = done
        self._channel.send({**message, "seq": self._sent})
        with suppress(TimeoutError):  # a busy child takes it over later
            async with asyncio.timeout(_ANSWER_S):
                await done

    async def stop(self) -> None:
        """Let it send what it holds and end; one that does not end is killed."""
        if not self._listener.done():
            self._channel.send({"stop": True})
        try:
            async with asyncio.timeout(_STOP_S):
                await asyncio.shield(self._listener)
        except TimeoutError:
            if self.pid:  # without one it never began, and the closed channel ends it
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
                await self._listener
        finally:
            self._channel.close()

    async def _listen(self) -> None:
        while (message := await self._channel.receive()) is not None:
            match message:
                case {"ready": dict() as ready}:
                    self._ready.set_result(ready)
                case {"ack": int() as number}:
                    _settle(self._waiting.pop(number))
                case _:
                    self._heard(message)
        if not self._ready.done():
            self._ready.set_exception(ConnectionError("ended before it was ready"))
            self._ready.exception()  # nobody may wait for it any more, and that is no fault
        for waiting in self._waiting.values():
            _settle(waiting)


def _settle(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)


class Zygote:
    """Forks children; all of them are stopped when it is closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._door: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._children: list[Child] = []

    async def open(self) -> None:
        ours, theirs = socket.socketpair()
        self._door = ours
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(_FOREIGN)
        }
        with theirs, (self._folder / "zygote.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "shop.zygote",
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                env=environment,
            )

    async def fork(
        self, name: str, spec: Message, heard: Callable[[Message], None] = lambda _: None
    ) -> Child:
        """Start a child called `name` (its log file); returns once it is ready."""
        if self._door is None:
            raise ShopError("The shop's processes have not been started.")
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._door, [b"!"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise ShopError(
                    f"No process can be started; {self._folder / 'zygote.log'} says why."
                ) from error
        child = Child(await Channel.over(ours), heard)
        self._children.append(child)
        await child.begin({**spec, "log": str(self._folder / f"{name}.log")})
        self._note()
        return child

    async def end(self, child: Child) -> None:
        self._children.remove(child)
        await child.stop()
        self._note()

    async def close(self) -> None:
        """Stop every child, then the zygote."""
        await asyncio.gather(*(child.stop() for child in self._children))
        self._children.clear()
        if self._door is not None:
            self._door.close()
        if self._process is not None:
            try:
                async with asyncio.timeout(_STOP_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def _note(self) -> None:
        """Keep the process ids where a person finds them."""
        ids = [child.pid for child in self._children]
        if self._process is not None:
            ids.append(self._process.pid)
        (self._folder / "pids.json").write_text(json.dumps(ids), encoding="ascii")
