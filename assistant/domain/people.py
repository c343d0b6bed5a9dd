"""Who does something: a person, an alert, or firstline itself."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What kind of somebody it is; only a human can decide anything."""

    HUMAN = "human"
    ALERT = "alert"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """`id` is unique within `team` (a Slack workspace); `name` is for people to read.

    `subject` is who the identity provider says it is, where that is known: one person may have
    several accounts. `simulated` marks the people of the in-process workspace: they may act on demo
    systems only.
    """

    kind: ActorKind
    id: str
    name: str
    team: str = ""
    simulated: bool = False
    subject: str = ""

    @property
    def human(self) -> bool:
        """Tell whether it is a person."""
        return self.kind is ActorKind.HUMAN

    def same_person(self, other: "Actor") -> bool:
        """Tell whether two are one person, whatever they are called."""
        one = bool(self.subject) and self.subject == other.subject
        return one or (self.team, self.id) == (other.team, other.id)


FIRSTLINE = Actor(kind=ActorKind.SYSTEM, id="firstline", name="firstline")
