"""views.*: modals, which need a fresh press to open, and home tabs."""

import json
from collections.abc import Mapping
from typing import Any

from assistant.slack import limits
from assistant.slack.check import view_faults
from assistant.slack.local.call import Call, Method, Reply
from assistant.slack.local.people import View
from assistant.slack.local.refusals import Refused, refused_for
from assistant.slack.local.shapes import view_object
from assistant.slack.local.workspace import Workspace


def _open_view(call: Call) -> Reply:
    content = _asked(call, "modal")
    user = call.office.triggers.redeem(call.text("trigger_id")).user
    workspace = call.office.workspace
    workspace.drop(workspace.modals(user))
    return _shown(call, workspace.show(new_view(workspace, user, content)))


def _push(call: Call) -> Reply:
    content = _asked(call, "modal")
    trigger = call.office.triggers.redeem(call.text("trigger_id"))
    workspace = call.office.workspace
    below = workspace.views.get(trigger.view or "")
    if below is None:
        raise Refused("not_found")
    if len(workspace.modals(trigger.user)) >= limits.VIEW_STACK:
        raise Refused("push_limit_reached")
    return _shown(call, workspace.show(new_view(workspace, trigger.user, content, below)))


def _update(call: Call) -> Reply:
    workspace = call.office.workspace
    named = call.text("external_id")
    view = workspace.views.get(call.text("view_id")) or next(
        (v for v in workspace.views.values() if named and v.content.get("external_id") == named),
        None,
    )
    if view is None:
        raise Refused("not_found")
    content = _asked(call, "modal")
    if call.text("hash") not in ("", view.hash):
        raise Refused("hash_conflict")
    return _shown(call, workspace.show(workspace.rehash(view, content)))


def _publish(call: Call) -> Reply:
    user = call.user("user_id")
    content = _asked(call, "home")
    workspace = call.office.workspace
    before = workspace.homes.get(user.id)
    if before and call.text("hash") not in ("", before.hash):
        raise Refused("hash_conflict")
    view = workspace.rehash(before or new_view(workspace, user.id, content), content)
    workspace.homes[user.id] = view
    workspace.changes.note()
    return _shown(call, view)


def new_view(
    workspace: Workspace, user: str, content: Mapping[str, Any], below: View | None = None
) -> View:
    """A view on top of another one, or on its own."""
    name = workspace.new_id("V")
    return View(
        id=name,
        user=user,
        content=content,
        hash=workspace.new_id("h"),
        root=below.root if below else name,
        previous=below.id if below else None,
    )


def checked_view(view: object, kind: str, workspace: Workspace) -> Mapping[str, Any]:
    """The view with all ids in place, if Slack takes it."""
    if not isinstance(view, dict) or view.get("type") != kind:
        raise Refused("invalid_arguments")
    if found := view_faults(view):
        raise refused_for("invalid_arguments", found)
    if len(json.dumps(view).encode()) > limits.VIEW_BYTES:
        raise Refused("view_too_large")
    return {**view, "blocks": list(workspace.identified(view["blocks"]))}


def _asked(call: Call, kind: str) -> Mapping[str, Any]:
    view = call.structure("view", "invalid_arguments")
    return checked_view(view, kind, call.office.workspace)


def _shown(call: Call, view: View) -> Reply:
    return {"view": view_object(view, call.office.workspace)}


METHODS = {
    "views.open": Method(run=_open_view),
    "views.push": Method(run=_push),
    "views.update": Method(run=_update),
    "views.publish": Method(run=_publish),
}
