"""Whether Slack reaches us: since when it does not, and why. The log hears of changes alone."""

import logging
from datetime import datetime

_LOG = logging.getLogger(__name__)


class Contact:
    """Told by whatever carries envelopes; `why` is for a readiness check."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._reason: str | None = "it has not been reached yet"

    @property
    def why(self) -> str | None:
        """Say why Slack does not reach us, null while it does."""
        if self._reason is None:
            return None
        since = f" since {self._since:%H:%M:%S} UTC" if self._since else ""
        return f"Slack is not connected{since}: {self._reason}"

    def lost(self, at: datetime, reason: str) -> None:
        """Note that it is gone from `at` on; while it is, only the reason is kept up to date."""
        if self._reason is None or self._since is None:
            self._since = at
            _LOG.warning("Slack is not connected: %s", reason)
        self._reason = reason

    def found(self, at: datetime) -> None:
        """Note that it is there (again)."""
        if self._reason is not None and self._since is not None:
            away_s = (at - self._since).total_seconds()
            _LOG.warning("Slack is connected again, after %.0f s", away_s)
        self._since, self._reason = None, None
