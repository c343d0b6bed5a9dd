"""Everything that a person or an alert can ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigate:
    """Explain what is wrong. `at` is when it was noticed, `horizon` the end of what may be seen."""

    text: str
    at: datetime
    horizon: datetime
    service: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
