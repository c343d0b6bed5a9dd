"""Attacks on what an action is done to: a target that moved, odd arguments, crashes in the act."""

import asyncio
from dataclasses import replace

from book import Outcome, attack
from desk import CALL, Desk
from scene import (
    ONE,
    Everybody,
    Restless,
    allows,
    asked,
    fresh,
    nobody_objects,
    once,
    pushed,
    ran,
    yes,
)
from world import ANA, BEN, World, action

from assistant.commands import Approve, RequestAction
from assistant.domain.action import Approval, Status
from assistant.domain.events import ActionStarted, Approved
from assistant.domain.people import FIRSTLINE
from assistant.domain.recovery import Effect
from assistant.flow import Stage
from connectors.actions import Args
from connectors.errors import Rejected, Unavailable


def forgotten(connection, request):
    """Make room for a second intent."""
    connection.execute("DROP TRIGGER IF EXISTS intent_kept")
    connection.execute("DELETE FROM intent WHERE request = ?", (request,))
    return False


UNCHANGED = {"assistant.actions.run._changed": lambda *_: None}
AGAIN = {Status.APPROVED: Stage.ACT, Status.STARTED: Stage.ACT, Status.UNKNOWN: Stage.ACT}
RETRIED = {
    "assistant.flow._DUE": AGAIN,
    "assistant.domain.requests._done": lambda known, _: known,
    "assistant.journal.sql._intended": forgotten,
    "assistant.actions.run.may_start": yes,
    **UNCHANGED,
}


@attack(
    "5",
    "the action's code is upgraded between yes and start",
    "asked for again",
    told="itself has changed",
    guards=UNCHANGED,
)
async def upgraded(folder):
    desk = Desk(folder / "firstline.db", approvers=Everybody(), kind=Restless, seen=False)
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
    desk.world.specs = tuple(replace(s, summary=f"{s.summary}, all") for s in desk.world.specs)
    async with desk.open():
        return ran(desk, incident, await desk.approve(incident, desk.last(incident)))


@attack(
    "22",
    "the target changes after it was shown",
    "stale: asked for again",
    told="has changed since this was shown",
    guards=UNCHANGED,
)
async def target_changed(folder):
    async with asked(folder) as (desk, incident, tracked):
        desk.world.state = "somebody was here"
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "23",
    "the target is deleted and made again under its name",
    "stale: asked for again",
    told="has changed since this was shown",
    guards=UNCHANGED,
)
async def made_again(folder):
    async with asked(folder) as (desk, incident, tracked):
        desk.world.state = f"{desk.world.state} uid=7f3a"
        return ran(desk, incident, await desk.approve(incident, tracked))


class Blind(Restless):
    """Says nothing of what it would do."""

    async def preview(self, call):
        raise Rejected("There is no such way.")


@attack(
    "24",
    "what it would do cannot be shown",
    "not asked for at all",
    told="There is no such way",
    guards={"targets.Blind.preview": World.preview},
)
async def no_preview(folder):
    async with fresh(folder, kind=Blind) as (desk, incident):
        return await pushed(desk, incident)


@attack(
    "25",
    "more would be touched at the start than was shown",
    "refused: asked for again",
    told="it would touch 60 of 100 now",
    guards=UNCHANGED,
)
async def wider(folder):
    async with asked(folder, policy=ONE) as (desk, incident, tracked):
        desk.world.touches = 60
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "25b",
    "more would be touched than the policy allows at once",
    "refused",
    told="more than 20 things",
    guards={"assistant.actions.judge.decide": allows},
)
async def too_wide(folder):
    async with fresh(folder) as (desk, incident):
        desk.world.touches = 21
        return await pushed(desk, incident)


@attack(
    "25c",
    "others would feel it at the start than were shown",
    "refused: asked for again",
    told="what else feels it has changed",
    guards=UNCHANGED,
)
async def felt_by_others(folder):
    async with asked(folder) as (desk, incident, tracked):
        desk.world.blast = "all its calls, and those of all who share its pool"
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "26",
    "what was selected is nothing any more",
    "refused",
    told="it would touch 0 of 100 now",
    guards=UNCHANGED,
)
async def nothing_selected(folder):
    async with asked(folder) as (desk, incident, tracked):
        desk.world.touches = 0
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "27",
    "two incidents act on one target at once",
    "one after the other",
    told="works on service/front right now",
    guards={"assistant.service.busy_targets": lambda *_: {}},
)
async def two_at_once(folder):
    async with asked(folder) as (desk, incident, tracked):
        desk.world.halt = asyncio.Event()
        command = Approve(
            incident=incident, request=tracked.request.id, digest=tracked.request.digest
        )
        await desk.service.submit(command, BEN)
        other, _ = await desk.opened()
        answer, second = await desk.requested(other)
        desk.world.halt.set()
        return Outcome("both were let in" if second is not None else None, answer.said)


@attack(
    "27b",
    "two incidents ask for one action before either is approved, and both get their yes at once",
    "one of them acts",
    told="works on service/front right now",
    guards={
        "assistant.admission.taken": lambda *_: None,
        "assistant.actions.run.taken": lambda *_: None,
        **UNCHANGED,
    },
)
async def both_approved(folder):
    async with asked(folder) as (desk, incident, tracked):
        other, _ = await desk.opened()
        await desk.requested(other)
        desk.world.halt = asyncio.Event()
        pairs = ((incident, tracked), (other, desk.last(other)))
        orders = [
            Approve(incident=where, request=asking.request.id, digest=asking.request.digest)
            for where, asking in pairs
        ]
        answers = await asyncio.gather(*(desk.service.submit(order, BEN) for order in orders))
        desk.world.halt.set()
        for where, _ in pairs:
            await desk.service.settled(where)
        said = [a.said for a in answers] + [desk.last(where).why or "" for where, _ in pairs]
        harm = None if desk.world.calls == 1 else f"done {desk.world.calls} times, not once"
        return Outcome(harm, " ".join(said))


@attack(
    "28",
    "the opposite action waits and is approved after the first has run",
    "stale: asked for again",
    told="has changed since this was shown",
    guards=UNCHANGED,
)
async def opposites(folder):
    async with asked(folder, policy=ONE) as (desk, incident, first):
        wanted = RequestAction(incident=incident, action="return", args=CALL)
        await desk.service.submit(wanted, ANA)
        second = desk.last(incident)
        await desk.approve(incident, first)
        done = desk.world.calls
        answer = await desk.approve(incident, second)
        tracked = desk.service.incident(incident).requests[second.request.id]
        harm = "the second ran on a state that nobody saw" if desk.world.calls > done else None
        return Outcome(harm, f"{answer.said} {tracked.why or ''}")


async def _crashed(folder, *, started, done):
    """Leave what a crash leaves after the approval, the intent or the effect, and start anew."""
    desk = Desk(folder / "firstline.db", approvers=Everybody(), kind=Restless, seen=False)
    async with desk.open():
        incident, _ = await desk.opened()
        await desk.requested(incident)
        request = desk.last(incident).request
        given = Approval(digest=request.digest, by=BEN, at=desk.clock.now())
        desk.journal.append(incident, BEN, [Approved(request=request.id, approval=given)])
        if started:
            begun = ActionStarted(request=request.id, digest=request.digest, at=desk.clock.now())
            intent = (request.id, request.digest)
            desk.journal.append(incident, FIRSTLINE, [begun], intent=intent)
        if done:
            await desk.world.run(request.call, request.id)
    async with desk.open():
        await desk.service.resume()
        await desk.service.settled(incident)
        return once(desk, incident) if done or not started else ran(desk, incident)


@attack(
    "31",
    "killed after the yes, before the intent",
    "done once after the restart",
    told="",
    guards={"assistant.service.Service.resume": nobody_objects},
)
async def before_the_intent(folder):
    return await _crashed(folder, started=False, done=False)


@attack(
    "32",
    "killed after the intent, before the effect",
    "looked up: it did not happen, and people are asked",
    told="did not happen",
    guards=RETRIED,
)
async def before_the_effect(folder):
    return await _crashed(folder, started=True, done=False)


@attack(
    "33",
    "killed after the effect, before its record",
    "looked up: it happened, once",
    told="",
    guards=RETRIED,
)
async def after_the_effect(folder):
    return await _crashed(folder, started=True, done=True)


class Breaking(Restless):
    """Does it, and then the connection breaks; nobody can look it up."""

    async def run(self, call, key):
        await super().run(call, key)
        raise Unavailable("The connection broke.")

    async def probe(self, key):
        raise Unavailable("The connection is broken.")


@attack(
    "35",
    "the connection breaks after the action was sent",
    "nobody knows, and it is not sent again",
    told="The connection broke",
    guards=RETRIED,
)
async def sent_and_gone(folder):
    async with asked(folder, kind=Breaking) as (desk, incident, tracked):
        await desk.approve(incident, tracked)
        await desk.service.resume()
        await desk.service.settled(incident)
        return once(desk, incident)


@attack(
    "47",
    "the action is done and does not help",
    "told as no effect, never as success",
    told="as large as before",
    guards={"assistant.engine.recovery._judge": lambda *_: (Effect.RECOVERED, "it is well")},
)
async def no_help(folder):
    async with asked(folder, helps=False, seen=True) as (desk, incident, tracked):
        await desk.approve(incident, tracked)
        recovery = desk.last(incident).recovery
        harm = "it was called a success" if recovery.effect is Effect.RECOVERED else None
        return Outcome(harm, recovery.why)


ODD = (
    "front; reboot",
    "--kubeconfig=other",
    "a\nb",
    "fr\u043ent",
    "a\0",
    "../../etc",
    "prod ",
    "",
)


class AnyText(Args):
    """Arguments that their author did not narrow down."""

    service: str
    peer: str


class Loose(Restless):
    """Takes any text."""

    specs = (replace(action("reroute"), args=AnyText),)


@attack(
    "50",
    "arguments with shell signs, options, line breaks, look-alike letters, NUL, blanks",
    "each refused before anything is shown",
    told="cannot be called like this",
    guards={"assistant.actions.catalogue.odd": yes},
)
async def odd_arguments(folder):
    async with fresh(folder, kind=Loose) as (desk, incident):
        answers = [
            (await desk.requested(incident, args={"service": odd, "peer": "back"}))[0]
            for odd in ODD
        ]
        let_in = [a.said for a in answers if not a.refused]
        return Outcome(f"{len(let_in)} were let in" if let_in else None, answers[0].said)


@attack(
    "51",
    "an argument that climbs out of its folder, or is not of the listed values",
    "refused before anything is shown",
    told="cannot be called like this",
    guards={"assistant.actions.catalogue.odd": yes},
)
async def climbing(folder):
    async with fresh(folder, kind=Loose) as (desk, incident):
        args = {"service": "apps/../../secrets", "peer": "back"}
        answer, tracked = await desk.requested(incident, args=args)
        return Outcome("it was let in" if tracked is not None else None, answer.said)


@attack(
    "60",
    "a secret is given as an argument",
    "refused: arguments are shown and kept",
    told="looks like a secret",
    guards={"assistant.actions.catalogue.odd": yes},
)
async def secret(folder):
    async with fresh(folder, kind=Loose) as (desk, incident):
        token = "".join(["AKIA", "IOSFODNN7EXAMPLE"])
        answer, tracked = await desk.requested(incident, args={"service": token, "peer": "back"})
        told = "it is in the answer" if token in answer.said else None
        return Outcome("it was let in" if tracked is not None else told, answer.said)
