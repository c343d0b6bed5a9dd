"""conversations.*: looking at channels and at what was said in them."""

from collections.abc import Sequence
from typing import Any, TypeVar

from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.people import Channel, Kind, Message
from assistant.slack.local.refusals import Refused
from assistant.slack.local.shapes import channel_object, message_object, thread_facts

T = TypeVar("T")
_MOST = 1_000
_KINDS = {"public_channel": Kind.PUBLIC, "private_channel": Kind.PRIVATE, "im": Kind.DIRECT}


def _info(call: Call) -> Reply:
    channel = call.channel()
    call.need_for(channel, "read")
    return {"channel": channel_object(channel, call.bot.id)}


def _list_channels(call: Call) -> Reply:
    names = (call.text("types") or "public_channel").split(",")
    if not set(names) <= {*_KINDS, "mpim"}:
        raise Refused("invalid_types")
    kinds = {_KINDS[name] for name in names if name in _KINDS}
    found = []
    for channel in call.office.workspace.channels.values():
        if channel.kind in kinds and call.reaches(channel):
            call.need_for(channel, "read")
            if not (channel.archived and call.flag("exclude_archived")):
                found.append(channel_object(channel, call.bot.id))
    page, cursor = _page(call, found, 100)
    return {"channels": list(page), "response_metadata": {"next_cursor": cursor}}


def _members(call: Call) -> Reply:
    channel = call.channel()
    call.need_for(channel, "read")
    page, cursor = _page(call, channel.members, 100)
    return {"members": list(page), "response_metadata": {"next_cursor": cursor}}


def _history(call: Call) -> Reply:
    channel = _readable(call)
    found = [m for m in _between(call, channel) if m.thread is None or m.broadcast]
    page, cursor = _page(call, found[::-1], 100)
    return {
        "messages": [_shown(call, message, channel) for message in page],
        "has_more": bool(cursor),
        "pin_count": len(channel.pins),
        "response_metadata": {"next_cursor": cursor},
    }


def _replies(call: Call) -> Reply:
    channel = _readable(call)
    first = channel.messages.get(call.text("ts"))
    if first is None or first.only_for is not None:
        raise Refused("thread_not_found")
    root = first.thread or first.ts
    found = [m for m in _between(call, channel) if root in (m.ts, m.thread)]
    page, cursor = _page(call, found, 1_000)
    return {
        "messages": [_shown(call, message, channel) for message in page],
        "has_more": bool(cursor),
        "response_metadata": {"next_cursor": cursor},
    }


def _readable(call: Call) -> Channel:
    channel = call.channel()
    call.need_for(channel, "history")
    if call.bot.id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _between(call: Call, channel: Channel) -> list[Message]:
    """What all members see between `oldest` and `latest`, in order of posting."""
    oldest, latest = call.text("oldest", "0"), call.text("latest") or "inf"
    try:
        first, last = float(oldest), float(latest)
    except ValueError:
        raise Refused("invalid_ts_oldest") from None
    at_ends = call.flag("inclusive")
    return [
        message
        for message in channel.messages.values()
        if message.only_for is None
        and (first < float(message.ts) < last or (at_ends and message.ts in (oldest, latest)))
    ]


def _shown(call: Call, message: Message, channel: Channel) -> dict[str, Any]:
    metadata = call.flag("include_all_metadata")
    shown = message_object(message, call.office.workspace, metadata=metadata)
    return shown | thread_facts(message, channel)


def _page(call: Call, items: Sequence[T], usual: int) -> tuple[Sequence[T], str]:
    """One page and the cursor of the next one, empty at the end."""
    size = call.number("limit", usual)
    if not 1 <= size <= _MOST:
        raise Refused("invalid_limit")
    start = call.number("cursor", 0)
    rest = str(start + size) if start + size < len(items) else ""
    return items[start : start + size], rest


METHODS = {
    "conversations.info": Method(run=_info),
    "conversations.list": Method(run=_list_channels),
    "conversations.members": Method(run=_members),
    "conversations.history": Method(run=_history),
    "conversations.replies": Method(run=_replies),
}
