"""auth.*, apps.*: who the token is, and a link for Socket Mode."""

from assistant.slack.local.call import Call, Method, Reply


def _test(call: Call) -> Reply:
    workspace = call.office.workspace
    return {
        "url": f"{call.office.base_url}/",
        "team": workspace.name,
        "team_id": workspace.team,
        "user": call.bot.name,
        "user_id": call.bot.id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
        **({"enterprise_id": workspace.enterprise} if workspace.enterprise else {}),
    }


def _open_connection(call: Call) -> Reply:
    link = call.office.base_url.replace("http://", "ws://", 1)
    return {"url": f"{link}/link/{call.office.sockets.ticket()}"}


METHODS = {
    "auth.test": Method(run=_test),
    "apps.connections.open": Method(run=_open_connection, scope="connections:write", kind="app"),
}
