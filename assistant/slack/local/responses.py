"""Answers to a press by its response URL: the only way to change an ephemeral message."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from assistant.slack.local.methods.chat import checked_blocks
from assistant.slack.local.office import Made, Office
from assistant.slack.local.refusals import Refused
from assistant.slack.local.shown import ANSWER


def respond(office: Office, name: str, said: Mapping[str, Any]) -> None:
    """Post, replace or delete; raises `Refused` for what Slack would not take."""
    url = office.triggers.use_url(name)
    workspace = office.workspace
    channel = workspace.channels[url.channel]
    pressed = channel.messages.get(url.message or "")
    if said.get("delete_original"):
        if pressed is not None:
            workspace.remove(pressed)
        return
    text = str(said.get("text") or "")
    blocks = checked_blocks(said.get("blocks"), office)
    if not text and not blocks:
        raise Refused("no_text")
    office.calls.append(
        Made(method=ANSWER, args={**said, "channel": channel.id}, at=office.clock.monotonic())
    )
    if said.get("replace_original") and pressed is not None:
        named = tuple(workspace.identified(blocks))
        workspace.rewrite(replace(pressed, text=text, blocks=named, edited=office.now_ts()))
        return
    office.post(
        channel,
        user=workspace.bot.id,
        bot=workspace.bot_id,
        app=workspace.app_id,
        text=text,
        blocks=blocks,
        thread=str(said["thread_ts"]) if said.get("thread_ts") else None,
        only_for=None if said.get("response_type") == "in_channel" else url.user,
    )
