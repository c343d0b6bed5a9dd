"""`firstline audit`: read, export and check the journal, also while firstline runs."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from assistant.clock import SystemClock
from assistant.config import DATABASE, Settings
from assistant.domain.amends import RestoreAccepted
from assistant.domain.board import UNDER_WAY
from assistant.domain.incident import Incident, apply
from assistant.domain.people import Actor, ActorKind
from assistant.folder import held
from assistant.journal import proof, redaction
from assistant.journal.api import JournalError
from assistant.journal.checkpoint import BadCheckpoint, Checkpoint, verifier
from assistant.journal.claims import terms
from assistant.journal.export import line, lines
from assistant.journal.foreign import cloudevent, ocsf
from assistant.journal.keys import made
from assistant.journal.notary import VouchedJournal, compared
from assistant.journal.published import Published
from assistant.journal.sql import SqlJournal, rows
from assistant.journal.timeline import printable, sentence
from assistant.journal.verify import Report, State, verify
from assistant.store.database import Database, NotForgotten, open_database, open_for_reading
from assistant.vouching import believed, trusted

FORMS = {"jsonl": line, "cloudevents": cloudevent, "ocsf": ocsf}
STATUS = {State.SOUND: 0, State.TAMPERED: 1, State.UNVERIFIABLE: 2}


def check(settings: Settings, key: str | None, notes: Sequence[Path] = ()) -> int:
    """Verify the journal and its checkpoints; 0 sound, 1 tampered, 2 cannot be verified."""
    try:
        more = [f"{note.read_text('utf-8').strip()}\n" for note in notes]  # copying loses the end
        keys = trusted(settings, verifier(key) if key else None)
        known = believed(settings, verifier(key) if key else None, more)
    except (JournalError, BadCheckpoint, UnicodeDecodeError, OSError) as error:
        click.echo(f"{State.UNVERIFIABLE}: {error}")
        return STATUS[State.UNVERIFIABLE]
    report = verify(settings.database, known, keys)
    if report.state is State.SOUND:
        click.echo(f"sound: {report.records} records, head {report.head}")
        if report.redacted:
            click.echo(f"redacted: the events of {report.redacted} records, as the key signed")
        click.echo(_vouched(report))
    else:
        click.echo(f"{report.state}: {report.why}")
        click.echo(f"{report.records} records before that are sound, head {report.head}")
    return STATUS[report.state]


def _vouched(report: Report) -> str:
    if report.restores:
        lost = f"{report.restores} accepted loss{'es' if report.restores > 1 else ''}"
        return f"vouched for: the first {report.vouched}, after {lost} (see audit show)"
    if report.vouched:
        return f"a checkpoint that lies elsewhere vouches for the first {report.vouched} of them"
    return "no checkpoint vouches for them: that the last ones were cut off would not be seen"


def key(settings: Settings) -> int:
    """Print the public key that checkpoints are verified by."""
    click.echo(str(made(settings.signing_key).verifier))
    return 0


def accept_restore(settings: Settings, reason: str) -> int:
    """Write down that a journal which contradicts its checkpoints is the one to go on with."""
    with held(settings.data), closing(open_database(settings.database)) as database:
        journal, signer = SqlJournal(database, SystemClock()), made(settings.signing_key)
        _, lost = compared(journal, believed(settings), [signer.verifier])
        if not lost:
            click.echo("nothing to accept: the journal is the one that was vouched for")
            return 0
        by = _whoever()
        largest: dict[str, Checkpoint] = {}
        for checkpoint in sorted(lost, key=lambda c: c.size):
            largest[checkpoint.origin] = checkpoint
        for checkpoint in largest.values():
            last, prev = journal.head()
            event = RestoreAccepted(
                by=by,
                reason=reason,
                origin=checkpoint.origin,
                size=checkpoint.size,
                root=checkpoint.root.hex(),
                note="",
            )
            note = signer.sign(terms(event, last + 1, prev))
            journal.append("", by, [replace(event, note=note)])
            click.echo(f"accepted: {checkpoint.size} records of {checkpoint.origin} are given up")
    return 0


def redact(settings: Settings, incidents: Sequence[str], reason: str) -> int:
    """Remove what was said in closed incidents; that they were, and who did what, stays.

    0 if nothing of it is left, 1 if the files have it for a while yet.
    """
    with held(settings.data), closing(open_database(settings.database)) as database:
        journal, signer = SqlJournal(database, SystemClock()), made(settings.signing_key)
        published = Published(settings.checkpoints)
        # Whoever redacts must not be the one who hides that the journal is another.
        vouched = VouchedJournal(journal, signer, [published.put], believed(settings))
        for incident in incidents:
            _check_over(journal, incident)
        status = 0
        for incident in incidents:
            # First: what is redacted is not known any more, and cannot be asked for again.
            _delete_picture(settings.pictures, incident)
            try:
                done = journal.redact(
                    incident,
                    _whoever(),
                    reason,
                    lambda event, seq, prev: signer.sign(redaction.terms(event, seq, prev)),
                )
            except NotForgotten as error:
                click.echo(f"{incident}: redacted, but {error}", err=True)
                status = 1
            else:
                click.echo(f"{incident}: redacted by record {done.seq}")
        vouched.vouch()
    return status


def _delete_picture(folder: Path, incident: str) -> None:
    """Delete the picture of an incident, if there is one; raises `JournalError`."""
    from assistant.pictures import Pictures  # noqa: PLC0415 — half a second, which others save

    try:
        if Pictures(folder).forget(incident):
            click.echo(f"{incident}: its picture is deleted")
    except OSError as error:
        raise JournalError(f"the picture of {incident} cannot be deleted: {error}") from error


def _check_over(journal: SqlJournal, incident: str) -> None:
    """Raise `JournalError` for an incident that is unknown or not over."""
    if incident not in journal.incidents():
        known = "the journal knows no incident"
        raise JournalError(f"{known} {incident}, or it was redacted; see `audit show`")
    state: Incident | None = None
    for record in journal.records(incident):
        state = apply(state, record.event)
    if state is None or state.open:
        raise JournalError(f"{incident} is not closed; close it before it is redacted")
    unsettled = [t for t in state.requests.values() if t.status in UNDER_WAY]
    if unsettled:
        raise JournalError(f"{incident} has an action of which nobody knows how it ended")


def _whoever() -> Actor:
    return Actor(kind=ActorKind.HUMAN, id=getpass.getuser(), name=getpass.getuser(), team="host")


def show(data: Path, incident: str | None) -> int:
    """Print a line a record: number, time, who, what happened."""
    with _opened(data, incident) as (_, journal):
        if incident is not None and incident not in journal.incidents():
            click.echo(f"{incident} was redacted; `audit show` says by whom and why")
        for record in journal.records(incident):
            who = printable(f"{record.actor.kind}:{record.actor.id}")
            at = f"{record.at:%Y-%m-%d %H:%M:%S}Z"
            where = f"{record.incident or '-'}  " if incident is None else ""
            click.echo(f"{record.seq:>6}  {at}  {where}{who:<18}  {sentence(record)}")
    return 0


def export(data: Path, incident: str | None, form: str) -> int:
    """Write a JSON object a record to standard output."""
    with _opened(data, incident) as (database, _):
        for written in lines(database, incident, FORMS[form]):
            sys.stdout.buffer.write(written)
    return 0


def prove(settings: Settings, incident: str) -> int:
    """Write an incident's records with their paths to the root of a checkpoint of now."""
    signer, published = made(settings.signing_key), Published(settings.checkpoints)
    with _opened(settings.data, incident) as (database, journal):
        vouched = VouchedJournal(journal, signer, [published.put], believed(settings))
        vouched.vouch()
        note = signer.sign(vouched.checkpoint().text())
        for written in proof.lines(database, journal, incident, note):
            sys.stdout.buffer.write(written)
    return 0


@contextmanager
def _opened(data: Path, incident: str | None) -> Iterator[tuple[Database, SqlJournal]]:
    """Open the journal for reading; raises `StoreError`, or `JournalError` for no such incident."""
    database = open_for_reading(data / DATABASE)
    try:
        journal = SqlJournal(database, SystemClock())
        if incident is not None and next(rows(database, incident), None) is None:
            raise JournalError(f"the journal knows no incident {incident}; see `audit show`")
        yield database, journal
    finally:
        database.close()
