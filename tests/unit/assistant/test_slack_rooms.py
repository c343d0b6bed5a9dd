"""An incident's own channel: made once, furnished once, and where everything is shown from then."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from acting import ASKED, REQUEST
from slackdesk import LOOKS, SCOPES, Rig
from slackrig import judged
from written import NOON, PLAN, finding

from assistant.answer import Answer
from assistant.clock import SystemClock
from assistant.commands import Approve, Investigate, Move, Steer
from assistant.domain.events import Closed, HypothesesRanked, Opened, PlanProposed
from assistant.domain.incident import apply
from assistant.domain.shown import Moved
from assistant.slack.chores import topic
from assistant.slack.local.faults import Failure, Fault, Outage
from assistant.slack.local.methods.conversations import name_refusal
from assistant.slack.local.people import Kind
from assistant.slack.rooms import OFF, names

NAME = "inc-001-booking-fails"
NOW = SystemClock().now()


@pytest.fixture
async def slack():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield slack


class Roomy(Rig):
    """A rig that allows incidents their own channels."""

    allowed = True

    def build(self):
        whole = super().build()
        return replace(whole, connection=replace(whole.connection, own_channels=self.allowed))

    def room(self):
        return self.slack.workspace.channel_named(NAME)

    def shown(self, who="ana", name=NAME):
        room = self.slack.workspace.channel_named(name)
        first = self.slack.person(who).messages(room.id)
        return [m for one in first for m in self.slack.person(who).messages(room.id, one.ts)]


@pytest.fixture
def rig(slack):
    return Roomy(slack)


async def opened(rig, who="ana"):
    ts = await rig.slack.person(who).say("incidents", "@firstline booking fails")
    await rig.slack.wait_for(lambda: rig.desk.taken)
    command, _ = rig.desk.taken.pop()
    begun = Opened(at=NOW, text=command.text, service="front", place=command.place)
    await rig.desk.happen("INC-1", begun)
    await rig.slack.wait_for(lambda: rig.tables.messages.get("INC-1/card"))
    await rig.slack.wait_for(lambda: len(rig.messages(thread=ts)) == 2)
    return ts


async def asked(rig, ts, who="ana"):
    """Let somebody ask for the channel; returns the command that came of it."""
    await rig.slack.person(who).say("incidents", "@firstline channel", thread=ts)
    await rig.slack.wait_for(lambda: rig.desk.taken)
    return rig.desk.taken.pop()


async def moved(rig, ts):
    command, actor = await asked(rig, ts)
    await rig.desk.happen("INC-1", Moved(by=actor, place=command.place, shown=command.shown))
    return command


def answers(rig, who="ana", thread=None):
    return [m.text for m in rig.messages(who, thread) if m.only_for]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Booking fails!", "inc-007-booking-fails"),
        ("Größe über <!channel>", "inc-007-groe-uber-channel"),
        ("日本", "inc-007"),
        ("word " * 30, "inc-007-word-word-word-word-word-word-word-word"),
        ("x" * 200, "inc-007-" + "x" * 40),
    ],
)
def test_a_name_says_what_is_wrong_in_signs_that_slack_takes(text, name):
    all_names = list(names("INC-7", text))
    assert all_names[0] == name
    assert all_names[1] == f"{name}-2"
    assert [refusal for one in all_names if (refusal := name_refusal(one))] == []


def test_a_topic_says_state_and_cause_and_is_never_too_long():
    state = apply(None, Opened(at=NOON, text="booking fails", service="front"))
    assert topic("INC-1", state, LOOKS) == "INC-1 · looking"
    state = apply(state, HypothesesRanked(finding=finding(), seconds=0.2))
    assert re.fullmatch(r"INC-1 · open · Likely \(0\.90\): .+", topic("INC-1", state, LOOKS))
    assert 200 < len(topic("INC-1", replace(state, merged_into="x" * 300), LOOKS)) <= 250
    assert 200 < len(topic("INC-1", replace(state, merged_into="<" * 300), LOOKS)) <= 250


async def test_an_incident_gets_a_channel_with_those_who_take_part(rig):
    async with rig.running():
        ts = await opened(rig)
        await rig.slack.person("ben").say("incidents", "I see it too", thread=ts)
        await rig.slack.person("gus").say("incidents", "me too", thread=ts)
        command, actor = await asked(rig, ts)
        room = rig.room()
        assert command == Move(incident="INC-1", place=room.id, shown=f"#{NAME}")
        assert actor.name == "ana"
        assert room.kind is Kind.PUBLIC
        names_in = [rig.slack.workspace.users[user].name for user in room.members]
        assert sorted(names_in) == ["ana", "ben", "firstline"]  # no guest, nobody else


async def test_of_whom_slack_says_nothing_is_not_invited(rig):
    async with rig.running():
        ts = await opened(rig)
        for who in ("ben", "gus"):
            await rig.slack.person(who).say("incidents", "me too", thread=ts)
        away = Outage(methods=frozenset({"users.info"}), sockets=False)
        with rig.slack.faults.standing(away):
            await asked(rig, ts)
        names_in = [rig.slack.workspace.users[user].name for user in rig.room().members]
        assert sorted(names_in) == ["ana", "firstline"]  # who asked, and no guest


async def test_after_the_move_everything_is_shown_there_and_the_thread_leads_there(rig):
    async with rig.running():
        ts = await opened(rig)
        await rig.desk.happen(
            "INC-1",
            HypothesesRanked(finding=finding(), seconds=0.2),
            PlanProposed(plan=PLAN, seconds=0.1),
            ASKED,
        )
        await rig.slack.wait_for(lambda: "do:" in str(rig.messages(thread=ts)[-1].blocks))
        await moved(rig, ts)
        await rig.slack.wait_for(lambda: len(rig.shown()) >= 2)
        card, request = rig.shown()[:2]
        assert ("Likely" in card.text, card.thread) == (True, None)
        assert ("Approval needed" in request.text, request.thread) == (True, card.ts)
        note = await rig.slack.wait_for(
            lambda: next((m for m in rig.messages(thread=ts) if "is followed in" in m.text), None)
        )
        assert note.text == f"INC-1 is followed in #{NAME}."
        await rig.slack.wait_for(
            lambda: not any("do:" in str(m.blocks) for m in rig.messages(thread=ts))
        )
        await rig.slack.wait_for(lambda: str(rig.messages(thread=ts)).count(rig.room().id) >= 3)
        await rig.slack.person("ben").click(rig.room().id, request.ts, "do:0")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        yes, _ = rig.desk.taken.pop()
        assert yes == Approve(incident="INC-1", request=REQUEST.id, digest=REQUEST.digest)


async def test_what_is_said_in_the_channel_or_in_the_old_thread_is_about_the_incident(rig):
    async with rig.running():
        ts = await opened(rig)
        await moved(rig, ts)
        await rig.slack.person("ana").say(rig.room().id, "not the database")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        await rig.slack.person("ana").say(rig.room().id, "@firstline it began at 13:50")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        await rig.slack.person("ana").say("incidents", "ignore v2", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 3)
        taken = [command for command, _ in rig.desk.taken]
        assert [type(command) for command in taken] == [Steer, Steer, Steer]
        assert {command.incident for command in taken} == {"INC-1"}


async def test_what_is_said_in_the_channel_is_taken_in_order_and_holds_up_nobody_else(rig):
    async with rig.running():
        await moved(rig, await opened(rig))
        ana = rig.slack.person("ana")
        rig.desk.hold = asyncio.Event()
        await ana.say(rig.room().id, "not the database")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        card = rig.slack.person("ana").messages(rig.room().id)[0]
        await ana.say(rig.room().id, "ignore v2", thread=card.ts)
        await ana.say(rig.room().id, "look at ledger")
        await ana.say("incidents", "@firstline mail is late")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) > 1)
        said = [command.text for command, _ in rig.desk.taken]
        assert said == ["not the database", "mail is late"]
        rig.desk.hold.set()
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 4)
        assert [c.text for c, _ in rig.desk.taken][2:] == ["ignore v2", "look at ledger"]


async def test_once_it_is_over_a_question_in_its_channel_begins_another_incident(rig):
    async with rig.running():
        ts = await opened(rig)
        _, actor = await asked(rig, ts)
        room = rig.room()
        await rig.desk.happen(
            "INC-1",
            Moved(by=actor, place=room.id, shown=f"#{NAME}"),
            Closed(by=actor, at=NOW, reason="done"),
        )
        ana = rig.slack.person("ana")
        again = await ana.say(room.id, "@firstline mail is late")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, _ = rig.desk.taken.pop()
        assert (type(command), command.text) == (Investigate, "mail is late")
        assert command.place == f"{room.id}/{again}"
        for text in ("not the database", "@firstline since 14:02", "@firstline reopen"):
            await ana.say(room.id, text)
        await ana.say("incidents", "@firstline it is there again", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 4)
        taken = [command for command, _ in rig.desk.taken]
        assert sorted(type(command).__name__ for command in taken) == ["Reopen", *["Steer"] * 3]


async def test_the_channel_is_furnished_once_and_its_topic_kept_up_to_date(rig):
    async with rig.running():
        ts = await opened(rig)
        await moved(rig, ts)
        room = rig.room()
        await rig.slack.wait_for(lambda: room.pins and room.bookmarks and room.topic)
        card = rig.shown()[0]
        assert room.pins == [card.ts]
        assert [mark["title"] for mark in room.bookmarks] == ["INC-1 card"]
        assert card.ts.replace(".", "") in room.bookmarks[0]["link"]
        assert room.topic == "INC-1 · looking"
        await rig.desk.happen("INC-1", HypothesesRanked(finding=finding(), seconds=0.2))
        noted = rig.tables.messages.get
        await rig.slack.wait_for(
            lambda: "Likely" in room.topic and noted("INC-1/topic").state == "sent"
        )
    async with rig.running():
        await rig.settled()
        await rig.desk.happen("INC-1", PlanProposed(plan=PLAN, seconds=0.1))
        await rig.slack.wait_for(lambda: "Plan" in str(rig.shown()[0].blocks))
        made = [call.method for call in rig.slack.office.calls if not call.error]
        assert (made.count("pins.add"), made.count("bookmarks.add")) == (1, 1)
        assert made.count("conversations.setTopic") == 2


@pytest.mark.parametrize("lost", ["bookmarks.add", "pins.add", "conversations.setTopic"])
async def test_a_lost_answer_makes_nothing_twice(rig, lost):
    async with rig.running():
        ts = await opened(rig)
        rig.slack.faults.add(Fault(method=lost, failure=Failure.LOST_ANSWER))
        await moved(rig, ts)
        room = rig.room()
        slots = ("INC-1/topic", "INC-1/pin", "INC-1/bookmark")
        get = rig.tables.messages.get
        await rig.slack.wait_for(
            lambda: all(get(slot) and get(slot).state == "sent" for slot in slots)
        )
        assert (len(room.pins), len(room.bookmarks), room.topic) == (1, 1, "INC-1 · looking")


async def test_a_channel_whose_answer_was_lost_is_found_when_somebody_asks_again(rig):
    async with rig.running():
        ts = await opened(rig)
        rig.slack.faults.add(Fault(method="conversations.create", failure=Failure.LOST_ANSWER))
        await rig.slack.person("ana").say("incidents", "@firstline channel", thread=ts)
        (said,) = await rig.slack.wait_for(lambda: answers(rig, thread=ts))
        assert said.startswith("There is no channel for INC-1, and the thread goes on. Slack did")
        made = rig.room()
        command, _ = await asked(rig, ts)
        assert command.place == made.id
        assert [c.name for c in rig.slack.workspace.channels.values() if "inc-" in c.name] == [NAME]


async def test_a_crash_before_the_move_makes_no_second_channel(rig):
    async with rig.running():
        ts = await opened(rig)
        first, _ = await asked(rig, ts)
    async with rig.running():
        again, _ = await asked(rig, ts)
        assert again == first
        made = [c for c in rig.slack.office.calls if c.method == "conversations.create"]
        assert len(made) == 1


async def test_a_name_that_is_taken_gets_a_number(rig):
    ana = rig.slack.workspace.user_named("ana")
    rig.slack.workspace.add_channel(NAME, [ana])
    async with rig.running():
        ts = await opened(rig)
        command, _ = await asked(rig, ts)
        assert command.shown == f"#{NAME}-2"


async def test_a_channel_of_an_earlier_life_is_not_taken_for_this_one(rig):
    bot = rig.slack.workspace.bot
    long_ago = int((NOW - timedelta(days=9)).timestamp())
    rig.slack.workspace.add_channel(NAME, [bot], created=long_ago)
    rig.tables.messages.intend("INC-1/channel", NAME, None, "x")  # died before trying another
    async with rig.running():
        ts = await opened(rig)
        command, _ = await asked(rig, ts)
        assert command.shown == f"#{NAME}-2"


async def test_a_workspace_that_lets_nobody_make_channels_keeps_the_thread(rig):
    rig.slack.workspace.channels_by_admins = True
    async with rig.running():
        ts = await opened(rig)
        await rig.slack.person("ana").say("incidents", "@firstline channel", thread=ts)
        (said,) = await rig.slack.wait_for(lambda: answers(rig, thread=ts))
        assert said == (
            "There is no channel for INC-1, and the thread goes on. This workspace does not let me "
            "make channels (restricted_action)."
        )
        assert rig.desk.taken == []


async def test_without_the_scopes_the_thread_goes_on_and_without_the_setting_too():
    few = frozenset(SCOPES - {"channels:manage"})
    async with judged(hosts=LOOKS.hosts, burst=None, scopes=few) as slack:
        rig = Roomy(slack)
        async with rig.running():
            ts = await opened(rig)
            await slack.person("ana").say("incidents", "@firstline channel", thread=ts)
            (said,) = await slack.wait_for(lambda: answers(rig, thread=ts))
            assert "the scope channels:manage is missing" in said
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        rig = Roomy(slack)
        rig.allowed = False
        async with rig.running():
            ts = await opened(rig)
            await slack.person("ana").say("incidents", "@firstline channel", thread=ts)
            assert await slack.wait_for(lambda: answers(rig, thread=ts)) == [OFF]
            assert rig.room() is None


async def test_pins_and_bookmarks_are_left_out_where_they_are_not_granted():
    few = frozenset(SCOPES - {"pins:write", "bookmarks:write"})
    async with judged(hosts=LOOKS.hosts, burst=None, scopes=few) as slack:
        rig = Roomy(slack)
        async with rig.running():
            ts = await opened(rig)
            await moved(rig, ts)
            await slack.wait_for(lambda: len(rig.shown()) == 1 and rig.room().topic)
            assert (rig.room().pins, rig.room().bookmarks) == ([], [])


async def test_a_second_wish_and_a_wish_outside_of_an_incident_are_answered(rig):
    async with rig.running():
        ts = await opened(rig)
        await moved(rig, ts)
        await rig.slack.person("ben").say("incidents", "@firstline channel", thread=ts)
        said = await rig.slack.wait_for(lambda: answers(rig, "ben", ts))
        assert said == [f"INC-1 is followed in #{NAME} already."]
        await rig.slack.person("ben").say("incidents", "@firstline channel")
        said = await rig.slack.wait_for(lambda: answers(rig, "ben"))
        assert said == ['Say "channel" in the thread of the incident that you mean.']


async def test_the_form_opens_the_incident_and_its_channel(rig):
    async with rig.running():
        ana = rig.slack.person("ana")
        begun = Opened(at=NOW, text="booking fails", service=None, place=rig.channel)
        await rig.desk.happen("INC-1", begun)
        rig.desk.answers[Investigate] = Answer(incident="INC-1", said="INC-1: I am looking.")
        await ana.slash("/firstline", "declare", "incidents")
        form = await rig.slack.wait_for(ana.modal)
        await ana.submit(form.id, {"what": "booking fails", "own_channel": "own_channel"})
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        assert [type(command) for command, _ in rig.desk.taken] == [Investigate, Move]
        assert ana.id in rig.room().members


async def test_what_began_in_private_stays_private(rig):
    workspace = rig.slack.workspace
    people = [workspace.user_named(name) for name in ("ana", "ben")]
    workspace.add_channel("secret", [*people, workspace.bot], kind=Kind.PRIVATE)
    async with rig.running():
        ana = rig.slack.person("ana")
        ts = await ana.say("secret", "@firstline the ledger leaks")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, _ = rig.desk.taken.pop()
        begun = Opened(at=NOW, text="booking fails", service=None, place=command.place)
        await rig.desk.happen("INC-1", begun)
        await ana.say("secret", "@firstline channel", thread=ts)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.room().kind is Kind.PRIVATE
        assert [workspace.users[user].name for user in rig.room().members] == ["firstline", "ana"]
