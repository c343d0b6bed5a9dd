"""The start, while Slack may be out of order: what has to be known of it before anything else.

A token that is refused, a scope or a channel that is missing end the start. An outage does not: the
channels' ids are taken from the last start, or waited for where there was none.
"""

import asyncio
import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.channels import channel_ids
from assistant.slack.errors import SlackAway
from assistant.slack.granted import check_scopes
from assistant.slack.line import Pace

KEPT = "channels.json"
_LOG = logging.getLogger(__name__)


async def channels_at_start(
    client: AsyncWebClient, names: Collection[str], data: Path, pace: Pace | None = None
) -> Mapping[str, str]:
    """Return the ids of the channels that are named; raises `SlackError`.

    They are kept in the folder `data`.
    """
    waits = (pace or Pace()).waits()
    while True:
        try:
            await check_scopes(client)
            ids = await channel_ids(client, names)
        except SlackAway as away:
            known = _kept(data)
            if known.keys() >= {*names}:
                return known
            _LOG.warning("%s Firstline starts once Slack has named its channels.", away)
            await asyncio.sleep(next(waits))
        else:
            _keep(data, ids)
            return ids


def _kept(data: Path) -> dict[str, str]:
    try:
        known = json.loads((data / KEPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(one) for name, one in known.items()} if isinstance(known, dict) else {}


def _keep(data: Path, ids: Mapping[str, str]) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        (data / KEPT).write_text(json.dumps(dict(ids)), encoding="utf-8")
    except OSError as error:
        _LOG.warning("%s cannot be written: %s", data / KEPT, error.strerror)
