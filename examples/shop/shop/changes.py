"""What was done to the shop, as its change feed tells it."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change; `until` is null while it is under way, and for one that takes no time.

    `what` is what was changed (version, a flag, a setting) from `before` to `after`, where it is
    anything of that kind.
    """

    at: datetime
    until: datetime | None
    kind: str
    target: str
    ref: str
    actor: str
    summary: str
    what: str | None = None
    before: str | None = None
    after: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {
            **asdict(self),
            "at": self.at.isoformat(),
            "until": self.until.isoformat() if self.until else None,
        }


class ChangeLog:
    """All changes, oldest first, each under a reference of its own."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}

    def begin(  # noqa: PLR0913 - one argument a field
        self,
        *,
        kind: str,
        target: str,
        ref: str,
        actor: str,
        summary: str,
        what: str | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> str:
        """Record a change from now on; its reference: `ref`, with a number where it is taken."""
        times = sum(1 for known in self._changes if known.partition("~")[0] == ref)
        unique = f"{ref}~{times + 1}" if times else ref
        self._changes[unique] = Change(
            at=datetime.now(UTC),
            until=None,
            kind=kind,
            target=target,
            ref=unique,
            actor=actor,
            summary=summary,
            what=what,
            before=before,
            after=after,
        )
        return unique

    def end(self, ref: str) -> None:
        self._changes[ref] = replace(self._changes[ref], until=datetime.now(UTC))

    def find(self, ref: str) -> Change | None:
        return self._changes.get(ref)

    def between(self, start: datetime, end: datetime) -> list[Change]:
        """Changes that began before `end` and had not ended before `start`."""
        return [
            change
            for change in self._changes.values()
            if change.at < end and (change.until or change.at) >= start
        ]
