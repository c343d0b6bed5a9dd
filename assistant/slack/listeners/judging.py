"""What people say of an answer: thumbs, and what it really was."""

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from assistant.commands import CorrectCause, Rate
from assistant.slack.blocks.feedback import FORM, RATE, SERVICE, TEXT, cause_form
from assistant.slack.errors import SlackError
from assistant.slack.listeners.opening import Ack, in_time
from assistant.slack.listeners.pressing import (
    NO_LONGER_VALID,
    Press,
    answer,
    filled,
    opened,
    pressed,
    tell,
    typed,
)
from assistant.slack.parts import Parts
from assistant.slack.text import clean


def register(app: AsyncApp, parts: Parts) -> None:
    """Listen to the thumbs under an answer and to the form."""

    async def rated(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = pressed(body, parts)
        if not isinstance(command, Rate):
            await tell(client, press, NO_LONGER_VALID)
            return
        unopened = ""
        # The form comes first, since it has to open within seconds; a guest is not asked.
        if not command.good and await in_time(parts.people.outside(press.user)) is None:
            try:
                await ask_cause(command.incident, press, parts, client)
            except SlackError as error:  # the thumb counts without it
                unopened = str(error)
        reply = await answer(command, press, parts)
        await tell(client, press, f"{reply} {unopened}".strip())

    async def corrected(ack: Ack, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        press, command = filled(body, parts)
        if not isinstance(command, CorrectCause):
            await tell(client, press, NO_LONGER_VALID)
            return
        said = replace(
            command,
            service=typed(body, SERVICE) or "",
            text=clean(typed(body, TEXT) or "").strip(),
        )
        await tell(client, press, await answer(said, press, parts))

    app.action(RATE)(rated)
    app.view(FORM)(corrected)


async def ask_cause(incident: str, press: Press, parts: Parts, client: AsyncWebClient) -> None:
    """Open the form that asks what it was."""
    state = parts.desk.incident(incident)
    components = state.finding.components if state is not None and state.finding else frozenset()
    token = parts.buttons.token(CorrectCause(incident=incident), incident)
    await opened(client, press, cause_form(incident, components, token))
