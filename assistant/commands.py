"""Everything that a person or an alert can ask for.

A button on a surface stands for one of these, kept on our side under an unguessable id; what comes
back from the surface is only that id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.actions import ArgValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigate:
    """Explain what is wrong. `at` is when it was noticed.

    `horizon` is the end of what may be seen (null: whatever is there). `place` is where the surface
    will show the answer. An alert has a `fingerprint`; while its incident is open it joins that.
    `key` is that of the telling: one that is told twice opens one incident. A time in a question is
    in the asker's `zone` (IANA).
    """

    text: str
    at: datetime
    horizon: datetime | None = None
    service: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = "question"  # question, alert, slack (an alert that was read there)
    fingerprint: str | None = None
    place: str | None = None
    key: str | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEnded:
    """A monitor is content again."""

    at: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Steer:
    """Plain words in an incident's thread: "not the database", "ignore deploy X"."""

    incident: str
    text: str
    zone: str = "UTC"  # the speaker's IANA zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Cancel what is under way; an action that has started is not cut off."""

    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """Go on with what was stopped."""

    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStep:
    """Ask for the action of one step of the plan (from 0)."""

    incident: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAction:
    """Ask for an action of the catalogue, with its arguments.

    `break_glass` calls it an emergency: whether there is such a thing is for the policy to say.
    """

    incident: str
    action: str
    args: Mapping[str, ArgValue]
    reason: str = ""
    break_glass: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUndo:
    """Ask to take back what a request has done."""

    incident: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Say yes to a request exactly as it was shown.

    `typed` is the target's name, as the person typed it: a high risk takes more than a click.
    """

    incident: str
    request: str
    digest: str
    typed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Say no to a request."""

    incident: str
    request: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """It is over; write the postmortem."""

    incident: str
    reason: str = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen:
    """It was not over."""

    incident: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Show it in a place of its own from now on; `shown` is what people call that."""

    incident: str
    place: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePostmortem:
    """Post the account of an incident as it stands.

    Of the records up to the number `upto`, which were looked at, only those in `kept` are told.
    """

    incident: str
    upto: int
    kept: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two are one: follow this incident in another."""

    incident: str
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Something here is a matter of its own."""

    incident: str
    text: str
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptRunbook:
    """Use exactly this draft from now on."""

    incident: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRunbook:
    """Do not use this draft."""

    incident: str
    digest: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """No action may start until it is lifted; `said` is when, where the surface says it."""

    reason: str
    said: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thaw:
    """Lift the freeze; `said` is when, where the surface says it."""

    said: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectCause:
    """Say what it really was: a component that was seen, words, or both."""

    incident: str
    service: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Say whether the answer was right."""

    incident: str
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeEvidence:
    """Show every fact behind the answer; `page` is counted from 0."""

    incident: str
    page: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeePlan:
    """Show each step of the plan, and what it would do now."""

    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeRequest:
    """Show a request whole, to decide on it."""

    incident: str
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCause:
    """Ask what it really was."""

    incident: str


OnIncident = (
    Steer
    | Stop
    | GoOn
    | RequestStep
    | RequestAction
    | RequestUndo
    | Approve
    | Deny
    | Close
    | Reopen
    | Move
    | SharePostmortem
    | Merge
    | Split
    | AcceptRunbook
    | RejectRunbook
    | CorrectCause
    | Rate
)
# What only looks: nothing comes of it but something on the asker's screen.
Look = SeeEvidence | SeePlan | SeeRequest | AskCause
Command = Investigate | AlertEnded | Freeze | Thaw | OnIncident
Pressable = Command | Look
