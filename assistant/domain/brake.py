"""What was said about all actions at once."""

from dataclasses import dataclass
from datetime import datetime

from assistant.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """No action may start until it is lifted; `said` is when, by the clock of the surface."""

    by: Actor
    reason: str
    said: datetime | None = None  # older journals have none


@dataclass(frozen=True, slots=True, kw_only=True)
class Thawed:
    """The freeze was lifted; `said` is when, by the clock of the surface."""

    by: Actor
    said: datetime | None = None  # older journals have none
