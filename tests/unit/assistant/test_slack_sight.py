"""What is worked on in private is only a number to others, and outsiders see nothing at all."""

from datetime import timedelta

import pytest
from acting import BEN, request
from conversing import labelled, words
from slackdesk import LOOKS, Rig
from slackrig import judged
from written import NOON

from assistant.domain.events import ActionRequested, Opened, ReadPerformed
from assistant.slack.local.faults import Outage
from assistant.slack.local.people import Kind

READ = ReadPerformed(
    source="tempo", capability="spans", rows=9, seconds=0.1, complete=True, query="q", link=None
)
ASK, HIDDEN = "Roll ledger back", "INC-1: in a private channel"


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack, channel=slack.workspace.channel_named("incidents").id)


async def secret(rig, channel=None):
    """Have an incident with a waiting request in a private channel of ana's; it is `channel`."""
    people = rig.slack.workspace
    ana = people.user_named("ana")
    where = channel or people.add_channel("secret", [ana, people.bot], kind=Kind.PRIVATE)
    now = rig.clock.now()
    made = request(created=now, expires=now + timedelta(minutes=15), requested_by=BEN, demo=True)
    await rig.desk.happen(
        "INC-1",
        Opened(at=NOON, text="the merger leaks", service=None, place=where.id),
        READ,
        ActionRequested(request=made, digest=made.digest),
    )
    return where


async def at_home(rig, who):
    person = rig.slack.person(who)
    await person.open_home()
    return (await rig.slack.wait_for(person.home)).content


async def status(rig, who, channel="incidents", *, typed=True):
    person = rig.slack.person(who)
    before = len(person.messages(channel))
    if typed:
        await person.slash("/firstline", "status", channel)
    else:
        await person.say(channel, "@firstline status")
    whispers = await rig.slack.wait_for(
        lambda: [m.text for m in person.messages(channel)[before:] if m.only_for]
    )
    return whispers[-1]


async def test_a_guest_sees_one_sentence_on_the_home_tab(rig):
    async with rig.running():
        await rig.desk.happen("INC-1", Opened(at=NOON, text="booking fails", service=None))
        seen = await at_home(rig, "gus")
        assert "only members of this workspace" in words(seen)
        assert len(seen["blocks"]) == 1


async def test_the_home_tab_tells_what_is_private_to_members_of_its_channel_alone(rig):
    async with rig.running():
        await secret(rig)
        ana, ben = await at_home(rig, "ana"), await at_home(rig, "ben")
        for part in ("the merger leaks", ASK, "tempo spans"):
            assert part in words(ana)
            assert part not in words(ben)
        assert "INC-1 : in a private channel" in words(ben)
        assert labelled(ana["blocks"], "Approve") is not None
        assert labelled(ben["blocks"], "Approve") is None


@pytest.mark.parametrize("typed", [True, False])
async def test_status_tells_what_is_private_to_members_of_its_channel_alone(rig, typed):
    async with rig.running():
        await secret(rig)
        assert "the merger leaks" in await status(rig, "ana", typed=typed)
        assert await status(rig, "ben", typed=typed) == HIDDEN


async def test_where_slack_does_not_say_whether_it_is_private_it_is(rig):
    async with rig.running():
        await rig.desk.happen(
            "INC-1", Opened(at=NOON, text="booking fails", service=None, place=rig.channel)
        )
        away = Outage(methods=frozenset({"conversations.info"}), sockets=False)
        with rig.slack.faults.standing(away):
            assert await status(rig, "cleo", "general") == HIDDEN
        assert "booking fails" in await status(rig, "cleo", "general")


async def test_where_slack_does_not_say_who_is_in_a_channel_nobody_is(rig):
    async with rig.running():
        await secret(rig)
        away = Outage(methods=frozenset({"conversations.members"}), sockets=False)
        with rig.slack.faults.standing(away):
            assert await status(rig, "ana") == HIDDEN
            assert "the merger leaks" in await status(rig, "ana", "secret")  # it is typed there


async def test_what_was_asked_in_direct_messages_is_seen_by_who_asked(rig):
    people = rig.slack.workspace
    async with rig.running():
        await secret(rig, people.direct(people.user_named("ana").id, people.bot.id))
        assert "the merger leaks" in words(await at_home(rig, "ana"))
        assert "the merger leaks" in await status(rig, "ana", "@firstline")
        ben = words(await at_home(rig, "ben"))
        assert "INC-1 : in a private channel" in ben
        assert "the merger leaks" not in ben
