"""The child's end of the channel to its parent: messages in, acknowledgements out, life or death.

The channel is one half of a socket pair whose other half only the parent holds. Whatever becomes of
the parent, the channel ends, and the child with it; where the kernel can also kill the child by
itself (Linux) it is asked to.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

_PR_SET_PDEATHSIG = 1
_GRACE_S = 1.5
Message = Mapping[str, Any]


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (nothing elsewhere than Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def exit_soon() -> None:
    """Leave `_GRACE_S` seconds for an orderly end; after that the process ends anyway."""
    timer = threading.Timer(_GRACE_S, os._exit, (1,))
    timer.daemon = True
    timer.start()


class Channel:
    """Lines of JSON over a connected socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connected: socket.socket) -> "Channel":
        return cls(*await asyncio.open_connection(sock=connected))

    async def receive(self) -> Message | None:
        """The next message; None once the other end is closed."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        return json.loads(line) if line.endswith(b"\n") else None

    def send(self, message: Message) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    def close(self) -> None:
        self._writer.close()

    async def orders(self) -> AsyncIterator[Message]:
        """Messages until the parent says stop, goes away, or SIGTERM arrives; acknowledges each."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._reader.feed_eof)
        while (message := await self.receive()) is not None and "stop" not in message:
            yield message
            self.send({"ack": message["seq"]})
