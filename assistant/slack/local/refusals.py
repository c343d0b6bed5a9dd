"""How a request is refused: Slack's error code, and what goes with it."""

from collections.abc import Sequence
from typing import Any


class Refused(Exception):
    """The request is answered with `ok: false` and this code."""

    def __init__(self, code: str, **more: Any) -> None:  # noqa: ANN401 — any JSON
        super().__init__(code)
        self.code = code
        self.more = more


class RateLimited(Refused):
    """The method was called too often; it may be called again after so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__("ratelimited")
        self.seconds = seconds


def refused_for(code: str, faults: Sequence[str]) -> Refused:
    """A refusal that points at each fault."""
    return Refused(code, response_metadata={"messages": [f"[ERROR] {text}" for text in faults]})
