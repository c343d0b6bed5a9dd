"""What can go wrong between an app and Slack, on demand: for tests of whoever must survive it."""

from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    """A way to fail."""

    RATE_LIMITED = "ratelimited"  # HTTP 429 with Retry-After
    ERROR = "error"  # HTTP `status`, nothing done
    LOST_ANSWER = "lost_answer"  # done, then the connection is reset before the answer
    SLOW = "slow"  # answered after `seconds`


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How the next call of a method fails; `seconds` is Retry-After, or the delay."""

    method: str
    failure: Failure
    status: int = 503
    seconds: float = 1.0


class Faults:
    """Faults that wait for their call; each happens once, in order."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        self._waiting.extend(faults)

    def take(self, method: str) -> Fault | None:
        """The first fault that waits for this method; it does not happen again."""
        for index, fault in enumerate(self._waiting):
            if fault.method == method:
                return self._waiting.pop(index)
        return None
