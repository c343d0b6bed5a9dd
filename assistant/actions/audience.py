"""Who could read along when an action was asked for: where more people can by now, it is over.

What was meant for a team must not be decided before the eyes, and among the words, of strangers.
"""

from typing import Protocol

from assistant.domain.action import ActionRequest

PRIVATE, PUBLIC, SHARED, FOREIGN = "private", "public", "shared", "foreign"
UNKNOWN = ""
NOT_SAID = "nobody says who can read along in this channel now; try it again"
_WIDER = (PRIVATE, PUBLIC, SHARED, FOREIGN)
_BY_NOW = {
    PUBLIC: "public",
    SHARED: "shared with other workspaces",
    FOREIGN: "shared with another organisation",
}


class Audience(Protocol):
    """Whoever shows incidents and knows who reads there."""

    async def readers(self, place: str | None) -> str:
        """Return private, public, shared or foreign; empty where it cannot be found out.

        `place` is where an incident is shown, in the surface's own words (null: the usual place).
        """
        ...


async def wider(request: ActionRequest, place: str | None, audience: Audience | None) -> str | None:
    """Return why a request counts no more because of who reads along by now, or null."""
    if audience is None or request.audience == UNKNOWN:
        return None
    return widened(request.audience, await audience.readers(place))


def widened(then: str, now: str) -> str | None:
    """Return why more people can read along now than then, or null."""
    if now == UNKNOWN:
        return NOT_SAID
    if then in _WIDER and _WIDER.index(now) > _WIDER.index(then):
        return f"this channel is {_BY_NOW[now]} since the request: ask for it again"
    return None
