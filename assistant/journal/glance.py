"""Records that are as they should be, told at a glance; most are, and a journal has millions.

A glance makes every check that looking closely makes (`envelope.opened`), but page by page, one
kind of check after the other, and without the objects and sentences that only a finding needs.
That takes two thirds of the time. What it does not accept is looked at closely.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from assistant.domain.events import Event
from assistant.journal.codec import EVENTS
from assistant.journal.envelope import FORM, GENESIS, SALT_BYTES, Row, about, commitment, leaf
from assistant.store.tagged import Unreadable


class Told(NamedTuple):
    """What a record says; `event` is null where it was redacted. `head` is the record's hash."""

    incident: str
    kind: str
    subject: str
    plan: str
    event: Event | None
    seq: int = 0
    prev: str = ""
    head: str = GENESIS
    ts: str = ""
    log_id: str = ""


NOTHING = Told("", "", "", "", None)  # what there is before the first record


def glances(page: Sequence[Row]) -> list[Told | None]:
    """Return what each row says, null for one that has to be looked at closely."""
    forms = [_form(row.env) for row in page]
    intact = [_intact(row) for row in page]
    events = [_event(row.body) if whole else None for row, whole in zip(page, intact, strict=True)]
    return [
        _told(row, form, event) if form is not None and event is not None else None
        for row, form, event in zip(page, forms, events, strict=True)
    ]


def _form(env: bytes | None) -> tuple[str, ...] | None:
    try:
        found = FORM.fullmatch(env.decode()) if env is not None and b"\\" not in env else None
    except UnicodeDecodeError:
        return None
    return found.groups() if found is not None else None


def _intact(row: Row) -> bool:
    """Tell whether all of a record is there, and its envelope is the one of its hash."""
    _, env, h, salt, body, redacted = row
    if redacted is not None or env is None or salt is None or body is None:
        return False
    return leaf(env) == h


def _event(body: bytes | None) -> Event | None:
    try:
        return EVENTS.decode(body) if body is not None else None
    except Unreadable:
        return None


def _told(row: Row, form: tuple[str, ...], event: Event) -> Told | None:
    seq, _, h, salt, body, _ = row
    (_, _, _, _, _, _, incident, log_id, commit, plan, prev, number, subject, ts, kind) = form
    if (
        int(number) != seq
        or len(salt or b"") != SALT_BYTES
        or commitment(salt or b"", body or b"") != commit
        or (type(event).__name__, *about(event)) != (kind, subject, plan)
    ):
        return None
    try:
        datetime.fromisoformat(ts)
    except ValueError:
        return None
    return Told(incident, kind, subject, plan, event, seq, prev, (h or b"").hex(), ts, log_id)
