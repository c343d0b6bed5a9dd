"""The manifest is one that Slack takes, and one that it would not take is found."""

from copy import deepcopy

import pytest
from judges.manifests import refusals

from assistant.slack.manifest import manifest

SHORTCUT = {"type": "message", "name": "Write it", "callback_id": "pm", "description": "Writes it."}
COMMAND = {"command": "/firstline", "description": "Asks."}
TYPES, LIMITS = "manifest.schema.json", "manifest.limits.json"


def changed(*path, to):
    """Return the manifest with one thing in it changed or added."""
    whole = deepcopy(manifest())
    part = whole
    for name in path[:-1]:
        part = part.setdefault(name, {})
    part[path[-1]] = to
    return whole


def test_slack_takes_the_manifest():
    assert refusals(manifest()) == {}


@pytest.mark.parametrize(
    "more",
    [
        changed("features", "shortcuts", to=[SHORTCUT | {"name": "x" * 24}]),
        changed("features", "slash_commands", to=[COMMAND]),
        changed("features", "agent_view", to={"agent_description": "Says what is wrong."}),
        changed("oauth_config", "scopes", "bot_optional", to=["canvases:write"]),
    ],
)
def test_slack_takes_what_may_be_added(more):
    assert refusals(more) == {}


@pytest.mark.parametrize(
    ("bad", "judge", "at"),
    [
        (changed("colour", to="red"), LIMITS, "colour"),
        (changed("settings", "socket_mode", to=True), TYPES, "socket_mode"),
        (changed("features", "home", to={}), TYPES, "home"),
        (changed("features", "shortcuts", to=[SHORTCUT | {"name": "x" * 27}]), LIMITS, "name"),
        (changed("features", "shortcuts", to=[SHORTCUT | {"type": "odd"}]), TYPES, "type"),
        (changed("features", "shortcuts", to=[SHORTCUT] * 11), LIMITS, "shortcuts"),
        (changed("features", "slash_commands", to=[{"command": "/x"}]), TYPES, "description"),
        (changed("features", "slash_commands", to=[COMMAND | {"command": "x"}]), LIMITS, "command"),
        (changed("oauth_config", "scopes", "bot", to=["chat:rite"]), TYPES, "bot"),
        (changed("oauth_config", "scopes", "bot", to=["chat:write"] * 2), LIMITS, "bot"),
        (changed("display_information", "name", to="x" * 36), LIMITS, "name"),
        (changed("display_information", to={}), TYPES, "name"),
        (changed("display_information", "background_color", to="blue"), LIMITS, "background"),
        (
            changed("settings", "event_subscriptions", "bot_events", to=["message.fax"]),
            TYPES,
            "bot_events",
        ),
        (changed("settings", "interactivity", to={"is_enabled": "yes"}), TYPES, "is_enabled"),
        (changed("_metadata", "major_version", to=3), LIMITS, "major_version"),
    ],
)
def test_a_manifest_that_slack_would_not_take_is_refused(bad, judge, at):
    assert at in refusals(bad)[judge]
