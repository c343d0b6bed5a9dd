"""Attacks on the journal: edited, cut, put back, full, and gone in the middle of an action."""

import asyncio
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace

from book import Outcome, attack
from desk import Desk
from scene import TWO, Anything, Everybody, Restless, asked, fresh, once, ran
from targets import RETRIED, UNCHANGED, forgotten
from world import BEN, CLEO

from assistant.commands import Deny
from assistant.domain.action import Status
from assistant.domain.amends import RestoreAccepted
from assistant.domain.events import ActionStarted, Opened, Refused
from assistant.failure import Unusable
from assistant.journal.checkpoint import new_signer
from assistant.journal.claims import Claims, terms
from assistant.journal.codec import EVENTS
from assistant.journal.envelope import unseal
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.service import Service
from assistant.slack.ingress import key_of
from assistant.store.database import StoreError, open_database
from assistant.store.inbox import Inbox

APPEND = Service._append  # noqa: SLF001 — what `careless` leaves as it is


def edited(path, find, put):
    """Change the event of the first record that holds `find`, past the guards of the table."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER payload_unchanged")
        rows = connection.execute("SELECT seq, body FROM payload ORDER BY seq").fetchall()
        seq, body = next((s, b) for s, b in rows if find in b and b'"ActionRequested"' in b)
        connection.execute(
            "UPDATE payload SET body = ? WHERE seq = ?", (body.replace(find, put), seq)
        )


def unchecked(row):
    """Read a record without looking at its hashes."""
    return unseal(row), EVENTS.decode(row.body)


@attack(
    "1",
    "the arguments of a request are edited in the database after a yes",
    "the journal cannot be read: nothing starts",
    told="its event is not the one that was written",
    guards={
        "assistant.journal.sql.opened": unchecked,
        "assistant.domain.action.ActionRequest.digest": property(lambda _: Anything("0" * 64)),
    },
)
async def edited_request(folder):
    policy = folder / "policy.yaml"
    policy.write_text(TWO)
    desk = Desk(folder / "f.db", approvers=Everybody(), kind=Restless, policy=policy, seen=False)
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
        await desk.approve(incident, desk.last(incident), BEN)
    edited(folder / "f.db", b"to back go", b"to bank go")
    try:
        async with desk.open():
            tracked = desk.last(incident)
            harm = None if "bank" not in tracked.request.summary else "the edited request counts"
            return Outcome(harm, tracked.request.summary)
    except Unusable as error:
        return Outcome(None, str(error))


def full(desk):
    """Let the disk be full: SQLite gets no page more, and what is left is used up."""
    with desk.database.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    nothing = Refused(by=BEN, tried="fill the disk", why="it is full")
    with suppress(StoreError):
        while True:
            desk.journal.append("", BEN, [nothing])


async def careless(self, incident, actor, *events):
    """Go on where nothing can be written down."""
    for event in events:
        try:
            await APPEND(self, incident, actor, event)
        except Unusable:
            self._known.fold(incident, event)


@attack(
    "37",
    "the disk is full when a yes comes",
    "refused before any effect",
    told="the disk is full",
    guards={"assistant.service.Service._append": careless},
)
async def disk_full(folder):
    async with asked(folder) as (desk, incident, tracked):
        full(desk)
        return ran(desk, incident, await desk.approve(incident, tracked))


class Filling(Restless):
    """The disk is full by the time that the action is done."""

    desk = None

    async def run(self, call, key):
        outcome = await super().run(call, key)
        full(self.desk)
        return outcome


@attack(
    "38",
    "the journal fails between the effect and its record",
    "people are told; after the restart it is looked up, and done once",
    told="the disk is full",
    guards=RETRIED,
)
async def failed_in_the_act(folder):
    desk = Desk(folder / "firstline.db", approvers=Everybody(), kind=Filling, seen=False)
    desk.world.desk, told = desk, []
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)

        async def alarm(_, said):
            told.append(said)

        desk.service.warn(alarm)
        await desk.approve(incident, desk.last(incident))
    async with desk.open():
        await desk.service.resume()
        await desk.service.settled(incident)
        return once(desk, incident)._replace(said=" ".join(told))


class CutOff(Restless):
    """The database cannot be written any more by the time that the action is done."""

    desk = None

    async def run(self, call, key):
        outcome = await super().run(call, key)
        writable(self.desk, yes=False)
        return outcome


def writable(desk, *, yes):
    """Let the database be written, or only be read."""
    with desk.database.reading() as connection:
        connection.execute(f"PRAGMA query_only = {'OFF' if yes else 'ON'}")


@attack(
    "49",
    "the database cannot be reached after the effect, and then it can, and somebody clicks again",
    "people are told; it is looked up, and done once",
    told="may only be read",
    guards=RETRIED,
)
async def cut_off(folder):
    told = []

    async def alarm(_, said):
        told.append(said)

    async with asked(folder, kind=CutOff) as (desk, incident, tracked):
        desk.world.desk = desk
        desk.service.warn(alarm)
        await desk.approve(incident, tracked)
        writable(desk, yes=True)
        answer = await desk.approve(incident, tracked, CLEO)
        outcome = once(desk, incident)
        settled = desk.last(incident).status in (Status.UNKNOWN, Status.VERIFIED)
        harm = outcome.harm or (None if settled else "nobody has looked it up")
        return Outcome(harm, " ".join([*told, answer.said]))


UNFENCED = {
    "assistant.store.pen.Pen.lost": lambda _: None,
    "assistant.store.pen.Pen.check": lambda *_: None,
}


def two_processes(folder):
    """Return two desks for one database and one world."""
    one, other = (
        Desk(folder / "f.db", approvers=Everybody(), kind=Restless, seen=False) for _ in range(2)
    )
    other.world, other.clock = one.world, one.clock
    return one, other


@attack(
    "15",
    "two processes on one database are told of the same click",
    "one effect, and the process that was taken over says so",
    told="has taken over",
    guards={**UNFENCED, **UNCHANGED, "assistant.journal.sql._intended": forgotten},
)
async def clicked_in_both(folder):
    one, other = two_processes(folder)
    async with one.open():
        incident, _ = await one.opened()
        await one.requested(incident)
        async with other.open():
            clicks = (desk.approve(incident, desk.last(incident)) for desk in (one, other))
            answers = await asyncio.gather(*clicks)
            return once(other, incident)._replace(said=" ".join(a.said for a in answers))


@attack(
    "15b",
    "Slack tells two processes on one database of the same text",
    "the first takes it, and one incident is opened",
    told="known already",
    guards={**UNFENCED, "assistant.store.inbox.Inbox.claim": lambda *_: True},
)
async def told_to_both(folder):
    told = {"event": {"type": "app_mention", "channel": "C1", "ts": "1.0"}}
    one, other = two_processes(folder)
    async with one.open(), other.open():
        said = []
        for desk in (other, one):
            key = key_of(told, f"envelope {len(said)}")
            if Inbox(desk.database).claim(key, b"{}", desk.clock.now()):
                said.append((await desk.opened())[0])
            else:
                said.append("known already")
        opened = len(other.events(Opened))
        return Outcome(None if opened == 1 else f"opened {opened} times", " ".join(said))


@attack(
    "48",
    "paused between intent and effect, taken over by another process, and then it goes on",
    "it does nothing and writes nothing more",
    told="has taken over",
    guards=UNFENCED,
)
async def taken_over(folder):
    (one, other), told = two_processes(folder), []
    async with one.open():
        incident, _ = await one.opened()
        await one.requested(incident)

        async def paused(_incident, event, _state):
            if isinstance(event, ActionStarted):
                async with other.open():
                    await other.service.resume()
                    await other.service.settled(incident)

        async def alarm(_incident, said):
            told.append(said)

        one.service.watch(paused)
        one.service.warn(alarm)
        await one.approve(incident, one.last(incident))
        return Outcome(ran(one, incident).harm, " ".join(told))


def believed(journal, _known, _keys):
    """Compare with nothing."""
    claims = Claims([])
    for leaf in journal.leaves():
        claims.follow(leaf, journal.log_id(), None)
    return claims, []


async def put_back(folder):
    """Have a request denied, then put an older copy of the database in its place.

    Returns the desk, the incident and the newest checkpoint of what was there.
    """
    path, kept = folder / "f.db", folder / "kept.db"
    elsewhere = folder / "elsewhere"
    desk = Desk(path, approvers=Everybody(), kind=Restless, elsewhere=elsewhere, seen=False)
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
        request = desk.last(incident).request
    shutil.copy(path, kept)
    async with desk.open():
        await desk.service.submit(Deny(incident=incident, request=request.id), CLEO)
        desk.journal.vouch()
        newest = desk.journal.checkpoint()
    for file in folder.glob("f.db*"):
        file.unlink()
    shutil.copy(kept, path)
    return desk, incident, newest


def signed_by_anybody(note, _keys):
    """Believe whatever a note says."""
    return note.rpartition("\n\n")[0] + "\n"


@attack(
    "58b",
    "who can write the database writes into it that the loss was accepted",
    "firstline does not start: the key has not signed it",
    told="is not the one that was vouched for",
    guards={"assistant.journal.checkpoint.signed": signed_by_anybody},
)
async def forged_acceptance(folder):
    desk, incident, newest = await put_back(folder)
    with closing(open_database(desk.path)) as database:
        journal = SqlJournal(database, desk.clock)
        forged = RestoreAccepted(
            by=CLEO, reason="all is well", origin=newest.origin, size=newest.size,
            root=newest.root.hex(), note="",
        )  # fmt: skip
        seq, prev = journal.head()
        note = new_signer("desk").sign(terms(forged, seq + 1, prev))
        journal.append("", CLEO, [replace(forged, note=note)])
    try:
        async with desk.open():
            return ran(desk, incident, await desk.approve(incident, desk.last(incident)))
    except Unusable as error:
        return Outcome(None, str(error))


@attack(
    "58",
    "an older copy of the database brings back a request that was denied",
    "firstline does not start",
    told="is not the one that was vouched for",
    guards={"assistant.journal.notary.compared": believed},
)
async def older_copy(folder):
    desk, incident, _ = await put_back(folder)
    try:
        async with desk.open():
            return ran(desk, incident, await desk.approve(incident, desk.last(incident)))
    except Unusable as error:
        return Outcome(None, str(error))


@attack(
    "59",
    "the row that guards against a second run is removed by SQL",
    "`audit verify` names the record",
    told="without the intent that guards it",
    guards={"assistant.journal.verify._check_intents": lambda *_: None},
)
async def removed_intent(folder):
    async with fresh(folder) as (desk, incident):
        await desk.requested(incident)
        await desk.approve(incident, desk.last(incident))
    with closing(sqlite3.connect(folder / "firstline.db")) as connection, connection:
        connection.execute("DROP TRIGGER intent_kept")
        connection.execute("DELETE FROM intent")
    report = verify(folder / "firstline.db")
    harm = "it is called sound" if report.state is State.SOUND else None
    return Outcome(harm, report.why or "")


@attack(
    "59b",
    "an open incident is hidden: its events are removed as if somebody had redacted them",
    "firstline does not start: the key has not signed it",
    told="the key did not sign that",
    guards={"assistant.journal.redaction.Withheld.check": lambda _: 0},
)
async def hidden(folder):
    desk = Desk(
        folder / "f.db", approvers=Everybody(), kind=Restless, seen=False, elsewhere=folder / "kept"
    )
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
    with closing(open_database(desk.path)) as database:
        SqlJournal(database, desk.clock).redact(incident, CLEO, "nothing to see", lambda *_: "")
    try:
        async with desk.open():
            harm = None if incident in desk.service.incidents() else "the request is forgotten"
            return Outcome(harm, "")
    except Unusable as error:
        return Outcome(None, str(error))
