"""A whole Slack on 127.0.0.1, started and stopped as a context manager.

    async with LocalSlack(demo_workspace(), SystemClock()) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)

A real Bolt app connects to it in Socket Mode; people act through `slack.person(name)`.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from assistant.clock import Clock
from assistant.slack.local.api import MAX_BODY, Api
from assistant.slack.local.cast import SCOPES, issue
from assistant.slack.local.changes import Changes
from assistant.slack.local.deliveries import Delivery, Timing
from assistant.slack.local.driver import Person
from assistant.slack.local.faults import Faults, Outage
from assistant.slack.local.interactions import find_channel
from assistant.slack.local.methods.chat import checked_blocks
from assistant.slack.local.office import open_office
from assistant.slack.local.people import Message
from assistant.slack.local.requests import OK, Requests
from assistant.slack.local.rules import RULES, broken_rules
from assistant.slack.local.workspace import Workspace

T = TypeVar("T")
PATIENCE_S = 60.0  # what is waited for mostly comes at once; on a busy machine it takes its time


class LocalSlack:
    """One workspace behind a Web API and Socket Mode on an ephemeral port.

    `deliver_to` has it tell the app by signed requests instead, as Slack does over HTTP.
    """

    def __init__(
        self,
        workspace: Workspace,
        clock: Clock,
        *,
        timing: Timing | None = None,
        scopes: frozenset[str] = SCOPES,
    ) -> None:
        self.workspace = workspace
        self.faults = Faults(workspace.changes)
        self.office = open_office(workspace, clock, timing or Timing(), self.faults)
        self.sockets, self.deliveries = self.office.sockets, self.office.deliveries
        self.signing_secret = secrets.token_hex(16)
        self.bot_token = issue(workspace, "bot", scopes)
        self.app_token = issue(workspace, "app", frozenset({"connections:write"}))
        self._runner: web.AppRunner | None = None
        self._delivering: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        """Where it listens, without a slash at the end."""
        return self.office.base_url

    @property
    def api_url(self) -> str:
        """What Slack's clients take as `base_url`."""
        return f"{self.base_url}/api/"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(Api(self.office, self.faults).routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        _, port = self._runner.addresses[0][:2]
        self.office.base_url = f"http://127.0.0.1:{port}"
        self._delivering = asyncio.create_task(self.deliveries.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._delivering is not None:
            self._delivering.cancel()
            with suppress(asyncio.CancelledError):
                await self._delivering
        await self.sockets.close()
        await self.deliveries.carrier.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def person(self, name: str) -> Person:
        """Somebody of the workspace, by name or id; raises `KeyError` if there is nobody."""
        user = self.workspace.users.get(name) or self.workspace.user_named(name)
        if user is None:
            raise KeyError(f"Nobody is called {name}.")
        return Person(self.office, user.id)

    def post_as_bot(
        self, name: str, channel: str, text: str, *, blocks: Sequence[Mapping[str, Any]] = ()
    ) -> Message:
        """Let another bot post, as an alerting webhook does."""
        checked = checked_blocks(list(blocks), self.office)
        return self.office.post(
            find_channel(self.workspace, channel),
            name=name,
            bot=f"B{name.upper()}",
            text=text,
            blocks=checked,
        )

    async def deliver_raw(self, kind: str, payload: Mapping[str, Any]) -> Delivery:
        """Send the app any envelope, forged ones too, and wait until it is settled.

        `kind` is events_api, interactive or slash_commands.
        """
        delivery = self.deliveries.send(kind, payload)
        await delivery.finished.wait()
        return delivery

    async def deliver_to(self, url: str) -> Requests:
        """Tell the app by requests to this address, which must prove to be its own.

        Raises `ValueError` where it does not answer the challenge, `Missed` where nobody does.
        """
        await self.deliveries.carrier.close()
        requests = Requests(url, self.signing_secret, self.office.clock)
        self.deliveries.carrier = requests
        asked = {"type": "url_verification", "challenge": secrets.token_hex(16)}
        status, _, said = await requests.post(requests.signed("events_api", asked))
        if status != OK or asked["challenge"] not in said:
            raise ValueError(f"{url} did not answer the challenge (status {status}).")
        return requests

    @contextmanager
    def away(self, *methods: str) -> Iterator[None]:
        """Be out of order: the methods that are named; or all of them, and every socket is cut."""
        outage = Outage(methods=frozenset(methods) or None, sockets=not methods)
        with self.faults.standing(outage):
            if outage.sockets:
                self.sockets.abort()
            yield

    def changes(self) -> Changes:
        """Iterate over it asynchronously to be told whenever anything changed."""
        return self.workspace.changes

    async def wait_for(self, look: Callable[[], T | None], seconds: float = PATIENCE_S) -> T:
        """Return what `look` finds, as soon as it is true; raises `TimeoutError`."""
        return await self.workspace.changes.until(look, seconds)

    async def connected(self, sockets: int = 1, seconds: float = PATIENCE_S) -> None:
        """Wait until the app holds this many sockets."""
        await self.wait_for(lambda: len(self.sockets.links) >= sockets, seconds)

    async def settled(self, seconds: float = PATIENCE_S) -> None:
        """Wait until everything that was sent to the app is acknowledged or given up."""
        await self.wait_for(lambda: self.deliveries.idle, seconds)

    def broken_rules(
        self,
        *,
        burst: int | None = 10,
        hosts: Collection[str] = (),
        rules: Collection[str] = frozenset(RULES),
    ) -> list[str]:
        """What the app did that it never should; see `rules`."""
        return broken_rules(self.office, burst=burst, hosts=hosts, rules=rules)
