"""What was done to the shop, as its change feed tells it."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change; `until` is null while it is under way, and for one that takes no time."""

    at: datetime
    until: datetime | None
    kind: str
    target: str
    ref: str
    actor: str
    summary: str

    def as_json(self) -> dict[str, str | None]:
        return {
            **asdict(self),
            "at": self.at.isoformat(),
            "until": self.until.isoformat() if self.until else None,
        }


class ChangeLog:
    """All changes, oldest first."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def begin(self, *, kind: str, target: str, ref: str, actor: str, summary: str) -> int:
        """Record a change from now on; the number to end it with."""
        self._changes.append(
            Change(
                at=datetime.now(UTC),
                until=None,
                kind=kind,
                target=target,
                ref=ref,
                actor=actor,
                summary=summary,
            )
        )
        return len(self._changes) - 1

    def end(self, number: int) -> None:
        self._changes[number] = replace(self._changes[number], until=datetime.now(UTC))

    def between(self, start: datetime, end: datetime) -> list[Change]:
        """Changes that began before `end` and had not ended before `start`."""
        return [
            change
            for change in self._changes
            if change.at < end and (change.until or change.at) >= start
        ]
