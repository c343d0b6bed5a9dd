"""What people said of an answer afterwards: events like those of `assistant.domain.events`."""

from dataclasses import dataclass

from assistant.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCorrected:
    """Somebody said what it really was: in a component, in words, or both (empty where not).

    `public` says that it was said where every member may read, as far as is known.
    """

    by: Actor
    service: str
    text: str
    public: bool = False

    @property
    def told(self) -> str:
        """Return the cause as this person says it."""
        alone = self.text or f"it was in {self.service}"
        return f"{self.service}: {self.text}" if self.service and self.text else alone

    @property
    def told_elsewhere(self) -> str:
        """Return the cause as other channels may read it: a private one keeps its words."""
        if self.public or not self.text:
            return self.told
        return f"it was in {self.service}" if self.service else "something else, as was said there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """Somebody said whether the answer was right; the latest of each person counts."""

    by: Actor
    good: bool
