"""What the chain alone cannot show: a cut tail, a chain written anew, an older copy."""

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from happened import ANN, DESK, Ticking, asked, done, started
from test_journal_verify import SHORT, made, unguarded

from assistant.domain.amends import RestoreAccepted
from assistant.domain.canonical import canonical
from assistant.journal.api import JournalError
from assistant.journal.checkpoint import Checkpoint, new_signer, opened
from assistant.journal.claims import terms
from assistant.journal.envelope import GENESIS, leaf
from assistant.journal.notary import RolledBack, VouchedJournal, compared
from assistant.journal.published import Published
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.store.database import open_database

SIGNER = new_signer("test")


class Desk:
    """A journal in a file, with what was published of it."""

    def __init__(self, folder):
        self.path = folder / "journal.db"
        self.published = Published(folder / "elsewhere")

    def known(self):
        return [opened(note, [SIGNER.verifier]) for note in self.published.notes()]

    def open(self):
        database = open_database(self.path)
        return database, SqlJournal(database, Ticking())

    def write(self, *events, incident="INC-1"):
        """Go on writing as a process would that starts, writes and ends; returns its journal."""
        database, journal = self.open()
        with closing(database):
            vouched = VouchedJournal(journal, SIGNER, [self.published.put], self.known())
            for event in events:
                intent = (event.request, event.digest) if event in STARTS else None
                vouched.append(incident, ANN, [event], intent=intent)
            vouched.vouch()

    def verified(self):
        return verify(self.path, self.known(), [SIGNER.verifier])


STARTS = [started("run")]


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    desk.write(*SHORT[:4])
    return desk


def test_what_is_sound_is_vouched_for(desk):
    report = desk.verified()
    assert (report.state, report.records, report.vouched) == (State.SOUND, 4, 4)


def test_a_cut_tail_is_found(desk):
    with unguarded(desk.path) as connection:
        connection.execute("DELETE FROM payload WHERE seq > 3")
        connection.execute("DELETE FROM entry WHERE seq > 3")
    assert verify(desk.path).state is State.SOUND, "the chain alone cannot know"
    report = desk.verified()
    assert (report.state, report.record) == (State.TAMPERED, 4)
    assert "held 4 records" in report.why


def anew(path):
    """Write the whole chain anew, with another name in every record, as its owner could."""
    with unguarded(path) as connection:
        prev = GENESIS
        for seq, env in connection.execute("SELECT seq, env FROM entry ORDER BY seq").fetchall():
            envelope = json.loads(env) | {"prev": prev}
            envelope["actor"]["name"] = "Nobody"
            changed = canonical(envelope)
            prev = leaf(changed).hex()
            change = "UPDATE entry SET env = ?, h = ? WHERE seq = ?"
            connection.execute(change, (changed, leaf(changed), seq))


def test_a_chain_written_anew_is_found(desk):
    anew(desk.path)
    assert verify(desk.path).state is State.SOUND, "the chain alone cannot know"
    report = desk.verified()
    assert (report.state, report.record) == (State.TAMPERED, 4)


def test_an_older_copy_is_found_before_anything_is_added(desk, tmp_path):
    shutil.copy(desk.path, tmp_path / "older.db")
    desk.write(started("run"), done("run"))
    shutil.copy(tmp_path / "older.db", desk.path)
    assert desk.verified().state is State.TAMPERED
    with pytest.raises(RolledBack, match=r"holds 4 records .* when it held 6"):
        desk.write(started("run"))
    with closing(sqlite3.connect(desk.path)) as connection:
        assert connection.execute("SELECT max(seq) FROM entry").fetchone() == (4,)


def accepted(desk, signer=SIGNER, place=1):
    """Accept the loss as `firstline audit accept-restore` does."""
    database, journal = desk.open()
    with closing(database):
        _, lost = compared(journal, desk.known(), [SIGNER.verifier])
        last = max(lost, key=lambda c: c.size)
        event = RestoreAccepted(
            by=ANN, reason="disk", origin=last.origin, size=last.size, root=last.root.hex(), note=""
        )
        seq, prev = journal.head()
        note = signer.sign(terms(event, seq + place, prev))
        journal.append("", ANN, [replace(event, note=note)])


def test_a_loss_that_somebody_without_the_key_accepts_is_still_one(desk, tmp_path):
    shutil.copy(desk.path, tmp_path / "older.db")
    desk.write(started("run"), done("run"))
    shutil.copy(tmp_path / "older.db", desk.path)
    accepted(desk, signer=new_signer("test"))
    assert desk.verified().state is State.TAMPERED
    with pytest.raises(RolledBack):
        desk.write(started("run"))


def test_an_acceptance_counts_in_its_own_place_only(desk, tmp_path):
    shutil.copy(desk.path, tmp_path / "older.db")
    desk.write(started("run"), done("run"))
    shutil.copy(tmp_path / "older.db", desk.path)
    accepted(desk, place=2)
    assert desk.verified().state is State.TAMPERED


def test_a_longer_journal_of_somebody_else_can_be_accepted_as_well(desk, tmp_path):
    other = Desk(tmp_path / "other")
    (tmp_path / "other").mkdir()
    other.write(*SHORT[:4], started("run"), done("run"))
    shutil.copy(other.path, desk.path)
    assert desk.verified().state is State.TAMPERED
    accepted(desk)
    report = desk.verified()
    assert (report.state, report.restores) == (State.SOUND, 1)
    desk.write(asked("more"))


def test_many_who_vouch_at_once_sign_nothing_wrong(desk):
    database, journal = desk.open()
    with closing(database):
        vouched = VouchedJournal(journal, SIGNER, [desk.published.put], desk.known())
        for number in range(12):
            vouched.append("INC-1", ANN, [asked(f"r{number}")])
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(lambda _: vouched.vouch(), range(8)))
    report = desk.verified()
    assert (report.state, report.vouched) == (State.SOUND, report.records)


def test_a_note_that_the_folder_did_not_take_is_tried_again(desk):
    database, journal = desk.open()
    refused, told = [True], []

    def put(checkpoint, note):
        if refused:
            raise JournalError("the disk is full")
        desk.published.put(checkpoint, note)

    with closing(database):
        known = desk.known()
        vouched = VouchedJournal(journal, SIGNER, [put, lambda c, _: told.append(c.size)], known)
        vouched.append("INC-1", ANN, [asked("more")])
        vouched.vouch()
        assert len(desk.known()) == len(known)
        refused.clear()
        vouched.vouch()
    assert desk.verified().vouched == told[-1]


def test_a_loss_that_was_accepted_is_no_end(desk, tmp_path):
    shutil.copy(desk.path, tmp_path / "older.db")
    desk.write(started("run"), done("run"))
    shutil.copy(tmp_path / "older.db", desk.path)
    accepted(desk)
    desk.write(started("run"), done("run"))
    report = desk.verified()
    assert (report.state, report.records, report.vouched) == (State.SOUND, 7, 7)
    assert len({checkpoint.origin for checkpoint in desk.known()}) == 2, "nothing is contradicted"


def test_an_accepted_loss_excuses_no_later_one(desk, tmp_path):
    shutil.copy(desk.path, tmp_path / "older.db")
    desk.write(started("run"))
    shutil.copy(tmp_path / "older.db", desk.path)
    accepted(desk)
    desk.write()
    shutil.copy(desk.path, tmp_path / "older.db")
    desk.write(started("run"), done("run"))
    shutil.copy(tmp_path / "older.db", desk.path)
    assert desk.verified().state is State.TAMPERED
    with pytest.raises(RolledBack):
        desk.write()


def test_an_accepted_loss_excuses_nothing_before_it(desk):
    before = desk.path.read_bytes()
    desk.write(started("run"))
    desk.path.write_bytes(before)
    accepted(desk)
    desk.write()
    anew(desk.path)
    assert desk.verified().state is State.TAMPERED


def test_another_journal_in_its_place_is_found(desk, tmp_path):
    made(tmp_path / "other.db", ("INC-1", SHORT))
    shutil.copy(tmp_path / "other.db", desk.path)
    assert desk.verified().state is State.TAMPERED
    with pytest.raises(RolledBack):
        desk.write()


def test_an_action_that_ended_is_vouched_for_at_once(desk):
    database, journal = desk.open()
    with closing(database):
        vouched = VouchedJournal(journal, SIGNER, [desk.published.put], desk.known())
        vouched.append("INC-1", ANN, [started("run")], intent=("run", started("run").digest))
        assert max(c.size for c in desk.known()) == 4
        vouched.append("INC-1", ANN, [done("run")])
        assert max(c.size for c in desk.known()) == 6


def test_a_note_that_cannot_be_kept_stops_nobody_and_is_said(desk, caplog):
    def full(checkpoint, note):
        raise JournalError("the disk is full")

    database, journal = desk.open()
    with closing(database):
        vouched = VouchedJournal(journal, SIGNER, [full], desk.known())
        vouched.append("INC-1", ANN, [started("run")], intent=("run", started("run").digest))
        vouched.append("INC-1", ANN, [done("run")])
        assert vouched.head()[0] == 6
    assert "the disk is full" in caplog.text


def test_a_note_of_a_checkpoint_is_kept_once_whatever_came_between(tmp_path):
    published = Published(tmp_path / "elsewhere")
    checkpoint = Checkpoint(origin="firstline/x", size=3, root=bytes(32))
    for _ in range(2):
        published.put(checkpoint, SIGNER.sign(checkpoint.text()))
    (tmp_path / "elsewhere" / "000000000009-00.part").write_text("half a no")
    (note,) = published.notes()
    assert opened(note, [SIGNER.verifier]) == checkpoint


def test_where_notes_cannot_be_kept_is_said(tmp_path):
    (tmp_path / "taken").write_text("")
    checkpoint = Checkpoint(origin="firstline/x", size=3, root=bytes(32))
    with pytest.raises(JournalError, match="cannot be kept in"):
        Published(tmp_path / "taken").put(checkpoint, "note")


def test_notes_that_cannot_be_read_are_not_taken_for_none(tmp_path):
    assert Published(tmp_path / "none yet").notes() == []
    (tmp_path / "taken").write_text("")
    with pytest.raises(JournalError, match="cannot be read: Not a directory"):
        Published(tmp_path / "taken").notes()


def test_the_desk_and_an_incident_are_vouched_for_together(desk):
    desk.write(*DESK, incident="")
    desk.write(asked("again"))
    assert desk.verified().vouched == 4 + len(DESK) + 1
