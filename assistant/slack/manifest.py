"""The app's manifest: what a workspace grants when it creates the app.

Nothing more than what is used: no user scopes, no search, no posting where nobody invited it.
Source: docs.slack.dev, app manifest reference.
"""

from typing import Any

PATH = "/slack/events"
BOT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "groups:history",
    "groups:read",
    "im:history",
    "usergroups:read",
    "users:read",
)
EVENTS = (
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
    url = {} if http is None else {"request_url": f"{http.rstrip('/')}{PATH}"}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": "Says what is wrong and why, and does what you approve.",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": False},
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {**url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": http is None,
            "token_rotation_enabled": False,
        },
    }
