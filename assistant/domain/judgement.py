"""What people said of an answer afterwards: events like those of `assistant.domain.events`."""

from dataclasses import dataclass

from assistant.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCorrected:
    """Somebody said what it really was: in a component, in words, or both (empty where not)."""

    by: Actor
    service: str
    text: str

    @property
    def told(self) -> str:
        """Return the cause as this person says it."""
        alone = self.text or f"it was in {self.service}"
        return f"{self.service}: {self.text}" if self.service and self.text else alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """Somebody said whether the answer was right; the latest of each person counts."""

    by: Actor
    good: bool
