"""One incident's records, with what shows that they are among those that a checkpoint is for.

Lines of JSON: the checkpoint, then the records as `export` writes them, each with its path to the
root. `offline.py` beside this file verifies them without firstline.
"""

import json
from collections.abc import Iterator

from assistant.journal.api import JournalError
from assistant.journal.export import line
from assistant.journal.merkle import inclusions
from assistant.journal.sql import SqlJournal, rows
from assistant.store.database import Database


def lines(database: Database, journal: SqlJournal, incident: str, note: str) -> Iterator[bytes]:
    """Yield the proof; `note` is a checkpoint of at least the incident's records.

    Raises `BrokenRecord`, `StoreError`, and `JournalError` where the checkpoint is an earlier one.
    """
    found = list(rows(database, incident))
    size = int(note.split("\n")[1])
    leaves = list(journal.leaves())[:size]
    if found and found[-1].seq > size:
        raise JournalError("the newest checkpoint is older than this incident's last record")
    yield json.dumps({"checkpoint": note}, ensure_ascii=False).encode() + b"\n"
    paths = inclusions(leaves, [row.seq - 1 for row in found])
    for row, path in zip(found, paths, strict=True):
        told = json.dumps([step.hex() for step in path]).encode()
        yield b'%b,"path":%b}\n' % (line(row).removesuffix(b"}\n"), told)
