"""An envelope has one encoding: what is written reads back, and nothing else reads at all."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.people import Actor, ActorKind
from assistant.journal.envelope import Envelope, read

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


def envelope(**more):
    fields = {
        "log_id": "log", "seq": 7, "prev": "0" * 64, "id": "i", "incident": "INC-1",
        "ts": datetime(2026, 3, 1, 12, 0, 0, 5, UTC), "type": "Opened", "subject": "",
        "plan_sha256": "", "payload_commit": "c" * 64,
        "actor": Actor(kind=ActorKind.HUMAN, id="U1", name="Ann", team="T1", simulated=True),
    }  # fmt: skip
    return Envelope(**{**fields, **more})


@given(TEXT, TEXT, TEXT, st.integers(0, 10**18), st.datetimes(timezones=st.just(UTC)))
def test_whatever_is_written_reads_back(name, incident, subject, seq, ts):
    actor = Actor(kind=ActorKind.ALERT, id=subject, name=name, team=incident)
    written = envelope(actor=actor, incident=incident, subject=subject, seq=seq, ts=ts)
    assert read(written.encoded()) == written


OTHERS = [
    (b'"INC-1"', b'"\\u0049NC-1"'),  # an escape that need not be
    (b'"INC-1"', b'"INC\\/1"'),
    (b'"INC-1"', b'"INC\\u001F"'),  # a second way to write the same digit
    (b'"INC-1"', b'"INC\\u000a"'),  # there is a short form
    (b'"INC-1"', b'"INC\n1"'),  # a control character as it is
    (b'"INC-1"', b'"INC\xff"'),
    (b'"seq":7', b'"seq":07'),
    (b'"seq":7', b'"seq":7.0'),
    (b'"seq":7', b'"seq":-7'),
    (b'"seq":7', b'"seq": 7'),
    (b"+00:00", b"Z"),
    (b"2026-03-01", b"2026-02-30"),
    (b'"human"', b'"robot"'),
    (b'"v":1', b'"v":2'),
    (b'"v":1', b'"v":1,"w":2'),
    (b"}", b"} "),
]


@pytest.mark.parametrize(("old", "new"), OTHERS, ids=[repr(new) for _, new in OTHERS])
def test_another_encoding_is_none(old, new):
    with pytest.raises(ValueError, match=r"."):
        read(envelope().encoded().replace(old, new))


def test_another_order_of_the_keys_is_none():
    turned = json.dumps(dict(reversed(json.loads(envelope().encoded()).items()))).encode()
    with pytest.raises(ValueError, match="canonical"):
        read(re.sub(rb"([,:]) ", rb"\1", turned))
