"""The methods of the Web API that the loopback Slack knows, one module a family."""

from collections.abc import Mapping

from assistant.slack.local.call import Method
from assistant.slack.local.methods import (
    auth,
    chat,
    conversations,
    directory,
    files,
    marks,
    reading,
    streams,
    views,
)

METHODS: Mapping[str, Method] = {
    **auth.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **directory.METHODS,
    **files.METHODS,
    **marks.METHODS,
    **reading.METHODS,
    **streams.METHODS,
    **views.METHODS,
}
