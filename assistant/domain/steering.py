"""What people tell firstline to consider, in plain words, and what it understood."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """The sum of what was said so far; the engine takes it into account and says so.

    `ruled_out` are services that are not to be blamed, `ignored` refs of changes, `focus` a service
    to look at, `since` when it began.
    """

    ruled_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    focus: str | None = None
    since: datetime | None = None
    said: tuple[str, ...] = ()
