"""Attacks through Slack itself: who clicks, what Slack tells twice, what looks like a card."""

from contextlib import asynccontextmanager
from functools import partial

from approvals import unchecked
from book import Outcome, attack
from office import Office
from scene import ONE, Restless, nobody_objects, once, ran, yes
from slackrig import judged
from targets import RETRIED

from assistant.requests_view import approve
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.people import Kind
from assistant.store.buttons import Buttons

APPROVE = "do:0"
LONG_S = 10  # without its guard, an attack takes as long


class Leaky(Restless):
    """A world in which something may happen while an action is previewed."""

    leak = None

    async def preview(self, call):
        if self.leak is not None:
            self.leak()
        return await super().preview(call)


@asynccontextmanager
async def office(folder, policy=None, **more):
    async with judged(burst=None) as slack:
        office = Office(folder, slack, policy, Leaky)
        async with office.running():
            incident, _ = await office.desk.opened()
            yield office, incident, await office.card(incident, **more)


UNKNOWN = {
    "assistant.slack.people._outside": lambda _: None,
    "assistant.slack.authz.SlackApprovers.refusal": nobody_objects,
}


async def pressed_by(folder, name, **flags):
    """Let somebody press Approve who is in the group and should not be there."""
    async with office(folder) as (here, incident, card):
        workspace = here.slack.workspace
        person = workspace.add_user(name, **flags)
        workspace.channel_named("incidents").members.append(person.id)
        next(iter(workspace.groups.values())).members.append(person.id)
        await here.slack.person(name).click("incidents", card.ts, APPROVE)
        await here.slack.wait_for(lambda: here.whispers(name))
        await here.over(incident)
        return ran(here.desk, incident)._replace(said=here.whispers(name))


@attack(
    "12",
    "a guest who was put into the group approves",
    "refused, and told so in private",
    told="eve is a guest",
    guards=UNKNOWN,
)
async def guest(folder):
    return await pressed_by(folder, "eve", restricted=True)


@attack(
    "12b",
    "somebody of another workspace who was put into the group approves",
    "refused, and told so in private",
    told="eve is from another workspace",
    guards=UNKNOWN,
)
async def stranger(folder):
    return await pressed_by(folder, "eve", team="T0ELSEWHERE")


@attack(
    "14",
    "Slack tells of one click three times more",
    "one approval, one effect",
    told="Approved",
    guards={
        **RETRIED,
        "assistant.store.inbox.Inbox.claim": lambda *_: True,
        "assistant.admission.may_decide": yes,
        "assistant.domain.requests._decided": unchecked,
    },
)
async def told_again(folder):
    async with office(folder) as (here, incident, card):
        first = await here.slack.person("ben").click("incidents", card.ts, APPROVE)
        for _ in range(3):
            await here.slack.deliver_raw("interactive", first.payload)
        await here.slack.wait_for(lambda: here.whispers("ben"))
        await here.over(incident)
        return once(here.desk, incident)._replace(said=here.whispers("ben"))


@attack(
    "53",
    "a question that looks like an approved card, and calls everybody",
    "shown as words: no button, nobody is called, nothing runs",
    told="Approved by ben",
    guards={"assistant.slack.blocks.card.escape": lambda text, *_: text},
)
async def forged_card(folder):
    async with office(folder) as (here, incident, _):
        say = "<!channel> *Approved by ben* <https://evil.example|Approve>"
        await here.slack.person("cleo").say("incidents", f"@firstline {say}")
        await here.slack.wait_for(lambda: "INC-2" in here.shown())
        await here.over("INC-2")
        said = here.shown()
        broken = [r for r in here.slack.broken_rules(burst=None) if "called" in r or "leads" in r]
        return Outcome(broken[0] if broken else ran(here.desk, incident).harm, said)


@attack(
    "39",
    "Slack is down after the yes",
    "done once, and told when Slack is back",
    told="What was done:",
    guards={"assistant.slack.courier.passing": lambda _: False},
)
async def slack_down(folder):
    async with office(folder) as (here, incident, card):
        writing = ("chat.postMessage", "chat.update")
        here.slack.faults.add(
            *(Fault(method=name, failure=Failure.ERROR) for name in (*writing, *writing))
        )
        await here.slack.person("ben").click("incidents", card.ts, APPROVE)
        await here.slack.wait_for(lambda: here.desk.world.calls)
        await here.over(incident)
        try:
            await here.slack.wait_for(lambda: "What was done:" in here.shown(), LONG_S)
        except TimeoutError:
            return Outcome("nobody is told what came of it", here.shown())
        return once(here.desk, incident)._replace(said=here.shown())


@attack(
    "57",
    "an action of high risk is approved by a click, without opening what it would do",
    "refused: the name of the target has to be typed",
    told="type front, the name of its target",
    guards={"assistant.admission.unread": yes},
)
async def unread_yes(folder):
    async with office(folder, ONE, action="return") as (here, incident, _):
        # A card of an older firstline: its button is the yes itself.
        request = here.desk.last(incident).request
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Approve"},
            "action_id": APPROVE,
            "value": Buttons(here.desk.database).token(approve(request), incident),
        }
        blocks = [{"type": "actions", "elements": [button]}]
        old = await here.client.chat_postMessage(
            channel=here.channel.id, text="x", blocks=blocks, unfurl_links=False, unfurl_media=False
        )
        await here.slack.person("ben").click("incidents", old["ts"], APPROVE)
        await here.slack.wait_for(lambda: here.whispers("ben"))
        await here.over(incident)
        return ran(here.desk, incident)._replace(said=here.whispers("ben"))


@attack(
    "54",
    "an administrator deletes the card of a request that waits",
    "posted again; the approval still binds to the digest",
    told="Approval needed",
    guards={"assistant.slack.listeners.gone.waiting_at": yes},
)
async def deleted_card(folder):
    async with office(folder) as (here, incident, card):
        admin = here.slack.workspace.add_user("ada", admin=True)
        here.channel.members.append(admin.id)
        here.slack.person("ada").delete("incidents", card.ts)
        try:
            again = await here.slack.wait_for(partial(here.waiting, "ben"), LONG_S)
        except TimeoutError:
            return Outcome("a request waits that nobody sees", here.shown())
        told = here.shown()
        await here.slack.person("ben").click("incidents", again.ts, APPROVE)
        await here.slack.wait_for(lambda: here.whispers("ben"))
        await here.over(incident)
        return once(here.desk, incident)._replace(said=told)


def shared(channel):
    """Let another organisation into a channel."""
    channel.foreign = True


def published(channel):
    """Let everybody of the workspace into a channel."""
    channel.kind = Kind.PUBLIC


@attack(
    "55",
    "a channel is shared with another organisation while a request waits, then it is approved",
    "refused at the click",
    told="shared with another organisation since the request",
    guards={"assistant.actions.audience.widened": yes},
)
async def shared_channel(folder):
    async with office(folder) as (here, incident, card):
        shared(here.channel)
        await here.slack.person("ben").click("incidents", card.ts, APPROVE)
        await here.slack.wait_for(lambda: here.whispers("ben"))
        await here.over(incident)
        return ran(here.desk, incident)._replace(said=here.whispers("ben"))


@attack(
    "55b",
    "a private channel is made public while a request waits, and firstline starts anew in between",
    "refused at the click",
    told="public since the request",
    guards={"assistant.actions.audience.widened": yes},
)
async def public_channel(folder):
    async with judged(burst=None, excused=["acknowledged"]) as slack:
        here = Office(folder, slack, kind=Leaky)
        here.channel.kind = Kind.PRIVATE
        async with here.running():
            incident, _ = await here.desk.opened()
            card = await here.card(incident)
        published(here.channel)
        async with here.running():
            await slack.person("ben").click("incidents", card.ts, APPROVE)
            await slack.wait_for(lambda: here.whispers("ben"))
            await here.over(incident)
            return ran(here.desk, incident)._replace(said=here.whispers("ben"))


@attack(
    "55c",
    "a channel is shared between the yes and the start",
    "not started",
    told="shared with another organisation since the request",
    guards={"assistant.flow.wider": nobody_objects},
)
async def shared_in_between(folder):
    async with office(folder) as (here, incident, card):
        here.desk.world.leak = partial(shared, here.channel)
        await here.slack.person("ben").click("incidents", card.ts, APPROVE)
        await here.slack.wait_for(lambda: here.whispers("ben"))
        await here.over(incident)
        return ran(here.desk, incident)
