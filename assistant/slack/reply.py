"""Words for one person alone: an ephemeral message where they acted."""

import logging
from http import HTTPStatus

from slack_bolt.context.respond.async_respond import AsyncRespond
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


async def told(
    client: AsyncWebClient, channel: str | None, user: str, text: str, thread: str | None = None
) -> None:
    """Tell one person something after a form or a press in a view, which belong to no channel.

    Where they do not see `channel` (or there is none), it is a direct message.
    """
    said = escape(text)
    try:
        if channel is not None:
            await client.chat_postEphemeral(channel=channel, user=user, text=said, thread_ts=thread)
            return
    except FAILURES as error:
        _LOG.info("told in a direct message instead: %s", sentence(error))
    try:
        await client.chat_postMessage(
            channel=user, text=said, unfurl_links=False, unfurl_media=False
        )
    except FAILURES as error:
        _LOG.warning("an answer to one person was not shown: %s", sentence(error))


async def answered(respond: AsyncRespond, text: str) -> None:
    """Answer a command or a shortcut, seen by whoever used it, even where firstline is not."""
    try:
        reply = await respond(text=escape(text), response_type="ephemeral")
    except FAILURES as error:
        _LOG.warning("an answer to one person was not shown: %s", sentence(error))
        return
    if reply.status_code != HTTPStatus.OK:
        _LOG.warning("an answer to one person was not shown: Slack said %s", reply.status_code)
