"""chat.*: posting and changing messages, with every refusal that an app must expect."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from assistant.slack import limits
from assistant.slack.check import Surface, faults, too_long
from assistant.slack.grammar import fault
from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.office import Office
from assistant.slack.local.people import Channel, Message, Streaming
from assistant.slack.local.refusals import Refused, refused_for
from assistant.slack.local.shapes import message_object, thread_facts


def _post_message(call: Call) -> Reply:
    channel = _target(call)
    text, blocks = _content(call)
    if not text and not blocks:
        raise Refused("no_text")
    thread = thread_of(call, channel)
    message = call.office.post(
        channel,
        user=call.bot.id,
        bot=call.office.workspace.bot_id,
        app=call.office.workspace.app_id,
        text=text[: limits.POSTED_TEXT],
        blocks=blocks,
        thread=thread,
        broadcast=bool(thread) and call.flag("reply_broadcast"),
        metadata=_metadata(call),
    )
    return _posted(call, message)


def _update(call: Call) -> Reply:
    channel = call.joined_channel()
    message = call.message(channel, "ts")
    if message.user != call.bot.id:
        raise Refused("cant_update_message")
    if message.stream and message.stream.state is Streaming.GROWING:
        raise Refused("streaming_state_conflict")
    text, blocks = _content(call)
    if not text and "blocks" not in call.args:
        raise Refused("no_text")
    if len(text) > limits.UPDATED_TEXT:
        raise Refused("msg_too_long")
    workspace = call.office.workspace
    if "blocks" in call.args:
        message = replace(message, blocks=tuple(workspace.identified(blocks)))
    message = replace(
        message,
        text=text or message.text,
        edited=call.office.now_ts(),
        metadata=_metadata(call) or message.metadata,
    )
    workspace.rewrite(message)
    return _posted(call, message) | {"text": message.text}


def _delete(call: Call) -> Reply:
    channel = call.channel()
    message = call.message(channel, "ts")
    if message.user != call.bot.id:
        raise Refused("cant_delete_message")
    call.office.remove(channel, message)
    return {"channel": channel.id, "ts": message.ts}


def _post_ephemeral(call: Call) -> Reply:
    channel = call.joined_channel()
    if call.text("user") not in channel.members:
        raise Refused("user_not_in_channel")
    text, blocks = _content(call)
    if not text and not blocks:
        raise Refused("no_text")
    if len(text) > limits.UPDATED_TEXT:
        raise Refused("msg_too_long")
    thread = thread_of(call, channel)
    if thread is not None and not thread_facts(channel.messages[thread], channel):
        # Taken, and shown nowhere: where nobody has replied there is no thread to show it in.
        return {"message_ts": call.office.workspace.stamp(channel, call.office.clock.now())}
    message = call.office.post(
        channel,
        user=call.bot.id,
        bot=call.office.workspace.bot_id,
        app=call.office.workspace.app_id,
        text=text,
        blocks=blocks,
        thread=thread,
        only_for=call.text("user"),
    )
    return {"message_ts": message.ts}


def _permalink(call: Call) -> Reply:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    place = f"{call.office.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": place}


def checked_blocks(blocks: object, office: Office) -> Sequence[Mapping[str, Any]]:
    """The blocks of a message, if Slack takes them."""
    if blocks is None:
        return ()
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    found = faults(blocks, Surface.MESSAGE)
    for index, block in enumerate(blocks if not found else ()):
        if (name := block.get("slack_file", {}).get("id")) and not _processed(name, office):
            found.append(fault("invalid slack file", f"/blocks/{index}/slack_file"))
    if found:
        raise refused_for("invalid_blocks", found)
    if too_long(blocks):
        raise Refused("msg_blocks_too_long")
    return blocks


def _processed(name: str, office: Office) -> bool:
    file = office.workspace.files.get(name)
    if file is None or not file.shared:
        return False
    return office.clock.monotonic() - file.at >= office.processing


def _content(call: Call) -> tuple[str, Sequence[Mapping[str, Any]]]:
    if "attachments" in call.args:
        raise Refused("invalid_attachments")
    blocks = call.structure("blocks", "invalid_blocks_format")
    return call.text("text"), checked_blocks(blocks, call.office)


def _target(call: Call) -> Channel:
    """Slack also takes a channel's name, and a user's id for direct messages."""
    workspace = call.office.workspace
    name = call.text("channel")
    if name in workspace.users and name != call.bot.id:
        return workspace.direct(call.bot.id, name)
    if named := workspace.channel_named(name.removeprefix("#")):
        call = replace(call, args={**call.args, "channel": named.id})
    return call.joined_channel()


def thread_of(call: Call, channel: Channel) -> str | None:
    """The first message of the thread; one that is a reply itself has no thread."""
    if not (ts := call.text("thread_ts")):
        return None
    first = channel.messages.get(ts)
    if first is None or first.only_for is not None:
        raise Refused("thread_not_found")
    if first.thread is not None:
        raise Refused("cannot_reply_to_message")
    return ts


def _metadata(call: Call) -> Mapping[str, Any] | None:
    metadata = call.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata)) > limits.METADATA_BYTES:
        raise Refused("metadata_too_large")
    return metadata


def _posted(call: Call, message: Message) -> Reply:
    shown = message_object(message, call.office.workspace, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "message": shown}


METHODS = {
    "chat.postMessage": Method(run=_post_message, scope="chat:write"),
    "chat.update": Method(run=_update, scope="chat:write"),
    "chat.delete": Method(run=_delete, scope="chat:write"),
    "chat.postEphemeral": Method(run=_post_ephemeral, scope="chat:write"),
    "chat.getPermalink": Method(run=_permalink),
}
