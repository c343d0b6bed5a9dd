"""Events, presses and commands over HTTP: each is a signed POST to the app's request URL.

Source: docs.slack.dev, verifying requests from Slack; Events API, retries.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

from assistant.clock import Clock
from assistant.slack.local.deliveries import Delivery, Missed, Retry

OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One request as it travels."""

    headers: Mapping[str, str]
    body: bytes


class Requests:
    """Posts to one address and signs with one secret."""

    late = "http_timeout"

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        self._url = url
        self._signer = SignatureVerifier(secret)
        self._clock = clock
        self._session = aiohttp.ClientSession()

    async def ready(self) -> None:
        """Return at once: whether somebody listens is found out by posting."""

    async def carry(self, delivery: Delivery, retry: Retry) -> Mapping[str, Any]:
        """Post it; raises `Missed` for everything but 200."""
        retried = {"X-Slack-Retry-Num": str(retry.number), "X-Slack-Retry-Reason": retry.reason}
        status, headers, answer = await self.post(
            self.signed(delivery.kind, delivery.payload), retried if retry.number else {}
        )
        if status != OK:
            raise Missed("http_error", final=headers.get("X-Slack-No-Retry") == "1")
        return _answer(answer)

    def signed(self, kind: str, payload: Mapping[str, Any]) -> Signed:
        """A payload in the form that Slack gives its kind, signed now."""
        if kind == "slash_commands":
            form, body = "application/x-www-form-urlencoded", urlencode(payload)
        elif kind == "interactive":
            form, body = "application/x-www-form-urlencoded", _form(payload)
        else:
            form, body = "application/json", json.dumps(payload)
        return self.sign(body.encode(), form)

    def sign(self, body: bytes, form: str = "application/json") -> Signed:
        """Any body, signed now."""
        stamp = str(int(self._clock.now().timestamp()))
        signature = self._signer.generate_signature(timestamp=stamp, body=body) or ""
        headers = {
            "Content-Type": form,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature,
        }
        return Signed(headers=headers, body=body)

    async def post(
        self, request: Signed, more: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], str]:
        """Send one request as it is, and return status, headers and body; raises `Missed`."""
        try:
            async with self._session.post(
                self._url,
                data=io.BytesIO(request.body),
                headers={**request.headers, **(more or {})},
            ) as answer:
                return answer.status, answer.headers, await answer.text()
        except aiohttp.ClientError:
            raise Missed("connection_failed") from None

    async def close(self) -> None:
        await self._session.close()


def _form(payload: Mapping[str, Any]) -> str:
    return urlencode({"payload": json.dumps(payload)})


def _answer(text: str) -> Mapping[str, Any]:
    """What was said with a 200: JSON, words, or nothing."""
    try:
        said = json.loads(text or "{}")
    except ValueError:
        return {"text": text}
    return said if isinstance(said, dict) else {}
