"""The attacks: what is tried, what has to come of it, and the guard that stops it.

An attack is a function that tries something through the public surface and returns the harm that it
did, null where it did none, and what was said about it. Its guards are what stops it: with them
replaced by what they are not, the same function has to do harm, or it shows nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from slackrig import Broken


class Outcome(NamedTuple):
    """`harm` is what went wrong, null where nothing did; `said` what people were told."""

    harm: str | None
    said: str


Try = Callable[[Path], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One row of the table in docs/security.md; `guards` are names and what replaces them."""

    row: str
    what: str
    expected: str
    told: str  # part of what has to be said
    guards: Mapping[str, object]
    attempt: Try

    async def guarded(self, folder: Path) -> Outcome:
        """Try it."""
        return await self.attempt(folder)

    async def unguarded(self, folder: Path) -> Outcome:
        """Try it without the guards."""
        with pytest.MonkeyPatch.context() as patch:
            for name, replacement in self.guards.items():
                patch.setattr(name, replacement)
            try:
                return await self.attempt(folder)
            except Broken as broken:  # what Slack was shown is harm of its own
                return Outcome(str(broken), "")


BOOK: list[Attack] = []


def attack(
    row: str, what: str, expected: str, *, told: str, guards: Mapping[str, object]
) -> Callable[[Try], Try]:
    """Enter a function into the book."""

    def enter(attempt: Try) -> Try:
        BOOK.append(
            Attack(row=row, what=what, expected=expected, told=told, guards=guards, attempt=attempt)
        )
        return attempt

    return enter
