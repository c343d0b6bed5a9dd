"""bookmarks.*, pins.*, reactions.*: what is stuck onto a channel."""

import re
from dataclasses import replace

from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.refusals import Refused


def _add_bookmark(call: Call) -> Reply:
    channel = call.joined_channel("channel_id")
    if call.text("type") != "link":
        raise Refused("invalid_bookmark_type")
    if not call.text("title") or not call.text("link").startswith(("http://", "https://")):
        raise Refused("invalid_link" if call.text("title") else "invalid_arguments")
    bookmark = {
        "id": call.office.workspace.new_id("Bk"),
        "channel_id": channel.id,
        "title": call.text("title"),
        "link": call.text("link"),
        "type": "link",
    }
    channel.bookmarks.append(bookmark)
    call.office.workspace.changes.note()
    return {"bookmark": bookmark}


def _list_bookmarks(call: Call) -> Reply:
    return {"bookmarks": list(call.joined_channel("channel_id").bookmarks)}


def _add_pin(call: Call) -> Reply:
    channel = call.joined_channel()
    message = call.message(channel, "timestamp")
    if message.ts in channel.pins:
        raise Refused("already_pinned")
    channel.pins.append(message.ts)
    call.office.workspace.changes.note()
    return {}


def _add_reaction(call: Call) -> Reply:
    channel = call.joined_channel()
    name = call.text("name")
    if not re.fullmatch(r"[a-z0-9_+'-]+", name):
        raise Refused("invalid_name")
    message = call.message(channel, "timestamp")
    if (name, call.bot.id) in message.reactions:
        raise Refused("already_reacted")
    marked = (*message.reactions, (name, call.bot.id))
    call.office.workspace.rewrite(replace(message, reactions=marked))
    return {}


METHODS = {
    "bookmarks.add": Method(run=_add_bookmark, scope="bookmarks:write"),
    "bookmarks.list": Method(run=_list_bookmarks, scope="bookmarks:read"),
    "pins.add": Method(run=_add_pin, scope="pins:write"),
    "reactions.add": Method(run=_add_reaction, scope="reactions:write"),
}
