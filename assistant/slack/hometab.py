"""Home tabs, kept up to date for those who have looked at theirs not long ago.

Each person sees what waits for them. Slack does not say when somebody looks away.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from slack_sdk.web.async_client import AsyncWebClient

from assistant.actions.approval import Approvers, may_decide
from assistant.clock import Clock
from assistant.domain.action import Status, Tracked
from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.domain.people import Actor
from assistant.failure import Unusable
from assistant.requests_view import request_view
from assistant.slack.blocks.home import SHOWN, HomeView, Waiting, closed_home, home
from assistant.slack.blocks.pieces import Pressed
from assistant.slack.errors import FAILURES, passing, sentence, wait_s
from assistant.slack.parts import Parts
from assistant.slack.places import card_slot

PACES = 3  # of a channel: a tab is written at most once in so many
LATER_S = 1.0
LOOKED_S = 3_600.0
MOST = 20  # people whose tabs are kept up to date
Audit = Callable[[], tuple[str, ...]]
_LOG = logging.getLogger(__name__)


class HomeTabs:
    """`approvers` null: nothing waits for anybody. `audit` says how the journal stands.

    `pace_s` is the least time between two times that a tab is written after changes.
    """

    def __init__(
        self,
        parts: Parts,
        client: AsyncWebClient,
        clock: Clock,
        approvers: Approvers | None,
        audit: Audit,
        pace_s: float,
    ) -> None:
        self._parts = parts
        self._client = client
        self._clock = clock
        self._approvers = approvers
        self._audit = audit
        self._pace_s = pace_s
        self._looked: dict[str, tuple[str, float]] = {}
        self._direct: dict[str, str] = {}
        self._links: dict[tuple[str, str], str] = {}
        self._news = asyncio.Event()

    async def watched(self, incident: str, event: Event, state: Incident) -> None:
        """Have the tabs written anew; it only says so."""
        del incident, event, state
        self._news.set()

    async def run(self) -> None:
        """Write tabs anew after changes, and those that could not be written until they are."""
        due: dict[str, str] = {}
        while True:
            if not due:
                await self._news.wait()
            since = self._clock.monotonic() - LOOKED_S
            self._looked = {u: seen for u, seen in self._looked.items() if seen[1] >= since}
            looked = {user: team for user, (team, _) in list(self._looked.items())[-MOST:]}
            due = {user: team for user, team in due.items() if user in looked}
            if self._news.is_set():
                self._news.clear()
                due |= looked  # those that are due already stay first
            await asyncio.sleep(max(self._pace_s, await self._catch_up(due)))

    async def _catch_up(self, due: dict[str, str]) -> float:
        """Write what is due until one is not taken; return the seconds to wait before the next."""
        for user, team in list(due.items()):
            del due[user]
            later_s = await self._publish(user, team, "")
            if later_s is not None:
                due[user] = team  # behind the others, so that none of them starves
                return later_s
        return 0.0

    async def show(self, user: str, team: str, told: str = "", direct: str = "") -> None:
        """Write the tab of somebody who looks at it now; `told` answers what they pressed.

        `direct` is the channel of their direct messages with us, where Slack says it.
        """
        self._looked.pop(user, None)
        if direct:
            self._direct[user] = direct
        self._looked[user] = (team, self._clock.monotonic())
        if await self._publish(user, team, told) is not None:
            self._news.set()

    async def _publish(self, user: str, team: str, told: str) -> float | None:
        """Write a tab; return the seconds after which to try again, null where there is no need."""
        try:
            await self._client.views_publish(user_id=user, view=await self._view(user, team, told))
        except FAILURES as error:
            _LOG.warning("a home tab was not written: %s", sentence(error))
            return (wait_s(error) or LATER_S) if passing(error) else None
        except Unusable as error:
            _LOG.error("a home tab was not written: %s", error)
            return LATER_S
        return None

    async def _view(self, user: str, team: str, told: str) -> dict[str, object]:
        outside = await self._parts.people.outside(user)
        if outside is not None:
            return closed_home(outside)
        actor, _ = await self._parts.people.actor(user, team)
        near = self._near()
        hidden = await self._parts.sight.hidden(user, near, self._direct.get(user, ""))
        seen = {name: one for name, one in near.items() if name not in hidden}
        mine, others = await self._waiting(actor, seen)
        return home(
            HomeView(
                incidents=near,
                links=await self._linked(seen),
                mine=tuple(mine),
                others=tuple(others),
                audit=self._stands(),
                told=told,
                hidden=hidden,
            )
        )

    def _near(self) -> dict[str, Incident]:
        """Return what is open, and the newest of what is not: who reads there is asked of each."""
        known = self._parts.desk.incidents()
        newest = list(known)[-SHOWN:]
        return {name: one for name, one in known.items() if one.open or name in newest}

    async def _waiting(
        self, actor: Actor, seen: Mapping[str, Incident]
    ) -> tuple[list[Waiting], list[str]]:
        """Return what waits for this person, and what waits for others, as lines."""
        mine, others = [], []
        for name, incident in seen.items():
            for tracked in incident.requests.values():
                if tracked.status is not Status.PENDING or not tracked.request.mandate.approvals:
                    continue
                if await self._may(actor, tracked):
                    mine.append(self._decision(name, tracked))
                else:
                    others.append(f"{name} {tracked.request.summary}")
        return mine, others

    async def _may(self, actor: Actor, tracked: Tracked) -> bool:
        request = tracked.request
        if self._approvers is None:
            return False
        if may_decide(tracked, actor, request.digest, self._clock.now()) is not None:
            return False
        return await self._approvers.refusal(actor, group=request.mandate.group) is None

    def _decision(self, name: str, tracked: Tracked) -> Waiting:
        view = request_view(tracked, self._parts.looks.approvers)
        token = self._parts.buttons.token
        pressed = tuple(Pressed(button=b, token=token(b.command, name)) for b in view.buttons)
        return Waiting(incident=name, view=view, pressed=pressed)

    async def _linked(self, seen: Mapping[str, Incident]) -> dict[str, str]:
        """Return where the cards of open incidents are, as Slack says it; asked once for each."""
        names = [name for name, one in seen.items() if one.open]
        found = {}
        for name in names[-SHOWN:]:
            channel, ts = self._parts.places.at(name, card_slot(name)) or ("", None)
            if ts is None:
                continue
            if (channel, ts) not in self._links:
                try:
                    reply = await self._client.chat_getPermalink(channel=channel, message_ts=ts)
                except FAILURES:
                    continue
                self._links[channel, ts] = str(reply["permalink"])
            found[name] = self._links[channel, ts]
        return found

    def _stands(self) -> tuple[str, ...]:
        try:
            return self._audit()
        except Unusable as error:
            return (f"The journal cannot be read: {error}",)
