"""What Slack tells us, kept before it is acknowledged, and handled once.

Slack does not repeat what was acknowledged, so what is lost after that is lost for ever; and it
repeats what was not, so everything has a key. A mention comes twice, as `app_mention` and as
`message`: both have the key of the text itself, its team, channel and `ts`.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any
from weakref import WeakValueDictionary

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from assistant.clock import Clock
from assistant.failure import Unusable
from assistant.slack.intents import intent
from assistant.slack.ports import Inbox

_log = logging.getLogger(__name__)
_TEXTS = ("app_mention", "message")
_MENTION = re.compile(r"<@[^>]*>")
_EDITS = ("message_changed", "message_deleted")


class Ingress:
    """Claims envelopes, dispatches them to the app, and notes when they are done."""

    def __init__(self, app: AsyncApp, inbox: Inbox, clock: Clock) -> None:
        self._app = app
        self._inbox = inbox
        self._clock = clock
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def claim(self, payload: Mapping[str, Any], envelope: str) -> str | None:
        """Keep the payload and return its key; null where it was told before."""
        key = key_of(payload, envelope)
        body = json.dumps(payload, ensure_ascii=False).encode("utf-8")
        return key if self._inbox.claim(key, body, self._clock.now()) else None

    async def handle(self, key: str, payload: dict[str, Any]) -> None:
        """Dispatch a claimed payload; Bolt answers for what its listeners raise.

        What is written in one thread is taken in the order in which it came: the second line may
        take back the first. A button waits for nobody, since its form has to open within seconds,
        and neither does a stop.
        """
        lane = lane_of(payload)
        turn = self._turns.setdefault(lane, asyncio.Lock()) if lane else nullcontext()
        async with turn:
            await self._app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
        try:
            self._inbox.done(key)
        except Unusable as error:  # handled again at the next start, and found done then
            _log.error("%s is not noted as done: %s", key, error)

    async def resume(self) -> None:
        """Handle what was acknowledged and not done when the process ended."""
        for key, body in self._inbox.unfinished():
            await self.handle(key, json.loads(body))


def lane_of(payload: Mapping[str, Any]) -> str | None:
    """Return the thread that a text was written in, null for what waits for nobody."""
    event = payload.get("event") or {}
    said = _MENTION.sub(" ", str(event.get("text") or "")).strip()
    if event.get("type") not in _TEXTS or intent(said).word == "stop":
        return None
    return f"{event.get('channel')}:{event.get('thread_ts') or event.get('ts')}"


def key_of(payload: Mapping[str, Any], envelope: str) -> str:
    """Return what makes this telling the same as another one."""
    event = payload.get("event") or {}
    if event.get("type") in _TEXTS and event.get("subtype") not in _EDITS:
        return f"text:{payload.get('team_id')}:{event.get('channel')}:{event.get('ts')}"
    for name in ("event_id", "trigger_id"):
        if payload.get(name):
            return f"{name}:{payload[name]}"
    return f"envelope:{envelope}"
