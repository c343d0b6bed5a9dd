"""People and firstline in one Slack: what is said and pressed there, and what comes of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from acting import ASKED, BEN, REQUEST
from conversing import press
from slackdesk import LOOKS, HttpRig, Rig
from slackrig import judged
from written import NOON, PLAN, finding

from assistant.answer import Answer
from assistant.commands import (
    Approve,
    Close,
    Deny,
    Freeze,
    GoOn,
    Investigate,
    RequestStep,
    Steer,
    Stop,
    Thaw,
)
from assistant.domain.action import Approval
from assistant.domain.events import (
    Approved,
    Closed,
    HypothesesRanked,
    Opened,
    PlanProposed,
    PostmortemWritten,
    Remembered,
)
from assistant.domain.people import Actor, ActorKind
from assistant.slack.errors import SlackError
from assistant.slack.listeners.pressing import NO_LONGER_VALID
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.slack import PATIENCE_S


@pytest.fixture
async def slack():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield slack


@pytest.fixture(params=[Rig, HttpRig], ids=["sockets", "http"])
def rig(slack, request):
    return request.param(slack)


def find(messages, words):
    """Return the newest message whose fallback text holds these words."""
    return next((m for m in reversed(messages) if words in m.text), None)


async def opened(rig, channel=None):
    """Let ana ask, and the desk open INC-1 for it; returns the thread."""
    ts = await rig.slack.person("ana").say("incidents", "@firstline booking fails")
    await rig.slack.wait_for(lambda: rig.desk.taken)
    command, _ = rig.desk.taken.pop()
    await rig.desk.happen(
        "INC-1", Opened(at=NOON, text=command.text, service="front", place=command.place)
    )
    await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "INC-1"))
    return ts


async def explained(rig):
    """The same, with an answer and a plan."""
    ts = await opened(rig)
    await rig.desk.happen(
        "INC-1",
        HypothesesRanked(finding=finding(), seconds=0.2),
        PlanProposed(plan=PLAN, seconds=0.1),
    )
    await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Likely"))
    return ts


async def test_a_mention_asks_and_its_thread_gets_one_card_that_is_edited(rig):
    async with rig.running():
        ts = await rig.slack.person("ana").say("incidents", "@firstline booking fails &amp <b>")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, actor = rig.desk.taken[0]
        assert isinstance(command, Investigate)
        assert (command.text, command.place) == ("booking fails &amp <b>", f"{rig.channel}/{ts}")
        ana = rig.slack.person("ana").user
        assert actor == Actor(
            kind=ActorKind.HUMAN, id=ana.id, name="ana", team=ana.team, simulated=True
        )
        await rig.desk.happen("INC-1", Opened(at=NOON, text="x", service=None, place=command.place))
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "looking"))
        await rig.desk.happen("INC-1", HypothesesRanked(finding=finding(), seconds=0.2))
        told = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Likely (0.90)"))
        assert told.ts == card.ts
        await rig.settled()
        assert len(rig.desk.taken) == 1  # Slack sent the text twice: as mention and as message


async def test_what_cannot_be_written_down_is_said_all_the_same(rig):
    async with rig.running():
        ts = await opened(rig)
        for alarm in rig.desk.alarms:
            await alarm("INC-1", "the disk is full: <!channel>")
        told = find(rig.messages(thread=ts), "the disk is full")
        assert told.text == ":warning: INC-1: the disk is full: &lt;!channel&gt;"


async def test_a_step_is_asked_for_by_its_button(rig):
    async with rig.running():
        ts = await explained(rig)
        card = find(rig.messages(thread=ts), "Likely")
        await rig.slack.wait_for(
            lambda: "Request: Roll ledger back." in str(find(rig.messages(thread=ts), "Likely"))
        )
        rig.desk.answers[RequestStep] = Answer(incident="INC-1", said="No.", refused=True)
        await rig.slack.person("ben").click("incidents", card.ts, "do:0")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, actor = rig.desk.taken[0]
        assert command == RequestStep(incident="INC-1", step=1)
        assert actor.name == "ben"
        await rig.slack.wait_for(lambda: rig.whispers("ben") == ["No."])
        assert rig.whispers("ana") == []


async def test_an_approval_card_becomes_its_record(rig):
    async with rig.running():
        ts = await explained(rig)
        await rig.desk.happen("INC-1", ASKED)
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
        await rig.slack.person("ben").click("incidents", card.ts, "do:0")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, ben = rig.desk.taken[0]
        assert command == Approve(incident="INC-1", request=REQUEST.id, digest=REQUEST.digest)
        yes = Approval(digest=REQUEST.digest, by=ben, at=NOON + timedelta(minutes=2))
        await rig.desk.happen("INC-1", Approved(request=REQUEST.id, approval=yes))
        record = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approved by ben"))
        assert record.ts == card.ts


async def test_a_rejection_says_why(rig):
    async with rig.running():
        ts = await explained(rig)
        await rig.desk.happen("INC-1", ASKED)
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
        ben = rig.slack.person("ben")
        await ben.click("incidents", card.ts, "ask:1")
        form = await rig.slack.wait_for(ben.modal)
        assert await ben.submit(form.id, {"reason": "not <now>"}) == {}
        assert (ben.modal(), ben.errors) == (None, [])
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, actor = rig.desk.taken[0]
        assert command == Deny(incident="INC-1", request=REQUEST.id, reason="not <now>")
        assert actor.name == "ben"


@pytest.mark.parametrize("damage", ["unknown", "elsewhere", "old action"])
async def test_a_button_that_is_not_ours_here_and_now_does_nothing(rig, damage):
    async with rig.running():
        ts = await explained(rig)
        token = rig.tables.buttons.token(Close(incident="INC-1"), "INC-1")
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Go"},
            "action_id": "legacy" if damage == "old action" else "do:0",
            "value": "guess" if damage == "unknown" else token,
        }
        place, thread = rig.channel, ts
        if damage == "elsewhere":
            people = [rig.slack.person(n).user for n in ("ana", "ben")]
            other = rig.slack.workspace.add_channel("other", [*people, rig.slack.workspace.bot])
            place, thread = other.id, None
        reply = await rig.client.chat_postMessage(
            channel=place,
            thread_ts=thread,
            text="x",
            blocks=[{"type": "actions", "elements": [button]}],
            unfurl_links=False,
            unfurl_media=False,
        )
        ben = rig.slack.person("ben")
        await ben.click(place, reply["ts"], button["action_id"])
        await rig.slack.wait_for(
            lambda: any(m.text == NO_LONGER_VALID for m in ben.messages(place, thread))
        )
        assert rig.desk.taken == []


async def test_who_presses_a_card_in_the_channel_is_told_there_and_in_its_thread_once_it_has_one(
    rig,
):
    rig.home = rig.channel
    rig.desk.answers[Stop] = Answer(incident="INC-1", said="Not you.", refused=True)
    ben = rig.slack.person("ben")
    async with rig.running():
        await rig.desk.happen("INC-1", Opened(at=NOON, text="x", service=None, source="webhook"))
        card = await rig.slack.wait_for(lambda: find(rig.messages(), "INC-1"))
        await press(rig, "ben", card, "Stop")
        await rig.slack.wait_for(lambda: find(ben.messages("incidents"), "Not you."))
        await rig.slack.person("ana").say("incidents", "hm", thread=card.ts)
        await press(rig, "ben", card, "Stop")
        await rig.slack.wait_for(lambda: find(ben.messages("incidents", card.ts), "Not you."))
        assert rig.whispers("ben") == ["Not you.", "Not you."]


async def test_words_in_the_thread_steer_only_when_they_read_like_it(rig):
    async with rig.running():
        ts = await opened(rig)
        cleo = rig.slack.person("cleo")
        await cleo.say("incidents", "I wonder what it is", thread=ts)
        await cleo.say("incidents", "Not the database", thread=ts)
        await cleo.say("incidents", "look at ledger")  # in no incident's thread
        await cleo.say("incidents", "@firstline it began at 14:02", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        await rig.settled()
        assert [command for command, _ in rig.desk.taken] == [
            Steer(incident="INC-1", text="Not the database"),
            Steer(incident="INC-1", text="it began at 14:02"),
        ]


async def test_chatter_that_only_reads_like_steering_is_not_answered(rig):
    odd = Answer(incident="INC-1", said="What?", refused=True, understood=False)
    rig.desk.answers[Steer] = odd
    async with rig.running():
        ts = await opened(rig)
        cleo = rig.slack.person("cleo")
        await cleo.say("incidents", "Not sure, let me check", thread=ts)
        await rig.slack.settled()
        assert rig.whispers("cleo") == []
        await cleo.say("incidents", "@firstline not sure, let me check", thread=ts)
        await rig.slack.wait_for(lambda: rig.whispers("cleo") == ["What?"])
    assert len(rig.desk.taken) == 2


async def test_a_mention_that_is_added_by_an_edit_is_heard_and_a_question_edited_is_no_new_one(rig):
    async with rig.running():
        ana = rig.slack.person("ana")
        ts = await ana.say("incidents", "logins fail")
        await rig.slack.settled()
        assert rig.desk.taken == []
        await ana.edit("incidents", ts, "@firstline logins fail")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 1)
        asked, _ = rig.desk.taken[0]
        assert asked.text == "logins fail"
        await rig.desk.happen("INC-1", Opened(at=NOON, text="x", service=None, place=asked.place))
        await ana.edit("incidents", ts, "@firstline logins fail again")
        await rig.slack.settled()
    assert len(rig.desk.taken) == 1


async def test_a_time_in_a_question_is_in_the_zone_of_whoever_asks(rig):
    ana, users = rig.slack.person("ana"), rig.slack.workspace.users
    users[ana.id] = replace(users[ana.id], zone="Asia/Tokyo")
    async with rig.running():
        await ana.say("incidents", "@firstline logins fail since 14:02")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 1)
        await ana.slash("/firstline", "investigate logins fail since 14:02", "incidents")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        assert [command.zone for command, _ in rig.desk.taken] == ["Asia/Tokyo"] * 2


async def test_a_few_words_are_commands(rig):
    async with rig.running():
        ts = await opened(rig)
        ana = rig.slack.person("ana")
        await ana.say("incidents", "@firstline close: it was a drill", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 1)
        await ana.say("incidents", "@firstline freeze")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        await ana.say("incidents", "@firstline close")
        await ana.say("incidents", "@firstline status")
        await rig.slack.wait_for(lambda: len(rig.whispers("ana")) == 2)
        close, freeze = (command for command, _ in rig.desk.taken)
        assert close == Close(incident="INC-1", reason="it was a drill")
        assert isinstance(freeze, Freeze)
        told = " ".join(rig.whispers("ana"))
        assert "in the thread of the incident" in told
        assert "INC-1: booking fails — looking" in told


async def test_stop_is_a_button_of_the_card_and_a_word_that_waits_for_nobody(rig):
    async with rig.running():
        ts = await opened(rig)
        card = find(rig.messages(thread=ts), "looking")
        await rig.slack.person("ben").click("incidents", card.ts, "do:0")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        rig.desk.hold = asyncio.Event()  # what is said before it waits for what is under way
        cleo = rig.slack.person("cleo")
        await cleo.say("incidents", "@firstline not the ledger", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        await cleo.say("incidents", "@firstline go on", thread=ts)
        await cleo.say("incidents", "@firstline Stop!", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 3)
        assert rig.desk.taken[-1][0] == Stop(incident="INC-1")
        rig.desk.hold.set()
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 4)
        await rig.settled()
        pressed, _, _, on = (command for command, _ in rig.desk.taken)
        assert (pressed, on) == (Stop(incident="INC-1"), GoOn(incident="INC-1"))


async def test_a_freeze_and_a_thaw_wait_for_no_thread(rig):
    async with rig.running():
        ts = await opened(rig)
        rig.desk.hold = asyncio.Event()
        cleo = rig.slack.person("cleo")
        await cleo.say("incidents", "@firstline not the ledger", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 1)
        words = ("freeze: release day", "thaw")
        said = [await cleo.say("incidents", f"@firstline {word}", thread=ts) for word in words]
        at = [datetime.fromtimestamp(float(one), UTC) for one in said]
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 3)
        freeze = Freeze(reason="release day", said=at[0])
        assert [c for c, _ in rig.desk.taken[1:]] == [freeze, Thaw(said=at[1])]
        rig.desk.hold.set()


async def test_other_bots_are_not_people(rig):
    async with rig.running():
        bot = rig.slack.workspace.bot
        rig.slack.post_as_bot("alerts", "incidents", f"<@{bot.id}> close everything")
        await rig.settled()
        assert rig.desk.taken == []


async def test_the_home_tab_lists_what_is_open(rig):
    async with rig.running():
        await explained(rig)
        await rig.desk.happen("INC-1", ASKED)
        ana = rig.slack.person("ana")
        await ana.open_home()
        view = await rig.slack.wait_for(ana.home)
        assert "booking fails" in str(view.content)
        assert REQUEST.summary in str(view.content)


async def test_what_was_acknowledged_and_not_done_is_done_after_a_restart(rig):
    async with rig.running():
        await rig.slack.person("ana").say("incidents", "@firstline booking fails")
        await rig.slack.wait_for(lambda: rig.desk.taken)
    rig.desk.taken.clear()
    rig.tables.inbox.finished.clear()  # as if it had ended in between
    async with rig.running():
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.desk.taken[0][0].text == "booking fails"
        await rig.slack.wait_for(lambda: not rig.tables.inbox.unfinished())


async def test_what_was_left_and_takes_long_keeps_nobody_else_waiting(rig):
    rig.desk.hold = asyncio.Event()
    async with rig.running():
        ts = await opened(rig)
        await rig.slack.person("ana").say("incidents", "@firstline not the ledger", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 1)
    async with rig.running():
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        await rig.slack.person("ben").say("incidents", "@firstline logins fail")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 3)
        rig.desk.hold.set()


async def test_what_comes_while_slack_does_not_say_who_we_are_is_not_lost(rig):
    async with rig.running():
        failing = (Failure.ERROR, Failure.RATE_LIMITED, Failure.LOST_ANSWER)
        rig.slack.faults.add(*(Fault(method="auth.test", failure=f) for f in failing))
        await rig.slack.person("ana").say("incidents", "@firstline booking fails")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert isinstance(rig.desk.taken[0][0], Investigate)


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_question_that_was_taken_and_not_noted_as_done_is_not_taken_again(rig, in_thread):
    async with rig.running():
        ana = rig.slack.person("ana")
        first = await ana.say("incidents", "hello") if in_thread else None
        await ana.say("incidents", "@firstline booking fails", thread=first)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, _ = rig.desk.taken.pop()
        await rig.desk.happen(
            "INC-1", Opened(at=command.at, text="fails", service=None, place=command.place)
        )
        await rig.settled()
    rig.tables.inbox.finished.clear()
    async with rig.running():
        await rig.slack.wait_for(lambda: not rig.tables.inbox.unfinished())
    assert rig.desk.taken == []


async def test_after_a_restart_the_messages_catch_up_and_nothing_is_posted_twice(rig):
    async with rig.running():
        ts = await explained(rig)
        before = len(rig.messages(thread=ts))
    rig.desk.watchers.clear()
    await rig.desk.happen("INC-1", ASKED)  # while nobody showed it
    async with rig.running() as whole:
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
        assert len(rig.messages(thread=ts)) == before + 1
        assert whole.ready.is_set()


async def test_what_could_not_be_shown_is_shown_once_the_app_is_invited(rig):
    rig.home = rig.channel
    ana = rig.slack.person("ana")
    ana.remove("incidents", "firstline")
    async with rig.running():
        await rig.desk.happen("INC-1", Opened(at=NOON, text="alert", service="front"))
        await rig.slack.wait_for(
            lambda: any(made.error == "not_in_channel" for made in rig.slack.office.calls)
        )
        await ana.say("incidents", "where is it?")
        assert [m.text for m in rig.messages()] == ["where is it?"]
        ana.invite("incidents", "firstline")
        card = await rig.slack.wait_for(lambda: find(rig.messages(), "INC-1"))
        ana.invite("incidents", "firstline")  # is there already
        await rig.settled()
        assert [m.ts for m in rig.messages() if "INC-1" in m.text] == [card.ts]


async def test_what_ended_while_slack_was_away_is_shown_after_a_restart_unless_it_is_old(rig):
    for name, ago in (("INC-1", timedelta(days=2)), ("INC-2", timedelta(hours=2))):
        await rig.desk.happen(
            name,
            Opened(at=NOON, text=name, service="front", place=rig.channel),
            HypothesesRanked(finding=finding(), seconds=0.2),
            Closed(by=BEN, at=rig.clock.now() - ago, reason="resolved"),
            PostmortemWritten(markdown=f"# {name}"),
            Remembered(runbook=None),
        )
    async with rig.running():
        card = await rig.slack.wait_for(lambda: find(rig.messages(), "INC-2"))
        await rig.slack.wait_for(lambda: find(rig.messages(thread=card.ts), "The postmortem"))
    assert "closed by ben" in card.text
    assert find(rig.messages(), "INC-1") is None


async def test_a_failure_is_told_to_whoever_acted_without_its_text(rig):
    rig.desk.answers[Investigate] = RuntimeError("secret")
    async with rig.running():
        await rig.slack.person("ana").say("incidents", "@firstline booking fails")
        await rig.slack.wait_for(lambda: rig.whispers("ana"))
        assert "did not work" in rig.whispers("ana")[0]
        assert "secret" not in str(rig.whispers("ana"))


async def test_a_token_that_does_not_work_is_said_in_a_sentence(rig):
    rig.client.token = rig.client.token.replace("local", "wrong")
    with pytest.raises(SlackError, match="install the app again"):
        await rig.build().run()


async def test_a_guest_reads_and_does_not_take_part(rig):
    async with rig.running():
        ts = await explained(rig)
        await rig.desk.happen("INC-1", ASKED)
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
        gus = rig.slack.person("gus")
        await gus.say("incidents", "@firstline freeze")
        await rig.slack.wait_for(lambda: len(rig.whispers("gus")) == 1)
        await gus.say("incidents", "not the database", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.whispers("gus")) == 2)
        await gus.click("incidents", card.ts, "do:0")
        await rig.slack.wait_for(lambda: len(rig.whispers("gus")) == 3)
        assert set(rig.whispers("gus")) == {
            "gus is a guest: only members of this workspace are heard."
        }
        assert rig.desk.taken == []


async def test_two_lines_in_one_thread_are_taken_in_the_order_in_which_they_were_written(rig):
    async with rig.running():
        ts = await explained(rig)
        rig.slack.faults.add(Fault(method="users.info", failure=Failure.SLOW, seconds=0.4))
        await rig.slack.person("cleo").say("incidents", "@firstline not the ledger", thread=ts)
        await rig.slack.person("ben").say("incidents", "@firstline the ledger again", thread=ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        assert [command.text for command, _ in rig.desk.taken] == [
            "not the ledger",
            "the ledger again",
        ]


async def test_a_token_that_is_revoked_ends_it_with_a_sentence(rig):
    rig.look_s = 0.05
    whole = rig.build()
    task = asyncio.create_task(whole.run())
    await asyncio.wait_for(whole.ready.wait(), PATIENCE_S)
    rig.slack.workspace.tokens.pop(rig.slack.bot_token)
    with pytest.raises(SlackError, match=r"Slack refuses the token .*install the app again"):
        await asyncio.wait_for(task, PATIENCE_S)
