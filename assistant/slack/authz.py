"""Who may approve: the members of one Slack user group, asked of Slack and nobody else.

Being in a channel proves nothing. Where Slack does not answer, nobody may.
"""

from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.domain.people import Actor
from assistant.slack.errors import FAILURES, SlackError, sentence
from assistant.slack.people import People

_ODD_WORDS = {
    "is_bot": "a bot",
    "deleted": "deactivated",
    "is_restricted": "a guest",
    "is_ultra_restricted": "a guest",
    "is_stranger": "from another workspace",
}


class SlackApprovers:
    """Asks Slack for the members of a user group.

    `group` is its handle (`sre`) or id; `ttl` is how long its members are believed, in seconds.
    """

    def __init__(
        self, client: AsyncWebClient, clock: Clock, people: People, group: str, ttl: float = 60.0
    ) -> None:
        self._client = client
        self._clock = clock
        self._people = people
        self._group = group.removeprefix("@")
        self._ttl = ttl
        self._known: tuple[float, frozenset[str]] | None = None

    @property
    def said(self) -> str:
        """Whom a request asks, in words."""
        return f"@{self._group}"

    async def refusal(self, actor: Actor, *, fresh: bool = False) -> str | None:
        """Return why this person may not approve, or null; `fresh` trusts nothing remembered."""
        try:
            profile = await self._people.profile(actor.id, fresh=fresh)
            members = await self._members(fresh=fresh)
        except SlackError as error:
            return f"Nobody can approve while Slack does not say who may. {error}"
        if profile.id != actor.id:
            return "Slack does not know who this is."
        if profile.odd is not None:
            return f"{profile.name} is {_ODD_WORDS[profile.odd]} and may not approve."
        if profile.team != actor.team:
            return f"{profile.name} belongs to another workspace and may not approve."
        if actor.id not in members:
            return f"Only members of @{self._group} may approve."
        return None

    async def _members(self, *, fresh: bool) -> frozenset[str]:
        now = self._clock.monotonic()
        if self._known is not None and not fresh and now - self._known[0] < self._ttl:
            return self._known[1]
        try:
            reply = await self._client.usergroups_users_list(usergroup=await self._group_id())
        except FAILURES as error:
            raise SlackError(sentence(error)) from error
        members = frozenset(str(user) for user in reply.get("users") or ())
        self._known = (now, members)
        return members

    async def _group_id(self) -> str:
        """Return the id of the group with the handle; raises `SlackError` if there is none."""
        reply = await self._client.usergroups_list()
        for group in reply.get("usergroups") or ():
            if self._group in (group.get("handle"), group.get("id")):
                return str(group["id"])
        raise SlackError(f"There is no user group @{self._group}: create it, or name another one.")
