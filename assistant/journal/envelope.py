"""What a record is made of on disk: a canonical envelope, its hash, and the event it commits to.

The envelope holds everything but the event, which it names by a salted hash: an event can be shown
or withheld without touching the chain. The hash is the leaf hash of RFC 6962, so that a Merkle root
over the same leaves can be published one day.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from uuid import UUID

from assistant.domain.canonical import canonical
from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionRequested,
    ActionStarted,
    ActionUnknown,
    Approved,
    Denied,
    Event,
    Expired,
    PolicyDecided,
    Refused,
    Verified,
    WentStale,
)
from assistant.domain.people import Actor, ActorKind
from assistant.domain.record import Record
from assistant.journal.api import BrokenRecord
from assistant.journal.codec import EVENTS
from assistant.store.tagged import Unreadable

# The one encoding of an envelope: sorted keys, and each character escaped in only one way. What
# fits is canonical, and nothing has to be written again to see it.
_PLAIN, _ESCAPED = r'[^"\\\x00-\x1f]*+', r'\\(?:["\\bfnrt]|u00(?:0[0-7bef]|1[0-9a-f]))'
_TEXT = f"({_PLAIN}(?:{_ESCAPED}{_PLAIN})*+)"
FORM = re.compile(
    r'\{"actor":\{"id":"TEXT","kind":"(human|alert|system)","name":"TEXT",'
    r'"simulated":(true|false),"team":"TEXT"\},"id":"TEXT","incident":"TEXT","log_id":"TEXT",'
    r'"payload_commit":"TEXT","plan_sha256":"TEXT","prev":"TEXT","seq":(0|[1-9][0-9]{0,18}),'
    r'"subject":"TEXT","ts":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}\+00:00)",'
    r'"type":"([A-Za-z]+)","v":1\}'.replace("TEXT", _TEXT)
)
GENESIS = "0" * 64
LEAF = b"\x00"
SALT_BYTES = 16


class Envelope(NamedTuple):
    """One record without its event; a tuple, since a million of them are read in a row.

    `prev` is the hash of the record before, `subject` the id of the request that it is about and
    `plan_sha256` the digest of that request, where there are any.
    """

    log_id: str
    seq: int
    prev: str
    id: str
    ts: datetime
    type: str
    actor: Actor
    incident: str
    subject: str
    plan_sha256: str
    payload_commit: str
    v: Literal[1] = 1

    def encoded(self) -> bytes:
        """Return the one encoding of it."""
        actor = self.actor
        return canonical(
            {
                "v": self.v,
                "log_id": self.log_id,
                "seq": self.seq,
                "prev": self.prev,
                "id": self.id,
                "ts": self.ts.astimezone(UTC).isoformat(timespec="microseconds"),
                "type": self.type,
                "actor": {
                    "kind": actor.kind,
                    "team": actor.team,
                    "id": actor.id,
                    "name": actor.name,
                    "simulated": actor.simulated,
                },
                "incident": self.incident,
                "subject": self.subject,
                "plan_sha256": self.plan_sha256,
                "payload_commit": self.payload_commit,
            }
        )


class Row(NamedTuple):
    """A record as it is stored; null where the bytes are absent.

    `redacted` is the number of the record by which its event was removed, null where it is there.
    """

    seq: int
    env: bytes | None
    h: bytes | None
    salt: bytes | None
    body: bytes | None
    redacted: int | None

    @property
    def withheld(self) -> bool:
        """Tell whether its event is gone and is said to be so rightly."""
        return self.body is None and self.redacted is not None


def leaf(env: bytes) -> bytes:
    """Return the hash of an envelope (RFC 6962 §2.1)."""
    return hashlib.sha256(LEAF + env).digest()


def commitment(salt: bytes, body: bytes) -> str:
    """Return what an envelope says of its event; the salt keeps short events from being guessed."""
    return hashlib.sha256(salt + body).hexdigest()


def about(event: Event) -> tuple[str, str]:
    """Return the id and the digest of the request that an event is about, empty where none is."""
    tell = _ABOUT.get(type(event))
    return tell(event) if tell is not None else NOTHING


def _its_request(event: Any) -> tuple[str, str]:  # noqa: ANN401 — of several unrelated classes
    return event.request or "", ""


NOTHING = ("", "")
# By class, not by asking each class in turn: verifying asks this a million times.
_ABOUT: dict[type[Event], Callable[[Any], tuple[str, str]]] = {
    ActionRequested: lambda e: (e.request.id, e.digest),
    Approved: lambda e: (e.request, e.approval.digest),
    ActionStarted: lambda e: (e.request, e.digest),
    **dict.fromkeys(
        (
            Denied,
            Expired,
            WentStale,
            ActionFinished,
            ActionFailed,
            ActionUnknown,
            Verified,
            Refused,
            PolicyDecided,
        ),
        _its_request,
    ),
}


def read(env: bytes) -> Envelope:
    """Return the envelope of its one encoding; raises `ValueError` for any other bytes."""
    found = FORM.fullmatch(env.decode())
    if found is None:
        raise ValueError("cannot be read in the canonical form")
    texts = found.groups()
    if b"\\" in env:
        texts = tuple(str(json.loads(f'"{text}"')) for text in texts)
    (who, kind, name, simulated, team, identity, incident, log_id, commit, plan, prev, seq, subject,
     ts, what) = texts  # fmt: skip
    return Envelope(
        log_id,
        int(seq),
        prev,
        identity,
        datetime.fromisoformat(ts),
        what,
        _actor(who, kind, name, team, simulated),
        incident,
        subject,
        plan,
        commit,
    )


@lru_cache(maxsize=256)
def _actor(who: str, kind: str, name: str, team: str, simulated: str) -> Actor:
    made_up = simulated == "true"
    return Actor(kind=ActorKind(kind), id=who, name=name, team=team, simulated=made_up)


def new_id(at: datetime) -> str:
    """Return a UUID of version 7 (RFC 9562 §5.7): ids sort by time."""
    milliseconds = int(at.timestamp() * 1000)
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76  # version
    value = value & ~(0x3 << 62) | 2 << 62  # variant
    return str(UUID(int=value))


def unseal(row: Row) -> Envelope:
    """Return the envelope of stored bytes; raises `BrokenRecord`."""
    seq, env, h = row[:3]
    if env is None or h is None:
        raise BrokenRecord(seq, "its envelope is missing")
    intact = leaf(env) == h
    try:
        envelope = read(env)
    except ValueError as error:
        said = f"its envelope {error}" if intact else "its envelope was changed"
        raise BrokenRecord(seq, said) from error
    if not intact:
        raise BrokenRecord(seq, "its envelope or its hash was changed", envelope.id)
    if envelope.seq != seq:
        raise BrokenRecord(envelope.seq, f"it is stored under the number {seq}", envelope.id)
    return envelope


def opened(row: Row) -> tuple[Envelope, Event]:
    """Return what a row holds, with every hash checked; raises `BrokenRecord`."""
    envelope = unseal(row)
    seq, _, _, salt, body, _ = row
    if salt is None or body is None:
        raise BrokenRecord(seq, "its event is missing", envelope.id)
    if len(salt) != SALT_BYTES or commitment(salt, body) != envelope.payload_commit:
        raise BrokenRecord(seq, "its event is not the one that was written", envelope.id)
    try:
        event = EVENTS.decode(body)
    except Unreadable as error:
        raise BrokenRecord(seq, f"its event cannot be read: {error}", envelope.id) from error
    said = (type(event).__name__, *about(event))
    if said != (envelope.type, envelope.subject, envelope.plan_sha256):
        raise BrokenRecord(seq, "its envelope speaks of another event", envelope.id)
    return envelope, event


def examined(row: Row) -> tuple[Envelope, Event | None]:
    """Return what a row holds, the event null where it was redacted; raises `BrokenRecord`."""
    return (unseal(row), None) if row.withheld else opened(row)


def record(envelope: Envelope, event: Event) -> Record:
    """Return a record in the words of the domain."""
    return Record(
        seq=envelope.seq,
        id=envelope.id,
        at=envelope.ts,
        actor=envelope.actor,
        incident=envelope.incident,
        event=event,
    )
