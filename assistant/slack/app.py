"""The Bolt app: what Slack tells goes to one listener each, which makes a command of it.

Built when asked for, from parts that are handed in; importing this does nothing. A listener is done
when its dispatch returns (`process_before_response`): whoever dispatches acknowledges before, and
keeps what was told until then (`assistant.slack.transports`).
"""

import logging
import re
from collections.abc import Mapping
from copy import copy
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.slack.errors import SlackError
from assistant.slack.hometab import HomeTabs
from assistant.slack.identity import authorizer
from assistant.slack.listeners import (
    alerts,
    commands,
    declaring,
    gone,
    home,
    judging,
    looking,
    membership,
    pressing,
    reviewing,
    sharing,
    shortcuts,
    stopping,
    talk,
)
from assistant.slack.listeners.opening import held
from assistant.slack.parts import Parts
from assistant.slack.reply import told, whisper

FAILED = "That did not work. Look at what was done before you try again; the log says more."
_LOG = logging.getLogger(__name__)


def build_app(parts: Parts, client: AsyncWebClient, tabs: HomeTabs) -> AsyncApp:
    """Return the app. `client` carries the bot token; nothing is asked of Slack yet."""
    nameless = copy(client)
    nameless.token = None  # with a token Bolt would ask by itself, and drop what it was told
    app = AsyncApp(
        client=nameless,
        authorize=authorizer(client),
        process_before_response=True,
        attaching_conversation_kwargs_enabled=False,
        # Bolt takes the deletion of our message for an act of ours; what we say ourselves, `talk`
        # knows by its bot_id.
        ignoring_self_events_enabled=False,
    )
    alerts.register(app, parts)
    gone.register(app, parts)  # before: it is a message event as well
    talk.register(app, parts)
    home.register(app, parts, tabs)  # before the others: what is pressed there is answered there
    looking.register(app, parts)
    reviewing.register(app, parts)
    commands.register(app, parts)
    shortcuts.register(app, parts)
    declaring.register(app, parts)
    sharing.register(app, parts)
    judging.register(app, parts)
    pressing.register(app, parts)
    stopping.register(app, parts)
    membership.register(app, parts)
    app.event(re.compile(""))(_ignore)
    app.error(_failed)
    return app


async def _ignore() -> None:
    """Let events that mean nothing to us pass; Bolt would log their content."""


async def _failed(error: Exception, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    """Tell whoever acted that it did not work; the exception stays in the log, without its text.

    What belongs to no channel, such as a form, is answered directly, with the words that were in
    it: nobody likes to type them again.
    """
    said = str(error) if isinstance(error, SlackError) else FAILED
    _LOG.error("a listener failed: %s", type(error).__name__)
    event = body.get("event") or {}
    user = (body.get("user") or {}).get("id") or event.get("user") or body.get("user_id")
    channel = (body.get("channel") or {}).get("id") or event.get("channel")
    channel = channel or body.get("channel_id")
    if isinstance(user, str) and isinstance(channel, str):
        await whisper(client, channel, user, said, event.get("thread_ts"))
    elif isinstance(user, str):
        wrote = _typed(body.get("view") or {})
        await told(client, None, user, f"{said} You wrote: {wrote}" if wrote else said)


def _typed(view: Mapping[str, Any]) -> str:
    """Return the words of a form that came back."""
    values = (one.get("value") for one in held(view).values())
    return " / ".join(str(value) for value in values if value)
