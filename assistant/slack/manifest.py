"""The app's manifest: what a workspace grants when it creates the app.

Nothing more than what is used: no user scopes, no search, no posting where nobody invited it.
Source: docs.slack.dev, app manifest reference.
"""

from typing import Any

PATH = "/slack/events"
COMMAND = "/firstline"
INVESTIGATE, POSTMORTEM, DECLARE = (
    "investigate_message",
    "postmortem_from_thread",
    "declare_incident",
)
# Why each is asked for stands in docs/slack.md.
BOT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "usergroups:read",
    "users:read",
)
OPTIONAL_SCOPES = (
    "assistant:write",
    "bookmarks:read",
    "bookmarks:write",
    "channels:manage",
    "files:write",
    "groups:write",
    "im:read",
    "pins:write",
    "reactions:write",
)
SCOPES = frozenset((*BOT_SCOPES, *OPTIONAL_SCOPES))
# By their callback ids: the name (24 characters at most), where it is found, what it does.
SHORTCUTS = {
    INVESTIGATE: ("Investigate this", "message", "Ask what is behind what this message says."),
    POSTMORTEM: ("Postmortem from thread", "message", "Look at the account of this incident."),
    DECLARE: ("Declare an incident", "global", "Open an incident and have it looked into."),
}
EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
)


def manifest(name: str = "firstline", http: str | None = None) -> dict[str, Any]:
    """Return the manifest of an app with this name, in Socket Mode.

    With `http`, such as https://firstline.example, Slack posts to that host instead.
    """
    address = f"{http.rstrip('/')}{PATH}" if http is not None else None
    url = {"request_url": address} if address else {}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": "Says what is wrong and why, and does what you approve.",
            "background_color": "#1f3a5f",
        },
        "features": {
            "agent_view": {
                "agent_description": "Looks at what is wrong, and can be stopped while it looks.",
            },
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": False},
            "shortcuts": [
                {"name": label, "type": where, "callback_id": callback, "description": does}
                for callback, (label, where, does) in SHORTCUTS.items()
            ],
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Incidents: declare, investigate, status, postmortem",
                    "usage_hint": "declare logins fail",
                    "should_escape": False,
                    **({"url": address} if address else {}),
                }
            ],
        },
        "oauth_config": {
            "scopes": {"bot": list(BOT_SCOPES), "bot_optional": list(OPTIONAL_SCOPES)}
        },
        "settings": {
            "event_subscriptions": {**url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": http is None,
            "token_rotation_enabled": False,
        },
    }
