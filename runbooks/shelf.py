"""Runbooks that people have accepted, as files in a folder of their own."""

import os
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from runbooks.lint import lint_runbook
from runbooks.model import Runbook, RunbookError
from runbooks.parse import load_folder, parse_runbook

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


class Shelf:
    """The folder is made when the first runbook is put there; nothing is read before it is asked.

    One process at a time may write; readers always find whole files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, markdown: str, actions: Collection[str]) -> Runbook:
        """Put a runbook there, in place of one with its id; the same one again changes nothing.

        `actions` are the names that its steps may use. The file can be read by its owner only and
        is on disk when this returns. Raises `RunbookError` for what cannot be parsed, for what
        `lint` refuses, and where the folder cannot be written.
        """
        runbook = parse_runbook(markdown, "the runbook")
        if not _ID.fullmatch(runbook.id):
            raise RunbookError(f"the id {runbook.id!r} is not small letters, digits and dashes")
        runbook = replace(runbook, source=f"{runbook.id}.md")
        faults = lint_runbook(runbook, actions)
        if faults:
            raise RunbookError("\n".join(str(fault) for fault in faults))
        path = self.folder / runbook.source
        try:
            if not path.is_file() or path.read_bytes() != markdown.encode():
                self._write(path, markdown.encode())
        except OSError as error:
            raise RunbookError(f"{path} cannot be written: {error.strerror}") from error
        return runbook

    def all(self) -> tuple[Runbook, ...]:
        """Return every runbook, ordered by id; raises `RunbookError`."""
        return load_folder(self.folder) if self.folder.is_dir() else ()

    def _write(self, path: Path, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Not named *.md before it is whole: a reader never sees a half-written one.
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            unfinished.chmod(0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name as well, not the content alone
        finally:
            os.close(folder)
