"""What a press entitles the app to: one modal within three seconds, a few answers by URL.

The ids are handed out with interaction payloads and redeemed by views.open, views.push and the
response URL.
"""

import secrets
from dataclasses import dataclass

from assistant.clock import Clock
from assistant.slack import limits
from assistant.slack.local.refusals import Refused


@dataclass(slots=True, kw_only=True)
class Trigger:
    """Whose press it was; `view` is the modal it happened in, if any."""

    user: str
    at: float
    view: str | None = None
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """Where an answer by URL belongs; `message` is the ts of the message that was pressed."""

    user: str
    channel: str
    at: float
    message: str | None = None
    uses: int = 0


class Triggers:
    """Hands out trigger ids and response URLs, and takes each back at most as often as allowed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def issue(self, user: str, view: str | None = None) -> str:
        name = secrets.token_hex(12)
        self._triggers[name] = Trigger(user=user, at=self._clock.monotonic(), view=view)
        return name

    def redeem(self, name: str) -> Trigger:
        """Raises `Refused` for a trigger that nobody issued, that is too old, or was used."""
        trigger = self._triggers.get(name)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self._clock.monotonic() - trigger.at > limits.TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger

    def open_url(self, user: str, channel: str, message: str | None = None) -> str:
        """The secret part of a new response URL."""
        name = secrets.token_urlsafe(18)
        at = self._clock.monotonic()
        self._urls[name] = ResponseUrl(user=user, channel=channel, at=at, message=message)
        return name

    def use_url(self, name: str) -> ResponseUrl:
        """Raises `Refused` for a URL that is unknown, too old, or used up."""
        url = self._urls.get(name)
        if url is None or self._clock.monotonic() - url.at > limits.RESPONSE_URL_SECONDS:
            raise Refused("expired_url")
        if url.uses >= limits.RESPONSE_URL_USES:
            raise Refused("used_url")
        url.uses += 1
        return url
