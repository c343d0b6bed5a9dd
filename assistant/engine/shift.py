"""One local test that came out: something about one component differs from before."""

from dataclasses import dataclass
from enum import StrEnum


class Mechanism(StrEnum):
    """How a component can misbehave; each sees its own class of faults and is blind to the rest."""

    LATENCY = "latency"
    CONTROL = "control_flow"
    ERROR = "error"
    RESOURCE = "resource"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """`before` and `after` in `unit`; `t` is the test's statistic, `strength` is 0–1.

    `weight` is the absolute effect (ms lost, executions that deviate): the loud little component
    must not win over the one that costs users their time.
    """

    mechanism: Mechanism
    kind: str
    service: str
    operation: str | None = None
    peer: str | None = None
    instance: str | None = None
    detail: str = ""
    unit: str
    before: float
    after: float
    n0: int
    n1: int
    t: float
    weight: float
    strength: float


def saturate(value: float, half: float) -> float:
    """Return value / (value + half): 0 at 0, ½ at `half`, never 1."""
    return max(0.0, value) / (max(0.0, value) + half)
