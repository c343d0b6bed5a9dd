"""The data folder: private to its user, and used by one process at a time."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.05
STOP = "STOP"


class FolderInUse(Exception):
    """The data folder cannot be used; `str()` says why and what to do."""


class HeldByAnother(FolderInUse):
    """Another process uses it, which is no fault of the folder."""


def stopped(folder: Path) -> str | None:
    """Return why nothing may be started, or null: a file called STOP is a switch for everybody.

    It needs no Slack, no running command and no database.
    """
    switch = folder / STOP
    return (
        f"{switch} exists, and nothing is started until it is removed" if switch.exists() else None
    )


@contextmanager
def held(folder: Path, *, patience_s: float = 0.0) -> Iterator[Path]:
    """Hold the folder (made with mode 0700) for the length of the context.

    Waits up to `patience_s` seconds for another process; the lock dies with its process. Raises
    `FolderInUse`, and of these `HeldByAnother` where it only has to be waited for.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "lock").open("a", encoding="utf-8")
    except OSError as error:
        raise FolderInUse(f"the data folder {folder} cannot be used: {error.strerror}") from error
    with lock:
        give_up = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= give_up:
                    raise HeldByAnother(
                        f"another firstline process uses the data folder {folder}; "
                        "stop it, or choose another folder with --data"
                    ) from error
                time.sleep(POLL_S)
        yield folder
