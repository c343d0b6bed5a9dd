"""Alerts in the form of Alertmanager's webhook, version 4, and their delivery."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import aiohttp

_NEVER = "0001-01-01T00:00:00Z"
_PAUSES_S = (0.2, 0.4, 0.8, 1.6, 3.2, 3.2, 3.2, 3.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert: `ends` is null while it fires."""

    name: str
    service: str
    route: str
    summary: str
    starts: datetime
    ends: datetime | None
    link: str

    @property
    def labels(self) -> Mapping[str, str]:
        return {
            "alertname": self.name,
            "route": self.route,
            "service": self.service,
            "severity": "page",
        }

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.labels, sort_keys=True).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, object]:
        return {
            "status": "resolved" if self.ends else "firing",
            "labels": self.labels,
            "annotations": {"summary": self.summary},
            "startsAt": self.starts.isoformat(),
            "endsAt": self.ends.isoformat() if self.ends else _NEVER,
            "generatorURL": self.link,
            "fingerprint": self.fingerprint,
        }


def payload(group: Sequence[Alert]) -> dict[str, object]:
    """The notification about all alerts of one name and service."""
    first = group[0]
    labels = {"alertname": first.name, "service": first.service}
    return {
        "version": "4",
        "groupKey": '{}:{alertname="%(alertname)s", service="%(service)s"}' % labels,  # noqa: UP031
        "truncatedAlerts": 0,
        "status": "resolved" if all(alert.ends for alert in group) else "firing",
        "receiver": "on-call",
        "groupLabels": labels,
        "commonLabels": dict(
            sorted(set.intersection(*(set(alert.labels.items()) for alert in group)))
        ),
        "commonAnnotations": {"summary": first.summary} if len(group) == 1 else {},
        "externalURL": first.link,
        "alerts": [alert.as_json() for alert in group],
    }


async def deliver(session: aiohttp.ClientSession, url: str, group: Sequence[Alert]) -> bool:
    """Post the notification, trying again while it is refused; whether it was taken."""
    for pause in _PAUSES_S:
        try:
            async with session.post(url, json=payload(group)) as response:
                if response.status < 300:
                    return True
        except (aiohttp.ClientError, TimeoutError):
            pass  # the receiver may still be starting
        await asyncio.sleep(pause)
    return False
