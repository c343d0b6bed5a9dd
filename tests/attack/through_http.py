"""Attacks on the request URL: old requests posted again, forged ones, another workspace's."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from book import Outcome, attack
from office import Office
from slackrig import judged

from assistant.clock import SystemClock
from assistant.domain.brake import Frozen, Thawed
from assistant.inbound import Inbound
from assistant.slack.http import HttpMode
from assistant.slack.local.requests import Requests
from assistant.slack.manifest import PATH

LATER_S = 900
REPEATED = {
    "assistant.slack.guard.Guard._replayed": lambda *_: False,
    "assistant.store.inbox.Inbox.claim": lambda *_: True,
    "assistant.freezing.overtaken": lambda *_: None,
}


class Wall:
    """The machine's clock, which can be put forward."""

    ahead_s = 0

    def now(self):
        return SystemClock().now() + timedelta(seconds=self.ahead_s)

    def monotonic(self):
        return SystemClock().monotonic() + self.ahead_s


class Posted(Office):
    """firstline on call over HTTP; an attacker knows the address and what was once sent there."""

    def __init__(self, folder, slack):
        super().__init__(folder, slack)
        self.wall = Wall()
        self.http = HttpMode(self.client, slack.signing_secret, self.wall)

    def connection(self, channel):
        return replace(super().connection(channel), transport=self.http)

    def request(self, text, **more):
        """Return what Slack posts when ana writes something, signed now."""
        workspace, event = self.slack.workspace, self.slack.workspace.new_id("Ev")
        said = {
            "type": "app_mention",
            "user": self.slack.person("ana").id,
            "text": f"<@{workspace.bot.id}> {text}",
            "channel": workspace.channel_named("incidents").id,
            "ts": self.slack.office.now_ts(),
        }
        payload = {"type": "event_callback", "team_id": workspace.team, "event_id": event}
        return self.requests.signed("events_api", {**payload, "event": said, **more})

    async def freezes(self):
        """Have everything frozen, by what Slack posts."""
        before = len(self.desk.events(Frozen))
        await self.requests.post(self.request("freeze: release day"))
        await self.slack.wait_for(lambda: len(self.desk.events(Frozen)) > before)

    def lifted(self, times):
        return len(self.desk.events(Thawed)) >= times

    async def thawed(self, request, times=1):
        """Post a request and tell what became of the freeze."""
        status, _, said = await self.requests.post(request)
        if status == 200:
            await self.slack.wait_for(lambda: self.lifted(times))
        lifted = self.lifted(times)
        return Outcome("the freeze is lifted" if lifted else None, f"{status} {said}")


@asynccontextmanager
async def posted(folder):
    async with judged(burst=None, excused=["acknowledged"]) as slack:
        here = Posted(folder, slack)
        server = Inbound("127.0.0.1", 0, lambda: None)
        server.mount(PATH, here.http.respond)
        here.requests = await slack.deliver_to(f"{await server.start()}{PATH}")
        try:
            async with here.running():
                await here.freezes()
                yield here
        finally:
            await server.aclose()


async def repeated(folder, later_s):
    """Lift the freeze as people do, freeze again, and post the old request once more."""
    async with posted(folder) as here:
        request = here.request("thaw")
        await here.thawed(request)
        await here.freezes()
        here.wall.ahead_s = later_s
        return await here.thawed(request, times=2)


@attack(
    "16",
    "an old signed request that lifted a freeze is posted again, at once",
    "401, and everything stays frozen",
    told="401 replay",
    guards=REPEATED,
)
async def at_once(folder):
    return await repeated(folder, 0)


@attack(
    "16b",
    "the same, a quarter of an hour later",
    "401, and everything stays frozen",
    told="401 stale",
    guards={
        **REPEATED,
        "assistant.slack.guard.Guard._stale": lambda *_: False,
        "assistant.slack.guard.Guard._signed": lambda *_: True,  # it looks at the age as well
    },
)
async def much_later(folder):
    return await repeated(folder, LATER_S)


@attack(
    "17",
    "a request to lift a freeze, signed with another secret",
    "401, and everything stays frozen",
    told="401 signature",
    guards={"assistant.slack.guard.Guard._signed": lambda *_: True},
)
async def forged(folder):
    async with posted(folder) as here:
        forger = Requests("http://127.0.0.1", "a guess", SystemClock())
        try:
            return await here.thawed(forger.sign(here.request("thaw").body))
        finally:
            await forger.close()


@attack(
    "17b",
    "a request to lift a freeze, told of another workspace that has the app",
    "401, and everything stays frozen",
    told="401 team",
    guards={"assistant.slack.http.ours": lambda *_: True},
)
async def another_workspace(folder):
    async with posted(folder) as here:
        return await here.thawed(here.request("thaw", team_id="T0STRANGER"))
