"""The signing key in a file of its own, apart from the data that it vouches for."""

import os
from pathlib import Path

from assistant.journal.api import JournalError
from assistant.journal.checkpoint import BadCheckpoint, Signer, Verifier, new_signer, signer

NAME = "firstline"
OTHERS = 0o077


def made(path: Path) -> Signer:
    """Return the key of a file, which is made (mode 0600) where there is none.

    Raises `JournalError`; no message holds the key.
    """
    if not path.exists():
        _write(path, new_signer(NAME))
    return _read(path)


def public(path: Path) -> Verifier | None:
    """Return the public half, null where no key was made yet; raises `JournalError`."""
    return _read(path).verifier if path.exists() else None


def _read(path: Path) -> Signer:
    try:
        if path.stat().st_mode & OTHERS:
            raise JournalError(f"others can read the signing key {path}: chmod 600 {path}")
        return signer(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, BadCheckpoint) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise JournalError(f"the signing key {path} cannot be used: {why}") from error


def _write(path: Path, key: Signer) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return  # another process was quicker
    except OSError as error:
        raise JournalError(f"no signing key can be made at {path}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.secret() + "\n")
        file.flush()
        os.fsync(file.fileno())
