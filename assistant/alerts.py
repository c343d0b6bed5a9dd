"""Alerts from monitors into commands: parsed, journaled, and only then acknowledged."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from assistant.answer import Answer
from assistant.clock import Clock
from assistant.commands import AlertEnded, Command, Investigate
from assistant.domain.people import Actor, ActorKind
from connectors.api import Alert, Receiver

Submit = Callable[[Command, Actor], Awaitable[Answer]]
MOST_TEXT = 300
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Alerts:
    """Takes what monitors post and hands each alert on as a command."""

    def __init__(self, receiver: Receiver, submit: Submit, clock: Clock) -> None:
        self._receiver = receiver
        self._submit = submit
        self._clock = clock

    async def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, object]:
        """Take one payload; raises `Rejected` or `Forbidden` for what is not the monitor's."""
        alerts = [a for a in self._receiver.receive(headers, body) if isinstance(a, Alert)]
        answers = [await self._submit(self._command(alert), self._actor(alert)) for alert in alerts]
        return 200, {"received": len(alerts), "incidents": [a.incident for a in answers]}

    def _command(self, alert: Alert) -> Command:
        if alert.status == "resolved":
            return AlertEnded(at=self._clock.now(), fingerprint=alert.fingerprint)
        return Investigate(
            text=alert.symptom[:MOST_TEXT],
            at=_noticed(alert, self._clock.now()),
            service=alert.service,
            labels=alert.labels,
            source="alert",
            fingerprint=alert.fingerprint,
        )

    def _actor(self, alert: Alert) -> Actor:
        name = alert.source or self._receiver.name
        return Actor(kind=ActorKind.ALERT, id=self._receiver.name, name=name)


def _noticed(alert: Alert, now: datetime) -> datetime:
    """Return since when; a monitor that does not know says the year 1, which is Go's zero time."""
    return min(alert.at, now) if alert.at >= EPOCH else now
