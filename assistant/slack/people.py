"""Who somebody in Slack is: asked of Slack, remembered for a while."""

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.domain.people import Actor, ActorKind
from assistant.slack.errors import FAILURES, SlackError, sentence
from assistant.slack.text import one_line

_REMEMBERED_S = 60.0
ODD = {
    "is_bot": "a bot",
    "deleted": "deactivated",
    "is_restricted": "a guest",
    "is_ultra_restricted": "a guest",
    "is_stranger": "from another workspace",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`team` is the workspace that the person belongs to; `odd` says why it is no colleague.

    `subject` is who it is in all workspaces of an organisation, empty outside of one.
    """

    id: str
    name: str
    team: str
    zone: str
    odd: str | None
    subject: str = ""


class People:
    """Profiles of users (users.info), each remembered for a minute."""

    def __init__(self, client: AsyncWebClient, clock: Clock, *, simulated: bool = False) -> None:
        self._client = client
        self._clock = clock
        self._simulated = simulated
        self._known: dict[str, tuple[float, Profile]] = {}

    async def profile(self, user: str, *, fresh: bool = False) -> Profile:
        """Return the profile; raises `SlackError` where Slack does not give one."""
        now = self._clock.monotonic()
        at, known = self._known.get(user, (0.0, None))
        if known is not None and not fresh and now - at < _REMEMBERED_S:
            return known
        try:
            reply = await self._client.users_info(user=user)
        except FAILURES as error:
            raise SlackError(sentence(error)) from error
        found = _profile(reply.get("user") or {})
        self._known[user] = (now, found)
        return found

    async def outside(self, user: str) -> str | None:
        """Return why somebody may read here and not take part, null where nothing is known of it.

        Where Slack does not answer, whoever asks is heard: nobody approves by this.
        """
        try:
            profile = await self.profile(user)
        except SlackError:
            return None
        if profile.odd is None:
            return None
        return f"{profile.name} is {ODD[profile.odd]}: only members of this workspace are heard."

    async def actor(self, user: str, team: str) -> tuple[Actor, str]:
        """Return who acts, as Slack says it, and their zone; without Slack, the id is the name."""
        try:
            profile = await self.profile(user)
        except SlackError:
            name, zone, subject = user, "UTC", ""
        else:
            name, zone, subject = profile.name, profile.zone, profile.subject
        actor = Actor(
            kind=ActorKind.HUMAN,
            id=user,
            name=name,
            team=team,
            simulated=self._simulated,
            subject=subject,
        )
        return actor, zone


def _profile(user: dict[str, object]) -> Profile:
    details = user.get("profile")
    shown = details.get("display_name") if isinstance(details, dict) else None
    name = shown or user.get("real_name") or user.get("name") or user.get("id") or "somebody"
    return Profile(
        id=str(user.get("id", "")),
        name=one_line(str(name), 80),
        team=str(user.get("team_id", "")),
        zone=str(user.get("tz") or "UTC"),
        subject=_subject(user.get("enterprise_user")),
        odd=next((flag for flag in ODD if user.get(flag)), None),
    )


def _subject(enterprise: object) -> str:
    """Return who a person is in all workspaces of an organisation, empty outside of one."""
    known = enterprise.get("id") if isinstance(enterprise, dict) else None
    return f"slack:{known}" if known else ""
