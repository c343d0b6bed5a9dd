"""Values of a closed family of dataclasses as JSON bytes, told apart by the name of their class.

`{"Approve":{"incident":"INC-1", …}}`: keys sorted, so equal values give equal bytes. What would not
read back as itself (a NaN, half a surrogate pair) is refused before it is stored.
"""

import json
import re
from typing import Generic, TypeVar

from pydantic import TypeAdapter

FRAME = re.compile(rb'\{"([A-Za-z]+)":(\{.*\})\}', re.DOTALL)
T = TypeVar("T")


class Unreadable(Exception):
    """Bytes that are none of the family, or a value that cannot be written."""


class Tagged(Generic[T]):
    """The codec of one family; `kinds` are its classes."""

    def __init__(self, kinds: tuple[type[T], ...]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        self._adapters: dict[str, TypeAdapter[T]] = {}

    def encode(self, value: T) -> bytes:
        """Return the bytes of a value; raises `Unreadable`."""
        name = type(value).__name__
        if name not in self._kinds:
            raise Unreadable(f"{name} is not one of {', '.join(self._kinds)}")
        try:
            plain = self._adapter(name).dump_python(value, mode="json")
            data = json.dumps(
                {name: plain},
                sort_keys=True,
                separators=(",", ":"),
                ensure_ascii=False,
                allow_nan=False,
            ).encode()
        except ValueError as error:
            raise Unreadable(f"{name} cannot be written: {error}") from error
        if self.decode(data) != value:
            raise Unreadable(f"{name} would not read back as what it is")
        return data

    def decode(self, data: bytes) -> T:
        """Return the value of the bytes; raises `Unreadable`."""
        framed = FRAME.fullmatch(data)
        if framed is None:
            raise Unreadable("it is not JSON with the name of a class")
        name = framed[1].decode()
        if name not in self._kinds:
            raise Unreadable(f"nothing is called {name:.60} here; a newer firstline may know it")
        try:
            value: T = self._adapter(name).validator.validate_json(framed[2], strict=True)
        except ValueError as error:
            raise Unreadable(f"it is not a {name}") from error
        return value

    def _adapter(self, name: str) -> TypeAdapter[T]:
        """Return the adapter of a class; they take a moment, so each is made when it is needed."""
        if name not in self._adapters:
            self._adapters[name] = TypeAdapter(self._kinds[name])
        return self._adapters[name]
