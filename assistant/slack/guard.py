"""Who may tell us something over HTTP: judged on raw bytes, before anything is parsed.

Bolt checks signatures as well, and too late: it parses first, raises for a timestamp that is no
number, logs the body of what it refuses, and takes the same request again and again. Source:
docs.slack.dev, verifying requests from Slack.
"""

from collections.abc import Mapping
from enum import StrEnum

from slack_sdk import signature

from assistant.clock import Clock

MAX_BODY = 1024 * 1024
WINDOW_S = 300
REPLAY_S = 2 * WINDOW_S  # a request may be stamped this long before it is too old
STAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
_STAMP_DIGITS = 12
_FORMS = ("application/json", "application/x-www-form-urlencoded")


class Refusal(StrEnum):
    """Why a request is not taken: the word that it is answered with."""

    METHOD = "method"
    FORM = "type"
    SIZE = "size"
    SLOW = "slow"
    STAMP = "timestamp"
    STALE = "stale"
    SIGNATURE = "signature"
    REPLAY = "replay"
    BODY = "body"
    TEAM = "team"

    @property
    def status(self) -> int:
        """The HTTP status: 413 for size, 401 for what is not proven to be Slack's, 400 else."""
        if self is Refusal.SIZE:
            return 413
        return 401 if self in _UNPROVEN else 400


_UNPROVEN = (Refusal.STALE, Refusal.SIGNATURE, Refusal.REPLAY, Refusal.TEAM)


class Guard:
    """Knows the signing secret, and the signatures of the last ten minutes."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._clock = clock
        self._verifier = signature.SignatureVerifier(secret, _Wall(clock))
        self._taken: dict[str, float] = {}

    def refusal(self, method: str, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        """Return why the request is not taken, null where it is Slack's and new."""
        if why := form_refusal(method, headers):
            return why
        if len(body) > MAX_BODY:
            return Refusal.SIZE
        stamp, signed = headers.get(STAMP, ""), headers.get(SIGNATURE, "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _STAMP_DIGITS):
            return Refusal.STAMP
        if self._stale(stamp):
            return Refusal.STALE
        if not self._signed(body, stamp, signed):
            return Refusal.SIGNATURE
        return Refusal.REPLAY if self._replayed(signed) else None

    def took(self, signed: str) -> None:
        """Note the signature of a request that is taken, so that it is not taken again."""
        now = self._clock.monotonic()
        while self._taken and now - next(iter(self._taken.values())) > REPLAY_S:
            del self._taken[next(iter(self._taken))]
        self._taken[signed] = now

    def forget(self, signed: str) -> None:
        """Let it be taken after all: it could not be kept, and Slack may send it again at once."""
        self._taken.pop(signed, None)

    def _stale(self, stamp: str) -> bool:
        return abs(self._clock.now().timestamp() - int(stamp)) > WINDOW_S

    def _signed(self, body: bytes, stamp: str, signed: str) -> bool:
        if not signed.isascii():
            return False
        try:
            return self._verifier.is_valid(body, stamp, signed)
        except UnicodeDecodeError:  # Slack signs text; this is none
            return False

    def _replayed(self, signed: str) -> bool:
        at = self._taken.get(signed)
        return at is not None and self._clock.monotonic() - at <= REPLAY_S


def form_refusal(method: str, headers: Mapping[str, str]) -> Refusal | None:
    """Return what is wrong with a request as far as its head tells."""
    if method != "POST":
        return Refusal.METHOD
    form = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if form not in _FORMS or "Content-Encoding" in headers:
        return Refusal.FORM
    length = headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length[:_STAMP_DIGITS]) > MAX_BODY:
        return Refusal.SIZE
    return None


class _Wall(signature.Clock):
    """Our clock, as Slack's verifier wants it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()
