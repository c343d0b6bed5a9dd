"""A judge of the app's manifest: Slack's types say what there is, its reference how long it is."""

import json
from functools import cache
from pathlib import Path

import fastjsonschema

HERE = Path(__file__).parent
# What the reference has and the types do not, yet.
SCOPES = ("assistant:write", "canvases:read", "canvases:write")
EVENTS = ("agent_session_stopped", "function_executed")


def refusals(manifest):
    """Return a sentence for the first fault that each of the two finds."""
    found = {}
    for name in ("manifest.schema.json", "manifest.limits.json"):
        try:
            _compiled(name)(manifest)
        except fastjsonschema.JsonSchemaValueException as error:
            found[name] = error.message
    return found


@cache
def _compiled(name):
    schema = json.loads((HERE / name).read_text())
    if name == "manifest.schema.json":
        whole = schema["definitions"]["Manifest"]["properties"]
        scopes = whole["oauth_config"]["properties"]["scopes"]["properties"]
        events = whole["settings"]["properties"]["event_subscriptions"]["properties"]
        for kind in ("bot", "bot_optional"):
            scopes[kind]["items"]["enum"] += SCOPES
        events["bot_events"]["items"]["enum"] += EVENTS
    return fastjsonschema.compile(schema)
