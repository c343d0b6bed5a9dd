"""What the app is sent when somebody presses, chooses, submits or commands: Slack's payloads.

They are built from what is really on the screen; what is not there raises `NotThere`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assistant.slack.check import elements
from assistant.slack.local.office import Office
from assistant.slack.local.people import Channel, Message, User, View
from assistant.slack.local.shapes import message_object, thread_facts, view_object
from assistant.slack.local.workspace import Workspace

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class NotThere(LookupError):
    """A person cannot do this: what they would press, fill in or write in is not before them."""


def find_channel(workspace: Workspace, name: str) -> Channel:
    """A channel by id or name, with or without #; raises `NotThere`."""
    channel = workspace.channels.get(name) or workspace.channel_named(name.removeprefix("#"))
    if channel is None:
        raise NotThere(f"There is no channel {name}.")
    return channel


def find_element(
    blocks: Sequence[Mapping[str, Any]], user: str, action_id: str, block_id: str | None
) -> tuple[str, Mapping[str, Any]]:
    """The id of the block and the element with this action_id that the user sees."""
    for owner, element in _placed(blocks):
        viewers = element.get("visible_to_user_ids")
        if (
            element.get("action_id") == action_id
            and block_id in (None, owner)
            and (viewers is None or user in viewers)
        ):
            return owner, element
    raise NotThere(f"There is nothing called {action_id} to press here.")


def _placed(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for block in blocks:
        inner = block.get("child_blocks")
        if inner is not None:
            yield from _placed(inner)
        else:
            yield from ((block["block_id"], element) for element in elements(block))


def pressed(
    element: Mapping[str, Any], block_id: str, at: str, option: str | None
) -> dict[str, Any]:
    """The `actions` entry for one element; `option` is the value that is chosen in a menu."""
    kind = element["type"]
    action = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": at,
    }
    if kind in ("button", "icon_button"):
        action["text"] = element["text"]
        return action | {key: element[key] for key in ("value", "url") if key in element}
    if kind == "feedback_buttons":
        both = (element["positive_button"], element["negative_button"])
        chosen = next((button for button in both if button["value"] == option), None)
        if chosen is None:
            raise NotThere(f"{element['action_id']} has no button {option}.")
        return action | {"text": chosen["text"], "value": chosen["value"]}
    return action | chosen_state(element, option)


def chosen_state(element: Mapping[str, Any], value: str | None) -> dict[str, Any]:
    """What an element holds when `value` is chosen or typed; several values go by commas."""
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": value or None}
    if kind in ("users_select", "datepicker", "timepicker"):
        part = {"users_select": "user", "datepicker": "date", "timepicker": "time"}[kind]
        if kind == "timepicker" and value and not _TIME.fullmatch(value):
            raise NotThere(f"{element['action_id']} takes a time such as 13:50.")
        return {"type": kind, f"selected_{part}": value or None}
    offered = {option["value"]: option for option in element["options"]}
    wanted = [name for name in (value or "").split(",") if name]
    if missing := [name for name in wanted if name not in offered]:
        raise NotThere(f"{element['action_id']} offers no {', '.join(missing)}.")
    if kind in ("checkboxes", "multi_static_select"):
        return {"type": kind, "selected_options": [offered[name] for name in wanted]}
    return {"type": kind, "selected_option": offered[wanted[0]] if wanted else None}


def initial_value(element: Mapping[str, Any]) -> str:
    """What an element of a modal holds before anybody touches it."""
    many = [option["value"] for option in element.get("initial_options", ())]
    one = element.get("initial_option", {}).get("value")
    plain = (element.get(f"initial_{name}") for name in ("value", "user", "date", "time"))
    return ",".join(many) or one or next((str(value) for value in plain if value), "")


class Payloads:
    """Payloads that one person causes."""

    def __init__(self, office: Office, user: User) -> None:
        self._office = office
        self._user = user

    def block_actions(
        self, action: Mapping[str, Any], message: Message, channel: Channel
    ) -> dict[str, Any]:
        """A press in a message."""
        shown = message_object(message, self._office.workspace, metadata=True)
        shown |= thread_facts(message, channel)
        return {
            **self._who("block_actions"),
            "trigger_id": self._office.triggers.issue(self._user.id),
            "response_url": self._response_url(channel, message.ts),
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": channel.id,
                "is_ephemeral": message.only_for is not None,
                **({"thread_ts": message.thread} if message.thread else {}),
            },
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "message": shown,
            "state": {"values": {}},
            "actions": [dict(action)],
        }

    def view_action(self, action: Mapping[str, Any], view: View) -> dict[str, Any]:
        """A press in a modal or a home tab."""
        return {
            **self._who("block_actions"),
            "trigger_id": self._office.triggers.issue(self._user.id, view.id),
            "container": {"type": "view", "view_id": view.id},
            "view": view_object(view, self._office.workspace),
            "actions": [dict(action)],
        }

    def view_submission(self, view: View, values: Mapping[str, Any]) -> dict[str, Any]:
        shown = view_object(view, self._office.workspace) | {"state": {"values": values}}
        return {
            **self._who("view_submission"),
            "trigger_id": self._office.triggers.issue(self._user.id, view.id),
            "view": shown,
            "response_urls": [],
        }

    def view_closed(self, view: View, *, cleared: bool) -> dict[str, Any]:
        shown = view_object(view, self._office.workspace)
        return {**self._who("view_closed"), "view": shown, "is_cleared": cleared}

    def shortcut(
        self, callback_id: str, message: Message | None, channel: Channel | None
    ) -> dict[str, Any]:
        """A shortcut on a message, or a global one where there is none."""
        at = self._office.now_ts()
        trigger = self._office.triggers.issue(self._user.id)
        about = {"callback_id": callback_id, "trigger_id": trigger, "action_ts": at}
        if message is None or channel is None:
            return {**self._who("shortcut"), **about}
        return {
            **self._who("message_action"),
            **about,
            "message_ts": message.ts,
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "message": message_object(message, self._office.workspace, metadata=True),
            "response_url": self._response_url(channel, None),
        }

    def command(self, command: str, text: str, channel: Channel) -> dict[str, Any]:
        workspace = self._office.workspace
        return {
            "team_id": self._user.team,
            "team_domain": workspace.name,
            "channel_id": channel.id,
            "channel_name": channel.name or "directmessage",
            "user_id": self._user.id,
            "user_name": self._user.name,
            "command": command,
            "text": text,
            "api_app_id": workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response_url(channel, None),
            "trigger_id": self._office.triggers.issue(self._user.id),
        }

    def _who(self, kind: str) -> dict[str, Any]:
        workspace = self._office.workspace
        return {
            "type": kind,
            "team": {"id": workspace.team, "domain": workspace.name},
            "user": {
                "id": self._user.id,
                "username": self._user.name,
                "name": self._user.name,
                "team_id": self._user.team,
            },
            "api_app_id": workspace.app_id,
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _response_url(self, channel: Channel, message: str | None) -> str:
        name = self._office.triggers.open_url(self._user.id, channel.id, message)
        return f"{self._office.base_url}/respond/{name}"
