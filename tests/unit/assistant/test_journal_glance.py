"""A glance accepts what is right, and of what is changed nothing."""

import random
from contextlib import closing

import pytest
from happened import Ticking, happen

from assistant.journal.glance import glances
from assistant.journal.sql import SqlJournal, rows
from assistant.store.database import open_database


@pytest.fixture
def stored():
    with closing(open_database(None)) as database:
        happen(SqlJournal(database, Ticking()))
        yield list(rows(database))


def test_what_is_right_is_seen_at_a_glance(stored):
    told = glances(stored)
    assert [t and t.seq for t in told] == [row.seq for row in stored]
    assert [t.prev for t in told[1:]] == [t.head for t in told[:-1]]


def test_nothing_that_was_changed_is_accepted(stored):
    chance = random.Random("glance")  # noqa: S311 — changes, not secrets
    for row in stored:
        changed = [row._replace(redacted=99), row._replace(seq=row.seq + 1)]
        for name in ("env", "h", "salt", "body"):
            whole = getattr(row, name)
            for _ in range(20):
                at, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
                other = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
                changed.append(row._replace(**{name: other}))
            changed += [row._replace(**{name: value}) for value in (whole[:-1], b"", None)]
        assert glances(changed) == [None] * len(changed)
        assert glances([changed[0], row])[1] is not None, "one does not stand for another"
