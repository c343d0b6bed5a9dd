"""Checkpoints in a folder apart from the data: a signed note a file, never written twice.

Give it to another user or another machine, and who owns the database cannot rewrite it.
"""

import os
from pathlib import Path

from assistant.journal.api import JournalError
from assistant.journal.checkpoint import MOST_BYTES, Checkpoint

SUFFIX = ".note"
DIGITS = 12  # of a size, so that names sort like sizes


class Published:
    """The notes of one folder, which is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, checkpoint: Checkpoint, note: str) -> None:
        """Keep a note; it is on disk when this returns. Raises `JournalError`."""
        name = f"{checkpoint.size:0{DIGITS}d}-{checkpoint.root.hex()[:16]}{SUFFIX}"
        path = self.folder / name
        unfinished = path.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with unfinished.open("w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _flush(self.folder)
        except OSError as error:
            raise JournalError(
                f"the checkpoint cannot be kept in {self.folder}: {error.strerror}"
            ) from error

    def notes(self) -> list[str]:
        """Return every note, that of the fewest records first; raises `JournalError`."""
        try:
            return [_read(path) for path in sorted(self._files())]
        except OSError as error:
            raise JournalError(
                f"the checkpoints in {self.folder} cannot be read: {error.strerror}"
            ) from error

    def _files(self) -> list[Path]:
        try:  # not `glob`: to it a folder that nobody may read is an empty one
            return [path for path in self.folder.iterdir() if path.suffix == SUFFIX]
        except FileNotFoundError:
            return []


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1).decode(errors="replace")


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
