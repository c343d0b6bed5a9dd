"""Words for one person alone: an ephemeral message where they acted."""

import logging

from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.errors import FAILURES, sentence
from assistant.slack.text import escape

_LOG = logging.getLogger(__name__)


async def whisper(
    client: AsyncWebClient, channel: str, user: str, text: str, thread: str | None = None
) -> None:
    """Tell one person something; where Slack does not show it, it is logged that it did not."""
    try:
        await client.chat_postEphemeral(
            channel=channel, user=user, text=escape(text), thread_ts=thread
        )
    except FAILURES as error:
        _LOG.warning("an answer to one person was not shown: %s", sentence(error))
