"""Who may approve: the members of one Slack user group, asked of Slack and nobody else.

Being in a channel proves nothing. Where Slack does not answer, nobody may.
"""

import logging

from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.domain.people import Actor
from assistant.slack.errors import FAILURES, SlackError, sentence
from assistant.slack.people import ODD, People

_LOG = logging.getLogger(__name__)


class SlackApprovers:
    """Asks Slack for the members of user groups.

    `group` is the usual one's handle (`sre`) or id; `ttl` is how long the members of a group are
    believed, in seconds.
    """

    def __init__(
        self, client: AsyncWebClient, clock: Clock, people: People, group: str, ttl: float = 60.0
    ) -> None:
        self._client = client
        self._clock = clock
        self._people = people
        self._group = group.removeprefix("@")
        self._ttl = ttl
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        self._id = ""

    @property
    def said(self) -> str:
        """Whom a request asks, in words."""
        return f"@{self._group}"

    def group(self) -> str:
        """Return the usual group's id as Slack said it last, empty where it never did."""
        return self._id

    async def find(self) -> None:
        """Ask Slack for the usual group, so that a request can call it."""
        try:
            await self._group_id(self._group)
        except (SlackError, *FAILURES) as error:
            said = sentence(error) if isinstance(error, FAILURES) else str(error)
            _LOG.warning("nobody is called to a request that waits: %s", said)

    async def refusal(
        self, actor: Actor, *, group: str | None = None, fresh: bool = False
    ) -> str | None:
        """Return why this person may not approve, or null; `fresh` trusts nothing remembered."""
        asked = (group or self._group).removeprefix("@")
        try:
            profile = await self._people.profile(actor.id, fresh=fresh)
            members = await self._members(asked, fresh=fresh)
        except SlackError as error:
            return f"Nobody can approve while Slack does not say who may. {error}"
        if profile.id != actor.id:
            return "Slack does not know who this is."
        if profile.odd is not None:
            return f"{profile.name} is {ODD[profile.odd]} and may not approve."
        if actor.id not in members:
            return f"Only members of @{asked} may approve."
        return None

    async def _members(self, asked: str, *, fresh: bool) -> frozenset[str]:
        now, known = self._clock.monotonic(), self._known.get(asked)
        if known is not None and not fresh and now - known[0] < self._ttl:
            return known[1]
        try:
            reply = await self._client.usergroups_users_list(usergroup=await self._group_id(asked))
        except FAILURES as error:
            raise SlackError(sentence(error)) from error
        members = frozenset(str(user) for user in reply.get("users") or ())
        self._known[asked] = (now, members)
        return members

    async def _group_id(self, asked: str) -> str:
        """Return the id of the group with the handle; raises `SlackError` if there is none."""
        reply = await self._client.usergroups_list()
        for group in reply.get("usergroups") or ():
            if asked in (group.get("handle"), group.get("id")):
                found = str(group["id"])
                self._id = found if asked == self._group else self._id
                return found
        raise SlackError(f"There is no user group @{asked}: create it, or name another one.")
