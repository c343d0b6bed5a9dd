"""Everything that may go wrong in a connector, as one tree.

ConnectorError
├── Unavailable        the backend did not answer, or answered with a server error   (try again)
├── DeadlineExceeded   the ask's own deadline passed                                 (try again)
├── Forbidden          the backend knows us and says no                              (give up)
└── Rejected           the question, the payload or the settings are wrong           (give up)

Nothing else leaves a connector: a failed source is reported as "not looked at", and that is only
possible when each failure is one of these. The message is one sentence that says what is wrong and
what to do; it never holds telemetry text, a credential or a traceback.
"""

from typing import ClassVar


class ConnectorError(Exception):
    """A connector could not do what it was asked; `str()` is a sentence for a person."""

    retryable: ClassVar[bool] = False


class Unavailable(ConnectorError):
    """The backend did not answer, or answered with a server error."""

    retryable = True


class DeadlineExceeded(ConnectorError):
    """The deadline of the ask passed before the backend had answered."""

    retryable = True


class Forbidden(ConnectorError):
    """The backend refused our identity or its rights."""


class Rejected(ConnectorError):
    """The question, the payload or the settings are malformed."""
