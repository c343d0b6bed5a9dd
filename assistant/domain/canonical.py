"""One value, one sequence of bytes: what hashes and approvals are made over.

Keys are sorted, nothing is optional, floats are refused (two machines may print them differently).
The result equals RFC 8785 for ASCII keys and whole numbers below 2^53.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

_PLAIN = (str, int, bool, type(None))
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
Value = None | bool | int | str | Sequence["Value"] | Mapping[str, "Value"]


def canonical(value: Value) -> bytes:
    """Return the bytes of a value; raises `TypeError` for a float or a foreign type."""
    _refuse_floats(value)
    return _ENCODER.encode(value).encode("utf-8")


def digest(value: Value) -> str:
    """Return the SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _refuse_floats(value: Value) -> None:
    if type(value) in _PLAIN:
        return
    if isinstance(value, float):
        raise TypeError("a float has no canonical form; use a whole number of a smaller unit")
    if isinstance(value, Mapping):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            _refuse_floats(part)
