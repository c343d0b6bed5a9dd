"""Watched channels: what other apps write there are alerts, answered in their threads.

A storm of them does not become a storm of incidents: repeats join, and only so many that are new
are looked into at a time.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import AlertEnded, Investigate
from assistant.domain.people import Actor, ActorKind
from assistant.slack.errors import FAILURES, sentence
from assistant.slack.monitors import Sounded, sounded
from assistant.slack.parts import Parts
from assistant.slack.places import Place
from assistant.slack.text import one_line

MOST_NEW, WITHIN = 6, timedelta(minutes=10)
TOO_MANY = (
    f"More than {MOST_NEW} new alerts within {WITHIN.seconds // 60} minutes: I look into none of "
    "the others until it is calmer. Mention me on one that matters."
)
_LOG = logging.getLogger(__name__)


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to other apps in the watched channels, before anybody else does."""
    told_at: dict[str, datetime] = {}
    turn = asyncio.Lock()

    async def watched(event: Mapping[str, Any]) -> bool:
        message = event.get("message") or event
        return event.get("channel") in parts.watched and bool(message.get("bot_id"))

    async def heard(
        event: dict[str, Any], context: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        alert = sounded(event, str(context.get("bot_id") or ""))
        if alert is None:
            return
        now = parts.clock.now()
        who = Actor(kind=ActorKind.ALERT, id=f"slack:{alert.bot}", name=one_line(alert.name, 80))
        if alert.over:
            for ended in _meant(alert, parts):
                await parts.desk.submit(AlertEnded(at=now, fingerprint=ended), who)
            return
        async with turn:  # they come all at once, and each counts those before it
            known = _known(alert, parts)
            wanted = known is not None or _calm(alert, parts, now)
            if wanted:
                told = _command(alert, known or alert.fingerprints[0], now)
                await parts.desk.submit(told, who)
        if not wanted and now - told_at.get(alert.channel, now - WITHIN) >= WITHIN:
            told_at[alert.channel] = now
            await _say(client, alert.channel)

    for kind in ("message", "app_mention"):  # one text comes as both, and only one is handled
        app.event(kind, matchers=[watched])(heard)


def _meant(alert: Sounded, parts: Parts) -> tuple[str, ...]:
    """Return what is over: in a thread the alert that began it, if by the same app."""
    incident = parts.places.incident_at(alert.channel, alert.thread) if alert.thread else None
    if incident is None:
        return alert.fingerprints
    opened = parts.desk.incidents()[incident].opened
    same = opened.key is None or opened.key.startswith(_key(alert.bot, ""))
    return (opened.fingerprint,) if same and opened.fingerprint else alert.fingerprints


def _key(bot: str, ts: str) -> str:
    """Return the key of what an app wrote; older journals have none."""
    return f"slack:{bot}/{ts}"


def _known(alert: Sounded, parts: Parts) -> str | None:
    """Return what of this alert an open incident has already, so that it only joins, or null."""
    known = {
        heard
        for incident in parts.desk.incidents().values()
        if incident.open
        for heard in incident.fingerprints
    }
    return next((name for name in alert.fingerprints if name in known), None)


def _calm(alert: Sounded, parts: Parts, now: datetime) -> bool:
    """Tell whether few incidents have begun in this channel of late."""
    recent = [
        incident
        for incident in parts.desk.incidents().values()
        if incident.opened.fingerprint is not None
        and incident.opened.at > now - WITHIN
        and (place := parts.places.origin(incident)) is not None
        and place.channel == alert.channel
    ]
    return len(recent) < MOST_NEW


def _command(alert: Sounded, fingerprint: str, now: datetime) -> Investigate:
    return Investigate(
        text=alert.text,
        at=min(datetime.fromtimestamp(float(alert.ts), UTC), now),
        source="slack",
        fingerprint=fingerprint,
        place=str(Place(channel=alert.channel, thread=alert.ts)),
        key=_key(alert.bot, alert.ts),
    )


async def _say(client: AsyncWebClient, channel: str) -> None:
    """Say it to the whole channel: in the thread of one alert few would see it."""
    try:
        await client.chat_postMessage(
            channel=channel, text=TOO_MANY, unfurl_links=False, unfurl_media=False
        )
    except FAILURES as error:
        _LOG.warning("a storm of alerts could not be told: %s", sentence(error))
