"""users.*, usergroups.*: who is there, and who belongs to which group."""

from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.refusals import Refused
from assistant.slack.local.shapes import group_object, user_object


def _info(call: Call) -> Reply:
    return {"user": user_object(call.user(), call.office.workspace)}


def _list_users(call: Call) -> Reply:
    workspace = call.office.workspace
    users = [user_object(user, workspace) for user in workspace.users.values()]
    return {"members": users, "response_metadata": {"next_cursor": ""}}


def _list_groups(call: Call) -> Reply:
    workspace = call.office.workspace
    with_users = call.flag("include_users")
    groups = [
        group_object(group, workspace, with_users=with_users) for group in workspace.groups.values()
    ]
    return {"usergroups": groups}


def _list_members(call: Call) -> Reply:
    group = call.office.workspace.groups.get(call.text("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.members)}


METHODS = {
    "users.info": Method(run=_info, scope="users:read"),
    "users.list": Method(run=_list_users, scope="users:read"),
    "usergroups.list": Method(run=_list_groups, scope="usergroups:read"),
    "usergroups.users.list": Method(run=_list_members, scope="usergroups:read"),
}
