"""Signed statements of how much a journal held, and of what: C2SP checkpoints in signed notes.

A checkpoint that was published where the owner of the database cannot write finds what the chain
cannot: records cut off the end, a chain written anew, an older copy of the file. Formats:
https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note (Ed25519 signatures, type 1).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_ID_BYTES, KEY_BYTES, ROOT_BYTES = 4, 32, 32
SIGNATURE = re.compile(r"— (\S+) (\S+)")
NAME = re.compile(r"[^\s+]+")
MOST_BYTES = 65_536  # of a note: it may come from anywhere
PRIVATE = ("PRIVATE", "KEY")


class BadCheckpoint(ValueError):
    """Something is no checkpoint, or signed by nobody whom we know; `str()` says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """`root` is that of the Merkle tree over the first `size` records of the journal `origin`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def origin(log_id: str, restores: int = 0) -> str:
    """Return the name by which checkpoints call a journal.

    After an accepted restore it is another one: under one name nothing is ever contradicted.
    """
    return f"firstline/{log_id}" + (f"/{restores}" if restores else "")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and its name: who may be believed."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        return _key_id(self.name, self.key)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and its name. Its text form is a secret."""

    name: str
    _seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """Return what others need to check the signatures."""
        return Verifier(self.name, self._key().public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note: the text, an empty line and the signature."""
        signature = self.verifier.id + self._key().sign(text.encode())
        return f"{text}\n— {self.name} {base64.b64encode(signature).decode()}\n"

    def secret(self) -> str:
        """Return the text form: for the key file, and for nothing else."""
        encoded = base64.b64encode(ED25519 + self._seed).decode()
        return "+".join((*PRIVATE, self.name, self.verifier.id.hex(), encoded))

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._seed)


def new_signer(name: str) -> Signer:
    """Make a key; raises `BadCheckpoint` for a name with spaces or plus signs."""
    if not NAME.fullmatch(name):
        raise BadCheckpoint(f"a key cannot be called {name!r}: no spaces, no plus signs")
    return Signer(name, Ed25519PrivateKey.generate().private_bytes_raw())


def signer(secret: str) -> Signer:
    """Read a key's text form; raises `BadCheckpoint`, which never holds the key."""
    parts = secret.strip().split("+", 4)
    if len(parts) != len(PRIVATE) + 3 or tuple(parts[:2]) != PRIVATE:
        raise BadCheckpoint("this is not a signing key")
    found = Signer(parts[2], _key_of(parts[4]))
    if found.verifier.id.hex() != parts[3]:
        raise BadCheckpoint("this signing key is damaged: its id is another one's")
    return found


def verifier(text: str) -> Verifier:
    """Read the text form of a public key; raises `BadCheckpoint`."""
    parts = text.strip().split("+", 2)
    if len(parts) != len(("name", "id", "key")) or not NAME.fullmatch(parts[0]):
        raise BadCheckpoint("this is not a public key: name+id+key is wanted")
    found = Verifier(parts[0], _key_of(parts[2]))
    if found.id.hex() != parts[1]:
        raise BadCheckpoint("this public key is damaged: its id is another one's")
    return found


def opened(note: str, known: Sequence[Verifier]) -> Checkpoint:
    """Return a checkpoint that one of the known keys signed; raises `BadCheckpoint`."""
    return _parsed(signed(note, known))


def signed(note: str, known: Sequence[Verifier]) -> str:
    """Return the text of a note that one of the known keys signed; raises `BadCheckpoint`.

    Signatures of others are passed over, as the format asks: witnesses may be added.
    """
    text, empty, rest = note.rpartition("\n\n")
    if not empty or len(note.encode(errors="replace")) > MOST_BYTES or not rest.endswith("\n"):
        raise BadCheckpoint("this is not a signed note")
    text += "\n"
    if not any(_signed(text, line, known) for line in rest.splitlines()):
        raise BadCheckpoint("no key that is known here has signed this checkpoint")
    return text


def says(note: str, keys: Sequence[Verifier], text: str) -> bool:
    """Tell whether a note says this very text, and one of the keys signed it."""
    try:
        return signed(note, keys) == text
    except BadCheckpoint:
        return False


def _signed(text: str, line: str, known: Sequence[Verifier]) -> bool:
    """Tell whether a line is a good signature of a known key; raises for a bad one of its."""
    found = SIGNATURE.fullmatch(line)
    if found is None:
        raise BadCheckpoint("a line of this note that should be a signature is none")
    name, encoded = found.groups()
    signature = _decoded(encoded)
    key = next((v for v in known if v.name == name and signature.startswith(v.id)), None)
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(
            signature[KEY_ID_BYTES:], text.encode(errors="replace")
        )
    except InvalidSignature as error:
        raise BadCheckpoint(f"the signature of {name} does not fit this checkpoint") from error
    return True


def _parsed(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < len(("origin", "size", "root", "")) or not lines[0]:
        raise BadCheckpoint("a checkpoint has an origin, a size and a root, a line each")
    origin, size, encoded = lines[:3]
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", size):
        raise BadCheckpoint("the size of this checkpoint is no number")
    root = _decoded(encoded)
    if len(root) != ROOT_BYTES:
        raise BadCheckpoint("the root of this checkpoint has another length than SHA-256 gives")
    return Checkpoint(origin=origin, size=int(size), root=root)


def _key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key).digest()[:KEY_ID_BYTES]


def _key_of(encoded: str) -> bytes:
    data = _decoded(encoded)
    if len(data) != KEY_BYTES + 1 or data[:1] != ED25519:
        raise BadCheckpoint("this is not an Ed25519 key")
    return data[1:]


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCheckpoint("this is not base64") from error
