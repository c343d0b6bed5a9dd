"""Attacks by what fails around an action: its post, its target, a step of a plan, the way back."""

from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

from aiohttp import web
from book import Outcome, attack
from desk import Desk
from machine import Died
from scene import Everybody, Restless, asked, nobody_objects, yes
from slackrig import judged
from targets import UNCHANGED, forgotten
from world import ANA, BEN

from assistant import flow
from assistant.commands import RequestStep, RequestUndo
from assistant.domain.action import Status
from assistant.domain.events import PlanProposed
from assistant.domain.people import FIRSTLINE
from assistant.domain.plan import RemediationPlan, RemediationStep
from assistant.flow import Stage
from assistant.requests_view import request_view
from assistant.slack.courier import Courier
from assistant.slack.letters import Looks
from assistant.slack.places import Places
from assistant.slack.surface import SlackSurface, Ways
from assistant.slack.transports import web_client
from assistant.store.buttons import Buttons
from assistant.store.messages import Messages
from connectors import http
from connectors.errors import Rejected, Unavailable
from connectors.http import HttpClient, Limits

DUE, DUE_FOR = flow._DUE, flow._due_for  # noqa: SLF001 — what the guards leave as it is


class Tray:
    """Slack's side of a process: letters lie here until they are sent, or it is killed."""

    def __init__(self, desk, slack, kind=Messages):
        messages = kind(desk.database)
        places = Places(desk.service, messages, slack.workspace.channel_named("incidents").id)
        self.courier = Courier(web_client(slack.bot_token, slack.api_url), messages)
        self.letters = {}
        ways = Ways(outbox=self)
        surface = SlackSurface(desk.service, Buttons(desk.database), places, Looks(), ways)
        desk.service.watch(surface.watched)
        surface.resume(desk.clock.now())

    def put(self, letter):
        self.letters[letter.slot] = letter

    async def send(self):
        for letter in self.letters.values():
            await self.courier.deliver(letter)
        self.letters.clear()


class Cut(Messages):
    """The process is killed when the result is in Slack, before that is noted."""

    def sent(self, slot, ts, digest):
        if "/recovery/" in slot:
            raise Died
        super().sent(slot, ts, digest)


def posted(slack):
    """Return the harm of a result that people see more or less often than once."""
    ana = slack.person("ana")
    cards = ana.messages("incidents")
    texts = [m.text for card in cards for m in ana.messages("incidents", card.ts)]
    results = [text for text in texts if "What was done:" in text]
    return Outcome(None if len(results) == 1 else f"posted {len(results)} times", " ".join(results))


async def _result(folder, *, cut):
    """Leave what a kill leaves after the result, before or after its post; start anew, twice."""
    desk = Desk(folder / "firstline.db", approvers=Everybody(), kind=Restless, seen=False)
    async with judged(burst=None) as slack:
        async with desk.open():
            tray = Tray(desk, slack, Cut if cut else Messages)
            incident, _ = await desk.opened()
            await desk.requested(incident)
            await tray.send()
            await desk.approve(incident, desk.last(incident))
            if cut:
                with suppress(Died):
                    await tray.send()
        for _ in range(2):
            async with desk.open():
                await Tray(desk, slack).send()
        return posted(slack)


@attack(
    "34",
    "killed after the result is on record, before it is posted",
    "posted once after the restart",
    told="could not be measured",
    guards={"assistant.slack.surface.SlackSurface.resume": yes},
)
async def before_the_post(folder):
    return await _result(folder, cut=False)


@attack(
    "34b",
    "killed after the result is posted, before that is noted",
    "found in Slack, and not posted again",
    told="could not be measured",
    guards={"assistant.slack.courier.Courier._lost": nobody_objects},
)
async def after_the_post(folder):
    return await _result(folder, cut=True)


class Gateway:
    """A system over HTTP that answers the first order with `status`; `takes` whether it does it.

    `words` is what it says then, JSON unless they are given.
    """

    def __init__(self, status, *, takes, words="{}"):
        self.status, self.takes, self.words = status, takes, words
        self.orders = self.effects = 0

    async def order(self, _):
        self.orders += 1
        first = self.orders == 1
        if self.takes or not first:
            self.effects += 1
        words, status = (self.words, self.status) if first else ("{}", 200)
        return web.Response(text=words, status=status)

    @asynccontextmanager
    async def running(self):
        app = web.Application()
        app.router.add_post("/orders", self.order)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


class Remote(Restless):
    """Acts through a gateway."""

    gateway = url = None

    async def run(self, call, key):
        client = HttpClient(self.url, source="orders", limits=Limits(backoff_s=0))
        try:
            await client.post_json("/orders", {"key": key}, deadline_s=5.0)
        finally:
            await client.aclose()
            if self.gateway.effects:
                await super().run(call, key)
        return self.done[key]


http_question = http._Question  # noqa: SLF001 — a guard
SENT_AGAIN = {"connectors.http._Question": partial(http_question, attempts=3)}


async def _ordered(folder, gateway):
    async with gateway.running() as url, asked(folder, kind=Remote) as (desk, incident, tracked):
        desk.world.gateway, desk.world.url = gateway, url
        await desk.approve(incident, tracked)
        await desk.service.resume()
        await desk.service.settled(incident)
        return desk.last(incident)


@attack(
    "36",
    "the target says that it is too busy (429) before it takes the order",
    "not sent again: it is looked up, it did not happen, and people are asked",
    told="did not happen",
    guards=SENT_AGAIN,
)
async def too_busy(folder):
    gateway = Gateway(429, takes=False)
    tracked = await _ordered(folder, gateway)
    harm = "sent again, and nothing was checked again" if gateway.effects else None
    return Outcome(harm, tracked.why or "")


@attack(
    "36b",
    "a gateway says that the target is not there (503), and the target has taken the order",
    "not sent again: it is looked up, and done once",
    told="rerouted",
    guards=SENT_AGAIN,
)
async def taken_after_all(folder):
    gateway = Gateway(503, takes=True)
    tracked = await _ordered(folder, gateway)
    harm = None if gateway.effects == 1 else f"done {gateway.effects} times, not once"
    return Outcome(harm, tracked.outcome or "")


def _taken_for_a_no(**question):
    """Have what cannot be understood mean the same after an order as after a question."""
    return http_question(**{**question, "unread": Rejected})


@attack(
    "36c",
    "the target has taken the order, and what stands before it answers with a page (200)",
    "not told as not done: it is looked up, and done once",
    told="rerouted",
    guards={"connectors.http._Question": _taken_for_a_no},
)
async def answered_by_a_page(folder):
    gateway = Gateway(200, takes=True, words="<html>Sign in</html>")
    tracked = await _ordered(folder, gateway)
    known = tracked.status is not Status.FAILED
    return Outcome(None if known else "done, and told as not done", tracked.outcome or "")


NAMES = ("first", "second", "third", "fourth", "fifth")
PLAN = RemediationPlan(
    runbook="five-ways",
    title="Reroute five",
    match=1.0,
    why=(),
    steps=tuple(
        RemediationStep(
            kind="action",
            text=f"Reroute the {name}.",
            action="reroute",
            args=(("service", name), ("peer", "back")),
            command=None,
        )
        for name in NAMES
    ),
)
# What keeps a request from running by itself: it is not due, it may not start, it is not approved.
UNASKED = {
    "assistant.flow._due_for": lambda t: Stage.ACT if t.status is Status.PENDING else DUE_FOR(t),
    "assistant.actions.run.may_start": yes,
    "assistant.domain.requests._must": yes,
}


class Five(Restless):
    """Each service is a target of its own, and the third cannot be changed."""

    def __init__(self, clock, **more):
        super().__init__(clock, **more)
        self.moved = []

    async def preview(self, call):
        moved = self.moved.count(call.args["service"])
        return replace(await super().preview(call), state=f"moved {moved} times")

    async def run(self, call, key):
        if call.args["service"] == "third":
            raise Rejected("The third is locked.")
        self.moved.append(call.args["service"])
        return await super().run(call, key)


async def _third_fails(folder):
    """Have five steps asked for and three approved, of which the last one fails; stop there."""
    desk = Desk(folder / "firstline.db", approvers=Everybody(), kind=Five)
    async with desk.open():
        incident, _ = await desk.opened()
        desk.journal.append(incident, FIRSTLINE, [PlanProposed(plan=PLAN, seconds=0.0)])
    desk.seen = False  # what is measured is no part of this
    async with desk.open():
        for step in range(len(NAMES)):
            await desk.service.submit(RequestStep(incident=incident, step=step), ANA)
        for tracked in list(desk.service.incident(incident).requests.values())[:3]:
            await desk.approve(incident, tracked, BEN)
    return desk, incident


def _shown(desk, incident):
    """Return the cards of the requests by their order."""
    requests = desk.service.incident(incident).requests
    return [request_view(tracked, "@sre", requests) for tracked in requests.values()]


@attack(
    "45",
    "the third of five steps fails, and the others were asked for",
    "no later step runs without a yes of its own, and people see which one failed",
    told="Not done: The third is locked.",
    guards=UNASKED,
)
async def third_fails(folder):
    desk, incident = await _third_fails(folder)
    async with desk.open():
        await desk.service.resume()
        await desk.service.settled(incident)
        later = set(desk.world.moved) - set(NAMES[:2])
        third = _shown(desk, incident)[2]
        told = f"{third.title}: {third.happened[-1].text}"
        return Outcome(f"it went on with {', '.join(later)}" if later else None, told)


@attack(
    "45b",
    "the third of five steps fails, and nobody can measure what the first two have done",
    "taking them back is offered, as a request that needs a yes",
    told="Undo",
    guards={"assistant.requests_view._half_done": lambda *_: False},
)
async def half_a_plan(folder):
    desk, incident = await _third_fails(folder)
    async with desk.open():
        first = _shown(desk, incident)[0]
        offered = [button.label for button in first.buttons]
        before = list(desk.world.moved)
        await desk.service.submit(RequestUndo(incident=incident, request=first.id), ANA)
        await desk.service.settled(incident)
        undo = desk.last(incident)
        waits = undo.request.undo_of == first.id and undo.status is Status.PENDING
        alone = not waits or desk.world.moved != before
        harm = "it was taken back without a yes" if alone else None
        return Outcome(harm if offered else "half a plan stays as it is", " ".join(offered))


class NoWayBack(Restless):
    """What it has done cannot be taken back."""

    async def run(self, call, key):
        if self.calls:
            self.calls += 1
            raise Rejected("The way back is locked.")
        return await super().run(call, key)


class LostOnTheWayBack(Restless):
    """The connection breaks when it is to be taken back, and stays broken."""

    async def run(self, call, key):
        outcome = await super().run(call, key)
        if self.calls > 1:
            raise Unavailable("The connection broke.")
        return outcome

    async def probe(self, key):
        raise Unavailable("The connection is broken.")


async def _taken_back(folder, kind):
    """Do something, have it taken back, and go on after that."""
    async with asked(folder, kind=kind) as (desk, incident, tracked):
        await desk.approve(incident, tracked)
        undo = RequestUndo(incident=incident, request=tracked.request.id)
        await desk.service.submit(undo, ANA)
        await desk.approve(incident, desk.last(incident))
        await desk.service.resume()
        await desk.service.settled(incident)
        alarm = _shown(desk, incident)[-1].alarm
        tried = desk.world.calls - 1
        harm = None if tried == 1 else f"it was tried {tried} times to take it back"
        return Outcome(harm if alarm else "nobody is told to take over", alarm or "")


@attack(
    "46",
    "what was done cannot be taken back",
    "people are told to take over, in a note of its own; it is not tried again",
    told="was not taken back (The way back is locked)",
    guards={"assistant.requests_view._alarm": yes},
)
async def no_way_back(folder):
    return await _taken_back(folder, NoWayBack)


@attack(
    "46b",
    "the connection breaks while it is taken back, and nobody can look it up",
    "people are told that nobody knows; it is not tried again",
    told="nobody knows",
    guards={
        **UNCHANGED,
        "assistant.flow._DUE": {**DUE, Status.UNKNOWN: Stage.ACT},
        "assistant.domain.requests._must": yes,
        "assistant.journal.sql._intended": forgotten,
    },
)
async def lost_on_the_way_back(folder):
    return await _taken_back(folder, LostOnTheWayBack)
