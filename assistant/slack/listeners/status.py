"""What is open, told to one person: what they may not see is named by its number alone."""

from assistant.slack.blocks.home import status_lines
from assistant.slack.parts import Parts


async def status(parts: Parts, user: str, here: str) -> str:
    """Return the open incidents as lines; `here` is the channel in which they ask."""
    still = {name: one for name, one in parts.desk.incidents().items() if one.open}
    return status_lines(still, await parts.sight.hidden(user, still, here))
