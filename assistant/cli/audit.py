"""`firstline audit`: read, export and check the journal, also while firstline runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from assistant.clock import SystemClock
from assistant.config import DATABASE
from assistant.journal.api import JournalError
from assistant.journal.export import lines
from assistant.journal.sql import SqlJournal
from assistant.journal.timeline import printable, sentence
from assistant.journal.verify import State, verify
from assistant.store.database import Database, open_for_reading

STATUS = {State.SOUND: 0, State.TAMPERED: 1, State.UNVERIFIABLE: 2}


def check(data: Path) -> int:
    """Verify the journal in a data folder; 0 sound, 1 tampered, 2 cannot be verified."""
    report = verify(data / DATABASE)
    if report.state is State.SOUND:
        click.echo(f"sound: {report.records} records, head {report.head}")
    else:
        click.echo(f"{report.state}: {report.why}")
        click.echo(f"{report.records} records before that are sound, head {report.head}")
    return STATUS[report.state]


def show(data: Path, incident: str | None) -> int:
    """Print a line a record: number, time, who, what happened."""
    with _opened(data, incident) as (_, journal):
        for record in journal.records(incident):
            who = printable(f"{record.actor.kind}:{record.actor.id}")
            at = f"{record.at:%Y-%m-%d %H:%M:%S}Z"
            where = f"{record.incident or '-'}  " if incident is None else ""
            click.echo(f"{record.seq:>6}  {at}  {where}{who:<18}  {sentence(record)}")
    return 0


def export(data: Path, incident: str | None) -> int:
    """Write a JSON object a record to standard output."""
    with _opened(data, incident) as (database, _):
        for line in lines(database, incident):
            sys.stdout.buffer.write(line)
    return 0


@contextmanager
def _opened(data: Path, incident: str | None) -> Iterator[tuple[Database, SqlJournal]]:
    """Open the journal for reading; raises `StoreError`, or `JournalError` for no such incident."""
    database = open_for_reading(data / DATABASE)
    try:
        journal = SqlJournal(database, SystemClock())
        if incident is not None and incident not in journal.incidents():
            raise JournalError(f"the journal knows no incident {incident}; see `audit show`")
        yield database, journal
    finally:
        database.close()
