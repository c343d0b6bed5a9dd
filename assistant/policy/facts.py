"""What a rule may ask about an action: few, typed, all of them always there.

A rule language treats what is missing in its own way, and some of those ways let things pass. So
nothing is ever missing: facts that are incomplete are refused before a rule is asked.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=300)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Facts(BaseModel):
    """An action as a rule sees it.

    `target` is its unique name and `target_kind` what it is; it `touches` so many of `among` things
    of its kind, which is `share` per cent, rounded up. `undo` tells that the preview knows the way
    back. `repeated` counts the actions on this target that were started in the hour before.
    `hour` (0–23) and `weekday` (1 is Monday) are of the policy's zone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    action: Text
    effect: Literal["read", "mutate"]
    risk: Literal["low", "medium", "high"]
    demo: bool
    reversible: bool
    undo: bool
    target_kind: Text
    target: Text
    environment: Text
    touches: Count
    among: Count
    share: Annotated[int, Field(ge=0, le=100)]
    repeated: Count
    break_glass: bool
    reason: bool
    hour: Annotated[int, Field(ge=0, le=23)]
    weekday: Annotated[int, Field(ge=1, le=7)]


Fact = str | int | bool
NAMES = frozenset(Facts.model_fields)


def share(touches: int, among: int) -> int:
    """Return per cent, rounded up; of nothing known it is all."""
    return min(100, -(-100 * touches // among)) if among > 0 else 100


def at(moment: datetime, zone: str) -> Mapping[str, Fact]:
    """Return the facts that are about a moment."""
    local = moment.astimezone(ZoneInfo(zone))
    return {"hour": local.hour, "weekday": local.isoweekday()}
