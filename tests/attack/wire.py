"""The way between firstline and the Slack on loopback without a network: calls and envelopes.

Slack's own client is given a session that calls the methods of the loopback Slack in memory, and
the socket a link that hands envelopes over as Socket Mode does: kept, acknowledged, handled. What
goes wrong on the way is drawn by the weather.
"""

import asyncio
import contextvars
import json
from collections import deque
from contextlib import suppress

import aiohttp
from virtual import PROCESS
from weather import WRITES

from assistant.slack.errors import FAILURES, SlackError, sentence
from assistant.slack.local.api import Api
from assistant.slack.local.deliveries import Delivery, State
from assistant.slack.local.faults import Faults
from assistant.slack.local.office import Made
from assistant.slack.local.refusals import Refused

TIMEOUT_S, ACK_S, RECONNECT_S = 10.0, 3.0, 2.0
RETRIES = (0.0, 60.0, 300.0)


class Reply:
    """An answer over HTTP, as Slack's client reads it."""

    def __init__(self, status, body, headers=None):
        self.status, self._body, self.headers = status, body, headers or {}
        self.content_type = "text/plain" if isinstance(body, str) else "application/json"

    async def json(self):
        return self._body

    async def text(self):
        return self._body


class _Exchange:
    def __init__(self, answer):
        self._answer = answer

    async def __aenter__(self):
        return await self._answer

    async def __aexit__(self, *_):
        return None


class Session:
    """What Slack's client calls instead of the network."""

    closed = False

    def __init__(self, scene):
        self.scene = scene
        self.api = Api(scene.office, Faults(scene.office.workspace.changes))
        self.waits = {}  # what Slack asked for, by process, method and channel

    def request(self, _verb, url, **sent):
        return _Exchange(self._answer(url.rpartition("/")[2], sent))

    async def _answer(self, method, sent):
        scene = self.scene
        args = {**(sent.get("params") or {}), **(sent.get("data") or {})}
        args = {name: str(value) for name, value in args.items()}
        args |= json.loads(json.dumps(sent.get("json") or {}))
        self._too_soon(method, args)
        how, seconds = scene.weather.call(method, scene.now)
        if how is not None:
            scene.tell(f"{method} fails: {how} {seconds:.0f}")
        await asyncio.sleep(scene.weather.latency())
        if how == "reset":
            raise aiohttp.ServerDisconnectedError
        if how in ("500", "503"):
            return Reply(int(how), "Something broke on purpose.")
        if how == "429":
            self.waits[PROCESS.get(), method, args.get("channel")] = scene.now + seconds
            later = {"Retry-After": f"{seconds:.0f}"}
            return Reply(429, {"ok": False, "error": "ratelimited"}, later)
        body = json.loads(json.dumps(self._run(method, args, sent)))
        if method in WRITES:
            await scene.moment(f"applied {method}")
        if how == "lost":
            raise aiohttp.ServerDisconnectedError
        if how == "slow":
            await asyncio.sleep(min(seconds, TIMEOUT_S))
            if seconds > TIMEOUT_S:
                raise TimeoutError
        await asyncio.sleep(scene.weather.latency())
        if method in WRITES:
            await scene.moment(f"answered {method}")
        return Reply(200, body)

    def _run(self, method, args, sent):
        office = self.scene.office
        token = office.workspace.tokens[sent["headers"]["Authorization"].removeprefix("Bearer ")]
        try:
            body = {"ok": True, **self.api._run(method, token, args)}  # noqa: SLF001 — its table
        except Refused as refused:
            body = {"ok": False, "error": refused.code, **refused.more}
        error = body.get("error", "")
        named = str(body.get("ts") or "")
        office.calls.append(
            Made(method=method, args=args, at=self.scene.now, error=error, ts=named)
        )
        if method in WRITES:
            self.scene.tell(f"{method} {args.get('text', '')[:60]!r} {error}")
        return body

    def _too_soon(self, method, args):
        key = (PROCESS.get(), method, args.get("channel"))
        if method in WRITES and self.scene.now < self.waits.get(key, 0.0) - 1e-3:
            self.scene.fail(f"{method} came before Retry-After was over")


class Pump:
    """Slack's end of the socket; stands where the loopback Slack has its `Sockets`."""

    def __init__(self, scene):
        self.scene = scene
        self.all = deque()
        self.link = None
        self.linked = asyncio.Event()
        self._acks = {}
        self._number = 0

    def ticket(self):
        return "ticket"

    def send(self, kind, payload):
        delivery = Delivery(kind=kind, payload=json.loads(json.dumps(payload)))
        self.all.append(delivery)
        self.scene.loop.spawn(None, self._deliver(delivery))
        return delivery

    @property
    def idle(self):
        return all(d.state is not State.WAITING for d in self.all)

    def open(self, link):
        self.link = link
        self.linked.set()

    def cut(self):
        """Cut the connection: what is not acknowledged by now is not heard any more."""
        if self.link is not None:
            self.link.lost.set()
        self.link = None
        self.linked.clear()
        for ack in self._acks.values():
            if not ack.done():
                ack.set_exception(ConnectionResetError())
        self._acks.clear()

    def acknowledged(self, envelope):
        """Take an acknowledgement; raises where the connection is gone."""
        if envelope not in self._acks:
            raise ConnectionResetError
        ack = self._acks.pop(envelope)
        if not ack.done():
            ack.set_result(True)

    async def _deliver(self, delivery):
        delay, twice, ack = self.scene.weather.envelope(self.scene.now)
        await asyncio.sleep(delay)
        if twice:
            self.scene.tell(f"{delivery.kind} comes twice")
            self.scene.loop.spawn(None, self._again(delivery))
        pauses = RETRIES if delivery.kind == "events_api" else ()
        for number, pause in enumerate((0.0, *pauses)):
            await asyncio.sleep(pause)
            delivery.attempts += 1
            if await self._attempt(delivery, ack):
                delivery.state = State.ACKED
                break
            # Slack gives up after the fourth time; what it never tells nobody can know.
            ack = ack if number == 0 and self.scene.weather.rng.random() < 0.5 else "heard"
        else:
            delivery.state = State.FAILED
            self.scene.tell(f"{delivery.kind} was never acknowledged")
        delivery.finished.set()
        self.scene.office.workspace.changes.note()

    async def _again(self, delivery):
        await asyncio.sleep(self.scene.weather.rng.uniform(0.0, 5.0))
        await self._attempt(delivery, "heard")

    async def _attempt(self, delivery, fate):
        """Send once; tell whether it was acknowledged in time. An event waits for a connection."""
        patience = None if delivery.kind == "events_api" else ACK_S
        try:
            async with asyncio.timeout(patience):
                while self.link is None or self.scene.weather.out(self.scene.now):
                    await self.linked.wait()
                    if self.scene.weather.out(self.scene.now):
                        await asyncio.sleep(5.0)
        except TimeoutError:
            return False
        self._number += 1
        envelope = f"envelope {self._number}"
        ack = self._acks[envelope] = self.scene.loop.create_future()
        self.link.hand_over(envelope, json.loads(json.dumps(delivery.payload)))
        if fate == "cut":
            await asyncio.sleep(self.scene.weather.rng.choice((0.0, 0.01, 0.3)))
            self.scene.tell("the connection is cut")
            self.cut()
        try:
            async with asyncio.timeout(ACK_S):
                await ack
        except (TimeoutError, ConnectionResetError):
            return False
        if fate == "lost":
            self.scene.tell(f"the acknowledgement of {delivery.kind} is lost")
            await asyncio.sleep(ACK_S)
        return fate != "lost"


class Link:
    """firstline's end, in the place of `transports.SocketMode`; made for each process anew."""

    def __init__(self, scene, client, app_token, look_s):
        self.scene, self.client = scene, client
        self._app_token, self._look_s = app_token, look_s
        self._ingress, self._context, self.lost = None, None, None

    async def check(self):
        try:
            await self.client.auth_test()
            await self.client.apps_connections_open(app_token=self._app_token)
        except FAILURES as error:
            raise SlackError(sentence(error)) from error

    async def run(self, ingress, contact, clock, ready):
        async with ingress.open():
            self._ingress, self._context = ingress, contextvars.copy_context()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._stay_connected(contact, clock, ready))
                while True:
                    await asyncio.sleep(self._look_s)
                    with suppress(*FAILURES):
                        await self.client.auth_test()

    async def _stay_connected(self, contact, clock, ready):
        while True:
            self.lost = asyncio.Event()
            self.scene.pump.open(self)
            contact.found(clock.now())
            ready.set()
            await self.lost.wait()
            contact.lost(clock.now(), "the connection was cut")
            await asyncio.sleep(RECONNECT_S)

    def hand_over(self, envelope, payload):
        """Be told an envelope: called by Slack, done by this process."""
        loop = self.scene.loop
        loop.create_task(self._taken(envelope, payload), context=self._context)

    async def _taken(self, envelope, payload):
        try:
            await self.take(envelope, payload)
        except (ConnectionError, SlackError) as error:
            self.scene.tell(f"an envelope was not taken: {type(error).__name__}")

    async def take(self, envelope, payload):
        """Keep it, begin to handle it, acknowledge it, as `transports` does."""
        if await self.keep(envelope, payload):
            await self.scene.moment("claimed")
            await self.acknowledge(envelope)

    async def keep(self, envelope, payload):
        kept = await self._ingress.take(payload, envelope)
        if kept and payload not in self.scene.heard:
            self.scene.heard.append(payload)
        return kept

    async def acknowledge(self, envelope):
        self.scene.pump.acknowledged(envelope)
        await self.scene.moment("acknowledged")
