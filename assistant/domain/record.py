"""An event as the journal holds it: numbered, dated, signed with who did it."""

from dataclasses import dataclass
from datetime import datetime

from assistant.domain.events import Event
from assistant.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`seq` counts from 1 over the whole journal; `incident` is empty for what concerns all."""

    seq: int
    id: str
    at: datetime
    actor: Actor
    incident: str
    event: Event
