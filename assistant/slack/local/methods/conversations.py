"""conversations.*: opening, naming, joining and closing channels."""

import re

from assistant.slack import limits
from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.people import Channel, Kind
from assistant.slack.local.refusals import Refused
from assistant.slack.local.shapes import channel_object


def _create(call: Call) -> Reply:
    kind = Kind.PRIVATE if call.flag("is_private") else Kind.PUBLIC
    call.need("groups:write" if kind is Kind.PRIVATE else "channels:manage")
    name = call.text("name")
    if refusal := name_refusal(name):
        raise Refused(refusal)
    workspace = call.office.workspace
    if workspace.channels_by_admins:
        raise Refused("restricted_action")
    if workspace.channel_named(name):
        raise Refused("name_taken")
    created = int(call.office.clock.now().timestamp())
    channel = workspace.add_channel(name, [call.bot], kind=kind, created=created)
    return {"channel": channel_object(channel, call.bot.id)}


def name_refusal(name: str) -> str | None:
    """The code for a channel name that Slack does not take."""
    if not name:
        return "invalid_name_required"
    if len(name) > limits.CHANNEL_NAME:
        return "invalid_name_maxlength"
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        return "invalid_name_specials"
    if not re.search(r"[a-z0-9]", name):
        return "invalid_name_punctuation"
    return None


def _invite(call: Call) -> Reply:
    channel = _not_direct(call.joined_channel())
    call.need("groups:write" if channel.kind is Kind.PRIVATE else "channels:manage")
    users = [name for name in call.text("users").split(",") if name]
    if not users:
        raise Refused("no_user")
    if len(users) > limits.INVITED:
        raise Refused("too_many_users")
    for name in users:
        if name == call.bot.id:
            raise Refused("cant_invite_self")
        if name not in call.office.workspace.users:
            raise Refused("user_not_found")
        if name in channel.members:
            raise Refused("already_in_channel")
    for name in users:
        call.office.joined(channel, name, inviter=call.bot.id)
    return {"channel": channel_object(channel, call.bot.id)}


def _join(call: Call) -> Reply:
    channel = call.channel()
    if channel.kind is not Kind.PUBLIC:
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    if call.bot.id in channel.members:
        return {"channel": channel_object(channel, call.bot.id), "warning": "already_in_channel"}
    call.office.joined(channel, call.bot.id, inviter="")
    return {"channel": channel_object(channel, call.bot.id)}


def _archive(call: Call) -> Reply:
    channel = _not_direct(call.channel())
    call.need("groups:write" if channel.kind is Kind.PRIVATE else "channels:manage")
    if channel.archived:
        raise Refused("already_archived")
    if channel.name == "general":
        raise Refused("cant_archive_general")
    channel = call.joined_channel()
    channel.archived = True
    call.office.workspace.changes.note()
    return {}


def _set_topic(call: Call) -> Reply:
    channel = call.joined_channel()
    call.need("groups:write" if channel.kind is Kind.PRIVATE else "channels:manage")
    if len(call.text("topic")) > limits.TOPIC:
        raise Refused("too_long")
    channel.topic = call.text("topic")
    call.office.workspace.changes.note()
    return {"channel": channel_object(channel, call.bot.id)}


def _open_direct(call: Call) -> Reply:
    users = [name for name in call.text("users").split(",") if name]
    if len(users) != 1:
        raise Refused("users_list_not_supplied" if not users else "too_many_users")
    if users[0] not in call.office.workspace.users or users[0] == call.bot.id:
        raise Refused("user_not_found")
    channel = call.office.workspace.direct(call.bot.id, users[0])
    return {"channel": {"id": channel.id}}


def _not_direct(channel: Channel) -> Channel:
    """The channel, unless it is direct messages: those stay with their two people."""
    if channel.kind is Kind.DIRECT:
        raise Refused("method_not_supported_for_channel_type")
    return channel


METHODS = {
    "conversations.create": Method(run=_create),
    "conversations.invite": Method(run=_invite),
    "conversations.join": Method(run=_join, scope="channels:join"),
    "conversations.archive": Method(run=_archive),
    "conversations.setTopic": Method(run=_set_topic),
    "conversations.open": Method(run=_open_direct, scope="im:write"),
}
