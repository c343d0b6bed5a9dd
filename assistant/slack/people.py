"""Who somebody in Slack is: asked of Slack, remembered for a while.

Who is no colleague of ours is told by their team. Slack's `is_stranger` is false for everybody who
shares a channel with us, also by Slack Connect. Source: docs.slack.dev, user object, auth.test.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.domain.people import Actor, ActorKind
from assistant.slack.errors import FAILURES, SlackError, sentence
from assistant.slack.text import one_line

_REMEMBERED_S = 60.0
_ELSEWHERE = "elsewhere"
ODD = {
    "is_bot": "a bot",
    "deleted": "deactivated",
    "is_restricted": "a guest",
    "is_ultra_restricted": "a guest",
    _ELSEWHERE: "from another workspace",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`odd` says why the person is no colleague: a key of `ODD`.

    `subject` is who it is in all workspaces of an organisation, empty outside of one.
    """

    id: str
    name: str
    zone: str
    odd: str | None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Our workspace, and the organisation that it belongs to on Enterprise Grid (else empty)."""

    team: str
    enterprise: str

    def holds(self, user: Mapping[str, object]) -> bool:
        """Tell whether somebody is of our workspace, or of another one of our organisation."""
        return user.get("team_id") == self.team or (
            bool(self.enterprise) and _grid(user).get("enterprise_id") == self.enterprise
        )


class People:
    """Profiles of users (users.info), each remembered for a minute, and who we are (auth.test)."""

    def __init__(self, client: AsyncWebClient, clock: Clock, *, simulated: bool = False) -> None:
        self._client = client
        self._clock = clock
        self._simulated = simulated
        self._known: dict[str, tuple[float, Profile]] = {}
        self._home: Home | None = None

    async def profile(self, user: str, *, fresh: bool = False) -> Profile:
        """Return the profile; raises `SlackError` where Slack does not give one."""
        now = self._clock.monotonic()
        at, known = self._known.get(user, (0.0, None))
        if known is not None and not fresh and now - at < _REMEMBERED_S:
            return known
        try:
            reply = await self._client.users_info(user=user)
            self._home = self._home or await self._asked()
        except FAILURES as error:
            raise SlackError(sentence(error)) from error
        found = _profile(reply.get("user") or {}, self._home)
        self._known[user] = (now, found)
        return found

    async def _asked(self) -> Home:
        reply = await self._client.auth_test()
        return Home(
            team=str(reply.get("team_id") or ""), enterprise=str(reply.get("enterprise_id") or "")
        )

    async def outside(self, user: str) -> str | None:
        """Return why somebody may read here and not take part, null where nothing is known of it.

        Where Slack does not answer, whoever asks is heard: nobody approves by this.
        """
        try:
            profile = await self.profile(user)
        except SlackError:
            return None
        return _outside(profile)

    async def actor(self, user: str, team: str) -> tuple[Actor, str]:
        """Return who acts, as Slack says it, and their zone; without Slack, the id is the name."""
        try:
            profile = await self.profile(user)
        except SlackError:
            profile = Profile(id=user, name=user, zone="UTC", odd=None)
        return self._actor(user, team, profile), profile.zone

    async def member(self, user: str, team: str) -> Actor | str:
        """Return who acts where two have to be told apart, or why it does not count.

        Without Slack's word nobody knows whether two accounts are one person's.
        """
        try:
            profile = await self.profile(user)
        except SlackError as error:
            return f"Not done, since Slack does not say who you are: try again. {error}"
        return _outside(profile) or self._actor(user, team, profile)

    def _actor(self, user: str, team: str, profile: Profile) -> Actor:
        return Actor(
            kind=ActorKind.HUMAN,
            id=user,
            name=profile.name,
            team=team,
            simulated=self._simulated,
            subject=profile.subject,
        )


def _outside(profile: Profile) -> str | None:
    if profile.odd is None:
        return None
    return f"{profile.name} is {ODD[profile.odd]}: only members of this workspace are heard."


def _profile(user: Mapping[str, object], home: Home) -> Profile:
    details = user.get("profile")
    shown = details.get("display_name") if isinstance(details, dict) else None
    name = shown or user.get("real_name") or user.get("name") or user.get("id") or "somebody"
    return Profile(
        id=str(user.get("id", "")),
        name=one_line(str(name), 80),
        zone=str(user.get("tz") or "UTC"),
        subject=f"slack:{known}" if (known := _grid(user).get("id")) else "",
        odd=next(
            (flag for flag in ODD if user.get(flag)), None if home.holds(user) else _ELSEWHERE
        ),
    )


def _grid(user: Mapping[str, object]) -> Mapping[str, object]:
    """Return who a person is in their organisation on Enterprise Grid, empty outside of one."""
    known = user.get("enterprise_user")
    return known if isinstance(known, dict) else {}
