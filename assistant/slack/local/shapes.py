"""Records as the JSON objects that Slack shows its apps."""

from typing import Any

from assistant.slack.local.people import Channel, Group, Kind, Message, User, View
from assistant.slack.local.workspace import Workspace


def user_object(user: User, workspace: Workspace) -> dict[str, Any]:
    """A person as `users.info` shows them.

    A stranger is somebody of another workspace who is in no channel that the app knows: whoever
    shares one with it, as by Slack Connect, is none.
    """
    foreign = user.team != workspace.team
    bot = workspace.bot.id
    met = any(
        user.id in channel.members and (channel.kind is Kind.PUBLIC or bot in channel.members)
        for channel in workspace.channels.values()
    )
    grid = {"id": user.grid, "enterprise_id": user.enterprise, "teams": [user.team]}
    return {
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "real_name": user.name.capitalize(),
        "deleted": user.deleted,
        "tz": user.zone,
        "is_bot": user.bot,
        "is_app_user": False,
        "is_admin": user.admin,
        "is_restricted": user.restricted,
        "is_ultra_restricted": False,
        "is_stranger": foreign and not met,
        **({"enterprise_user": grid} if user.enterprise else {}),
        "profile": {
            "title": user.title,
            "real_name": user.name.capitalize(),
            "display_name": user.name,
            "team": user.team,
        },
    }


def group_object(group: Group, workspace: Workspace, *, with_users: bool) -> dict[str, Any]:
    """A user group; its members where they were asked for."""
    shown = {
        "id": group.id,
        "team_id": workspace.team,
        "is_usergroup": True,
        "handle": group.handle,
        "name": group.handle,
        "user_count": len(group.members),
        "date_delete": 0,
    }
    return shown | ({"users": list(group.members)} if with_users else {})


def channel_object(channel: Channel, viewer: str) -> dict[str, Any]:
    """A channel as one of its viewers is shown it."""
    shown = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_channel": channel.kind is Kind.PUBLIC,
        "is_group": False,
        "is_im": channel.kind is Kind.DIRECT,
        "is_mpim": False,
        "is_private": channel.kind is not Kind.PUBLIC,
        "is_shared": channel.shared or channel.foreign,
        "is_org_shared": channel.shared,
        "is_ext_shared": channel.foreign,
        "is_pending_ext_shared": False,
    }
    if channel.kind is Kind.DIRECT:
        other = next((member for member in channel.members if member != viewer), viewer)
        return shown | {"user": other}
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "creator": channel.creator,
        "is_member": viewer in channel.members,
        "is_general": channel.name == "general",
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def message_object(message: Message, workspace: Workspace, *, metadata: bool) -> dict[str, Any]:
    """A message as `conversations.history` and the payload of a press show it."""
    shown: dict[str, Any] = {"type": "message", "ts": message.ts, "text": message.text}
    author = workspace.users.get(message.user)
    if author is not None:
        shown |= {"user": author.id, "team": author.team}
    if message.bot:
        shown["bot_id"] = message.bot
    if message.app:
        shown["app_id"] = message.app
    if message.bot and not message.app:
        shown |= {"subtype": "bot_message", "username": message.name}
    if message.blocks:
        shown["blocks"] = [dict(block) for block in message.blocks]
    if message.thread is not None:
        shown["thread_ts"] = message.thread
    if message.edited is not None:
        shown["edited"] = {"user": message.user, "ts": message.edited}
    if message.reactions:
        names = dict.fromkeys(name for name, _ in message.reactions)
        by = {n: [user for name, user in message.reactions if name == n] for n in names}
        shown["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in by.items()
        ]
    if message.files:
        files = (workspace.files[name] for name in message.files)
        shown["files"] = [{"id": f.id, "name": f.name, "title": f.title} for f in files]
    if metadata and message.metadata is not None:
        shown["metadata"] = message.metadata
    return shown


def thread_facts(message: Message, channel: Channel) -> dict[str, Any]:
    """What the first message of a thread says about its replies."""
    replies = [m for m in channel.messages.values() if m.thread == message.ts and not m.only_for]
    if not replies:
        return {}
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "latest_reply": replies[-1].ts,
        "reply_users": list(dict.fromkeys(reply.user or reply.bot for reply in replies)),
    }


def view_object(view: View, workspace: Workspace) -> dict[str, Any]:
    """A modal or home tab as `views.open` shows it."""
    asked = {"close": None, "submit": None, "clear_on_close": False, "notify_on_close": False}
    return {
        **asked,
        "callback_id": "",
        "private_metadata": "",
        "external_id": "",
        **view.content,
        "id": view.id,
        "team_id": workspace.team,
        "app_id": workspace.app_id,
        "bot_id": workspace.bot_id,
        "app_installed_team_id": workspace.team,
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous,
        "state": {"values": {}},
    }
