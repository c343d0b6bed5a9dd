"""Verify what `firstline audit prove` wrote, without firstline: Python and `cryptography` do it.

    python offline.py proof.jsonl --key 'firstline+1a2b3c4d+Abc…'

The first line of a proof is a signed checkpoint, each other line a record and its path to the root.
Everything is checked anew and by other code than firstline's: the signature, the hash of every
envelope, the salted hash of every event, and that each record is at its place among those that were
signed for. Leaves with 0 where all holds, 1 where something does not, 2 where it cannot be checked.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_ID = 4
HEAD = '{"envelope":'
BETWEEN = re.compile(r',"hash":"(?P<hash>[0-9a-f]{64})","salt":"(?P<salt>[0-9a-f]*)","event":')


class Wrong(Exception):
    """Something is not what it says."""


UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration)
CANNOT = (Wrong, *UNREADABLE)


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a path leads from a leaf to the root of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if here % 2 or here == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while here % 2 == 0 and here:
                here, last = here // 2, last // 2
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        here, last = here // 2, last // 2
    return last == 0 and found == root


def signed(note: str, key: str) -> tuple[str, int, bytes]:
    """Return origin, size and root of a checkpoint that the key signed; raises `Wrong`."""
    name, identity, encoded = key.strip().split("+", 2)
    public = base64.b64decode(encoded, validate=True)[1:]
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, who, value = line.split(" ")
        signature = base64.b64decode(value, validate=True)
        if (dash, who) == ("—", name) and signature[:KEY_ID].hex() == identity:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature[KEY_ID:], text.encode())
            except InvalidSignature:
                raise Wrong("the signature does not fit the checkpoint") from None
            origin, size, root = text.split("\n")[:3]
            return origin, int(size), base64.b64decode(root, validate=True)
    raise Wrong("the checkpoint is not signed by this key")


def check(line: str, size: int, root: bytes) -> tuple[int, bool]:
    """Return the number of a record that is what was signed for, and is its event withheld.

    Raises `Wrong`.
    """
    envelope, start = _value(line, len(HEAD) if line.startswith(HEAD) else len(line))
    between = BETWEEN.match(line, start)
    if between is None:
        raise Wrong("a line is no record")
    event, end = _value(line, between.end())
    rest = json.loads("{" + line[end:].lstrip(","))
    path = rest["path"]
    told = json.loads(envelope)
    seq, leaf = int(told["seq"]), hashlib.sha256(b"\0" + envelope.encode()).digest()
    commitment = hashlib.sha256(bytes.fromhex(between["salt"]) + event.encode()).hexdigest()
    if leaf.hex() != between["hash"]:
        raise Wrong(f"record {seq}: its envelope is not the one of its hash")
    withheld = event == "null" and type(rest.get("redacted")) is int
    if commitment != told["payload_commit"] and not withheld:
        raise Wrong(f"record {seq}: its event is not the one that was written")
    if not included(leaf, seq - 1, size, [bytes.fromhex(step) for step in path], root):
        raise Wrong(f"record {seq}: it is not among the {size} records that were signed for")
    return seq, withheld


def _value(line: str, start: int) -> tuple[str, int]:
    """Return the text of a JSON value, as it was written, and where it ends."""
    _, end = json.JSONDecoder().raw_decode(line, start)
    return line[start:end], end


def verify(lines: Iterable[str], key: str) -> str:
    """Return what holds, in a sentence; raises `Wrong`."""
    rows = iter(lines)
    origin, size, root = signed(json.loads(next(rows))["checkpoint"], key)
    checked = [check(line, size, root) for line in rows]
    found, withheld = [seq for seq, _ in checked], sum(gone for _, gone in checked)
    if not found or found != sorted(set(found)):
        raise Wrong("there are no records, or they are not in their order")
    without = f"; the events of {withheld} are withheld as redacted" if withheld else ""
    return f"holds: {len(found)} records of the {size} that were signed for as {origin}{without}"


def main() -> int:
    """Verify the file that the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(description="Verify a proof of `firstline audit prove`.")
    parser.add_argument("proof", help="the file that it wrote")
    parser.add_argument("--key", required=True, help="the public key, from `firstline audit key`")
    asked = parser.parse_args()
    try:
        with open(asked.proof, encoding="utf-8") as lines:  # noqa: PTH123 — nothing but the basics
            print(verify(lines, asked.key))  # noqa: T201
    except Wrong as error:
        print(f"does not hold: {error}")  # noqa: T201
        return 1
    except UNREADABLE as error:
        print(f"cannot be checked: {type(error).__name__}: {error}")  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
