"""The composition root of what stays on call: the service, its journal, and a Slack to speak in.

`wiring` joins what answers one question; here it is joined with what people act through. The Slack
is the real one or the one on loopback; everything behind it is the same.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from assistant import wiring
from assistant.actions.catalogue import Catalogue
from assistant.actions.judge import Judge
from assistant.alerts import Alerts
from assistant.clock import Clock
from assistant.config import ConfigError, Settings, SlackSettings
from assistant.flow import Sources, Timing
from assistant.folder import stopped
from assistant.inbound import Inbound
from assistant.journal.sql import SqlJournal
from assistant.journal.standing import Standing
from assistant.pictures import Pictures
from assistant.policy.source import reader
from assistant.recollection import Recollection
from assistant.runtime import lanes
from assistant.service import Service
from assistant.slack.audience import SlackAudience
from assistant.slack.authz import SlackApprovers
from assistant.slack.errors import SlackError
from assistant.slack.http import HttpMode
from assistant.slack.letters import Looks
from assistant.slack.local.cast import demo_workspace
from assistant.slack.local.slack import LocalSlack
from assistant.slack.manifest import PATH, SCOPES
from assistant.slack.notes import Notes
from assistant.slack.people import People
from assistant.slack.serve import Connection, Slack, Tables
from assistant.slack.start import channels_at_start
from assistant.slack.transports import Client, web_client
from assistant.store.buttons import Buttons
from assistant.store.database import Database, open_database
from assistant.store.inbox import Inbox
from assistant.store.messages import Messages
from assistant.store.pen import take
from assistant.vouching import vouched
from connectors import registry
from connectors.actions import Actuator
from connectors.api import Connector, Receiver
from connectors.registry import Listener
from retrieval.api import Index
from runbooks.shelf import Shelf

LOCAL_CHANNEL, LOCAL_APPROVERS = "incidents", "sre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What there is to look at, to act through, and to hear from."""

    connectors: Mapping[str, Connector]
    actuators: Mapping[str, Actuator]
    index: Index
    receivers: Mapping[str, Receiver]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """What takes commands, the Slack in which people give them, and its request URL, if any."""

    service: Service
    slack: Slack
    http: HttpMode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workspace:
    """A Slack, and who and where in it."""

    client: Client
    channel: str
    approvers: str
    simulated: bool
    own_channels: bool
    streaming: bool
    app_token: str = ""
    http: HttpMode | None = None
    watched: frozenset[str] = frozenset()


@asynccontextmanager
async def configured(settings: Settings, index: Index) -> AsyncIterator[Parts]:
    """Build and start what the settings name; raises `ConfigError` where something is broken."""
    seen, done = registry.load(settings.connectors), registry.load_actuators(settings.actuators)
    failed = (*seen.failed, *done.failed)
    if failed or not seen.connectors:
        broken = "; ".join(f"{f.name}: {f.message}" for f in failed)
        raise ConfigError(broken or settings.no_connectors)
    try:
        for connector in seen.connectors.values():
            if isinstance(connector, Listener):
                await connector.start()
        yield Parts(
            connectors=seen.connectors,
            actuators=done.actuators,
            index=index,
            receivers=seen.receivers,
        )
    finally:
        for connector in seen.connectors.values():
            await connector.aclose()
        for actuator in done.actuators.values():
            await actuator.aclose()


@asynccontextmanager
async def on_slack(parts: Parts, settings: Settings, clock: Clock) -> AsyncIterator[OnCall]:
    """Be on call in the real Slack; raises `ConfigError`, `SlackError`, `StoreError`."""
    said = settings.slack
    if said is None or said.bot_token is None:
        raise ConfigError(
            "Slack's tokens are missing: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN "
            "(or SLACK_SIGNING_SECRET)"
        )
    client = web_client(said.bot_token.get_secret_value(), said.api_url)
    ids = await channels_at_start(client, (said.channel, *said.watch), settings.data)
    workspace = _Workspace(
        client=client,
        app_token=said.app_token.get_secret_value() if said.app_token else "",
        http=_http(said, client, clock),
        channel=ids[said.channel],
        approvers=said.approvers,
        simulated=False,
        streaming=said.streaming,
        own_channels=said.incident_channels,
        watched=frozenset(ids[name] for name in said.watch),
    )
    async with _running(workspace, parts, settings, clock) as oncall:
        yield oncall


def _http(said: SlackSettings, client: Client, clock: Clock) -> HttpMode | None:
    """Return what takes Slack's requests, where there is no app token for Socket Mode."""
    if said.app_token is not None or said.signing_secret is None:
        return None
    return HttpMode(client, said.signing_secret.get_secret_value(), clock)


@asynccontextmanager
async def on_local_slack(
    parts: Parts, settings: Settings, clock: Clock
) -> AsyncIterator[tuple[OnCall, LocalSlack]]:
    """Be on call in a Slack on loopback with simulated people; raises `StoreError`."""
    async with LocalSlack(demo_workspace(), clock, scopes=SCOPES) as slack:
        channel = slack.workspace.channel_named(LOCAL_CHANNEL)
        workspace = _Workspace(
            client=web_client(slack.bot_token, slack.api_url),
            app_token=slack.app_token,
            channel=channel.id if channel else LOCAL_CHANNEL,
            approvers=LOCAL_APPROVERS,
            simulated=True,
            streaming=settings.slack.streaming if settings.slack is not None else True,
            own_channels=True,
        )
        async with _running(workspace, parts, settings, clock) as oncall:
            yield oncall, slack


@asynccontextmanager
async def _running(
    workspace: _Workspace, parts: Parts, settings: Settings, clock: Clock
) -> AsyncIterator[OnCall]:
    people = People(workspace.client, clock, simulated=workspace.simulated)
    approvers = await _approvers(workspace, people, clock)
    async with AsyncExitStack() as vouching:
        database = vouching.enter_context(_database(settings))
        pen = take(database)
        notes = Notes(workspace.client, workspace.channel)
        told = settings.audit.slack and not workspace.simulated  # nobody else reads a local one
        if told:
            await vouching.enter_async_context(notes.posted())
        more = (notes.put,) if told else ()
        journal = await vouching.enter_async_context(
            vouched(SqlJournal(database, clock, pen), settings, *more)
        )
        pictures = Pictures(settings.pictures)
        standing = Standing(database, journal)
        memory = Recollection(parts.index, journal, Shelf(settings.shelf), wiring.written(settings))
        await asyncio.to_thread(memory.restore)
        sources = Sources(
            connectors=parts.connectors,
            clock=clock,
            catalogue=Catalogue(parts.actuators),
            approvers=approvers,
            audience=SlackAudience(workspace.client, workspace.channel),
            ours=lambda: stopped(settings.data) or pen.lost(),
            judge=Judge(
                policy=reader(settings.policy.file), environment=settings.policy.environment
            ),
            found=memory,
            memory=memory,
            picture=pictures.draw,
            timing=Timing(**settings.timing.model_dump()),
        )
        async with lanes() as made:
            service = Service(sources, journal, made)
            looks = Looks(
                offered=service.catalogue_names,
                approvers=approvers.said,
                hosts=settings.link_hosts,
                group=approvers.group,
                audit=standing.of_answer,
            )
            slack = Slack(
                connection=_connection(workspace, people),
                desk=service,
                tables=Tables(
                    buttons=Buttons(database), inbox=Inbox(database), messages=Messages(database)
                ),
                looks=looks,
                clock=clock,
                approvers=approvers,
                audit=standing.lines,
                sources=_sources(parts.connectors),
                album=pictures,
            )
            async with _connected(slack):
                await service.resume()
                yield OnCall(service=service, slack=slack, http=workspace.http)


async def _approvers(workspace: _Workspace, people: People, clock: Clock) -> SlackApprovers:
    approvers = SlackApprovers(workspace.client, clock, people, workspace.approvers)
    await approvers.find()
    return approvers


def _connection(workspace: _Workspace, people: People) -> Connection:
    return Connection(
        client=workspace.client,
        app_token=workspace.app_token,
        transport=workspace.http,
        people=people,
        channel=workspace.channel,
        streaming=workspace.streaming,
        own_channels=workspace.own_channels,
        watched=workspace.watched,
    )


def _sources(connectors: Mapping[str, Connector]) -> tuple[tuple[str, str], ...]:
    """Return who is asked for what: the connector's name and what it gives."""
    return tuple(
        (name, gives.value)
        for name, connector in sorted(connectors.items())
        for gives in sorted(connector.capabilities)
    )


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = open_database(settings.database)
    try:
        yield database
    finally:
        database.close()


@asynccontextmanager
async def _connected(slack: Slack) -> AsyncIterator[None]:
    """Keep Slack running for the length of the context; raises `SlackError` where it ends before.

    A firstline that nobody can reach must not look as if it were there; where Slack is out of order
    at the start, `/readyz` says so, and webhooks and what was begun go on meanwhile.
    """
    running = asyncio.create_task(slack.run())
    ready = asyncio.create_task(slack.ready.wait())
    away = asyncio.create_task(slack.away.wait())
    inside: asyncio.Task[object] | None = None

    def ended(_: asyncio.Task[None]) -> None:
        if inside is not None:
            inside.cancel()

    try:
        await asyncio.wait({running, ready, away}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        inside = asyncio.current_task()
        running.add_done_callback(ended)
        yield
    except asyncio.CancelledError:
        if not running.done() or running.cancelled():
            raise
        if inside is not None:
            inside.uncancel()
        reason = running.exception()
        raise SlackError(f"the connection to Slack has ended: {reason}") from reason
    finally:
        running.remove_done_callback(ended)
        for task in (ready, away, running):
            task.cancel()
        await asyncio.gather(ready, away, running, return_exceptions=True)


@asynccontextmanager
async def inbound(
    oncall: OnCall, parts: Parts, settings: Settings, clock: Clock
) -> AsyncIterator[str]:
    """Listen for what monitors post; yields the address. Raises `Rejected` for a used port."""
    server = Inbound(*settings.address, lambda: oncall.slack.contact.why)
    if (http := oncall.http) is not None:
        server.mount(PATH, http.respond)
    for name, receiver in parts.receivers.items():
        server.add(name, Alerts(receiver, oncall.service.submit, clock).receive)
    try:
        yield await server.start()
    finally:
        await server.aclose()
