"""What can go wrong between an app and Slack, on demand: for tests of whoever must survive it.

A `Fault` happens once, to the next call of its method. What stands until it is lifted are an
`Outage`, the ways of `Envelopes`, and a revoked token.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from assistant.slack.local.changes import Changes


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Slack is away: `methods` (null: all) answer `status`.

    With `sockets` it tells nothing either; what happens meanwhile is told when it is over.
    """

    methods: frozenset[str] | None = None
    sockets: bool = True
    status: int = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelopes:
    """How envelopes misbehave (seconds).

    Each is sent `copies` times; every other one comes `held_s` late, so that later ones overtake
    it; the app's acknowledgement takes `ack_s` to arrive. Without `greeting` nothing is said when a
    socket opens.
    """

    copies: int = 1
    held_s: float = 0.0
    ack_s: float = 0.0
    greeting: bool = True


class Faults:
    """Faults that wait for their call, and those that stand; `revoked` refuses every token."""

    def __init__(self, changes: Changes) -> None:
        self.envelopes = Envelopes()
        self.revoked = False
        self.outage: Outage | None = None
        self._changes = changes
        self._waiting: list[Fault] = []

    @property
    def silent(self) -> bool:
        """Whether Slack tells the app nothing, and opens no socket."""
        return self.outage is not None and self.outage.sockets

    def add(self, *faults: Fault) -> None:
        self._waiting.extend(faults)

    def take(self, method: str) -> Fault | None:
        """The fault of a call: that of an outage, or the first that waits, which is gone then."""
        away = self.outage
        if away is not None and (away.methods is None or method in away.methods):
            return Fault(method=method, failure=Failure.ERROR, status=away.status)
        for index, fault in enumerate(self._waiting):
            if fault.method == method:
                return self._waiting.pop(index)
        return None

    @contextmanager
    def standing(self, outage: Outage) -> Iterator[None]:
        """Let an outage stand for the length of the context."""
        self.outage = outage
        self._changes.note()
        try:
            yield
        finally:
            self.outage = None
            self._changes.note()
