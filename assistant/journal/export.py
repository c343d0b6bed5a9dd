"""The journal as lines of JSON, for whoever keeps it elsewhere or checks it with other tools.

Envelope and event are the stored bytes, verbatim, so every hash can be computed again from a line.
"""

from collections.abc import Callable, Iterator

from assistant.journal.envelope import Row, examined
from assistant.journal.sql import rows
from assistant.store.database import Database


def lines(
    database: Database, incident: str | None, form: Callable[[Row], bytes]
) -> Iterator[bytes]:
    """Yield a line a record of one incident (null: all); raises `BrokenRecord`, `StoreError`."""
    for row in rows(database, incident):
        yield form(row)


def line(row: Row) -> bytes:
    """Return a row as a line; raises `BrokenRecord`."""
    if examined(row)[1] is None:
        event = b'"salt":"","event":null,"redacted":%d' % (row.redacted or 0)
    else:
        event = b'"salt":"%b","event":%b' % ((row.salt or b"").hex().encode(), row.body or b"")
    head = b'"envelope":%b,"hash":"%b"' % (row.env or b"", (row.h or b"").hex().encode())
    return b"{%b,%b}\n" % (head, event)
