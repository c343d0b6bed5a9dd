"""The process that all others are forked from, so that twelve of them are up in a second or two.

It imports everything once, starts no thread, and forks a child for each socket it is handed. What
the child is to be stands in the first line on that socket.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from shop import lifeline, load, outside, service

_ROLES = {"service": service.run, "load": load.run, "outside": outside.run}


def main() -> None:
    """Fork until the parent closes the door (its file descriptor is the first argument)."""
    lifeline.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which tells us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    door = socket.socket(fileno=int(sys.argv[1]))
    gc.freeze()
    while True:
        knock, sockets, _, _ = socket.recv_fds(door, 1, 1)
        if not knock:
            return
        if os.fork() == 0:
            door.close()
            _live(sockets[0])
        os.close(sockets[0])


def _live(descriptor: int) -> None:
    status = 1
    try:
        lifeline.die_with_parent()
        asyncio.run(_become(socket.socket(fileno=descriptor)))
        status = 0
    finally:
        os._exit(status)


async def _become(connected: socket.socket) -> None:
    channel = await lifeline.Channel.over(connected)
    spec = await channel.receive()
    if spec is None:
        return
    _write_to(Path(str(spec["log"])))
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    await _ROLES[str(spec["role"])](channel, spec)


def _write_to(path: Path) -> None:
    """Let everything this process prints go to its log file."""
    with path.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


if __name__ == "__main__":
    main()
