"""The workspace that a newcomer meets: a few people, two channels, one group on call."""

import secrets

from assistant.slack.local.people import Token
from assistant.slack.local.workspace import Workspace

SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "bookmarks:read",
        "bookmarks:write",
        "channels:history",
        "channels:join",
        "channels:manage",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "groups:write",
        "im:history",
        "im:read",
        "im:write",
        "pins:write",
        "reactions:write",
        "usergroups:read",
        "users:read",
    }
)


def demo_workspace() -> Workspace:
    """Two engineers on call (@sre), a developer who is not, a guest, and firstline."""
    workspace = Workspace(name="local", bot_name="firstline")
    ana = workspace.add_user("ana", title="On call")
    ben = workspace.add_user("ben", title="On call")
    cleo = workspace.add_user("cleo", title="Developer")
    gus = workspace.add_user("gus", title="Guest", restricted=True)
    workspace.add_group("sre", [ana, ben])
    workspace.add_channel("general", [ana, ben, cleo])
    workspace.add_channel("incidents", [ana, ben, cleo, gus, workspace.bot])
    return workspace


def issue(workspace: Workspace, kind: str, scopes: frozenset[str]) -> str:
    """A fresh token for our app; anybody who has it may do what the scopes say."""
    value = f"{'xoxb' if kind == 'bot' else 'xapp'}-local-{secrets.token_hex(12)}"
    workspace.tokens[value] = Token(value=value, kind=kind, scopes=scopes)
    return value
