"""From the first second: a reaction, a message that grows, and its end in every case."""

import re

import pytest
from slackdesk import LOOKS, SCOPES, Rig
from slackrig import judged
from test_slack_round_trip import find
from written import NOON, finding

from assistant.answer import Answer
from assistant.commands import Stop
from assistant.domain.events import (
    Closed,
    HypothesesRanked,
    Opened,
    ReadFailed,
    ReadPerformed,
    ScopeSet,
    Stopped,
)
from assistant.domain.incident import apply
from assistant.domain.people import Actor, ActorKind
from assistant.slack import limits
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.people import Streaming
from assistant.slack.progress import AGAIN, Asker, Progress
from assistant.slack.stream import TRIES
from assistant.slack.thread import PAGE

SCOPE = ScopeSet(start=NOON, end=NOON)
SPANS = ReadPerformed(
    source="otlp", capability="spans", rows=1500, seconds=0.44, complete=False, query="all",
    link="https://traces.example/q",
)  # fmt: skip
LOGS = ReadFailed(
    source="otlp", capability="logs", seconds=1.0,
    reason="`it` is down, see [here](https://evil.example) <!channel>",
)  # fmt: skip
RANKED = HypothesesRanked(finding=finding(), seconds=0.2)
ANA = Actor(kind=ActorKind.HUMAN, id="U1", name="ana", team="T1")


@pytest.fixture
def scopes():
    return SCOPES


@pytest.fixture
async def slack(scopes):
    async with judged(hosts=LOOKS.hosts, burst=None, scopes=scopes) as slack:
        yield slack
        assert not growing(slack)


@pytest.fixture
def rig(slack):
    rig = Rig(slack)
    rig.streaming = True
    return rig


def growing(slack):
    """Return the messages of all channels that still wait for more."""
    return [
        message
        for channel in slack.workspace.channels.values()
        for message in channel.messages.values()
        if message.stream and message.stream.state is Streaming.GROWING
    ]


def streamed(rig, ts):
    return next((m for m in rig.messages(thread=ts) if m.stream), None)


def tasks(rig, ts):
    return {task["id"]: task for task in streamed(rig, ts).stream.tasks}


async def asked(rig):
    """Let ana ask; the desk opens INC-1 while it takes the question. Returns the thread."""

    async def take(command, actor):
        rig.desk.taken.append((command, actor))
        if not isinstance(command, Stop):
            opened = Opened(at=NOON, text=command.text, service=None, place=command.place)
            await rig.desk.happen("INC-1", opened)
        return Answer(incident="INC-1", said="Stopped.")

    rig.desk.submit = take
    return await rig.slack.person("ana").say("incidents", "@firstline booking fails")


async def test_a_question_is_seen_at_once_and_each_source_as_it_answers(rig):
    async with rig.running():
        ts = await asked(rig)
        await rig.slack.wait_for(lambda: streamed(rig, ts))
        seen = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "booking").reactions)
        assert [name for name, _ in seen] == ["eyes"]
        assert streamed(rig, ts).stream.title == "INC-1: I am looking"
        assert {t["status"] for t in tasks(rig, ts).values()} == {"in_progress"}
        await rig.desk.happen("INC-1", SCOPE, SPANS)
        done = await rig.slack.wait_for(
            lambda: (t := tasks(rig, ts)["otlp/spans"])["status"] == "complete" and t
        )
        assert done["title"] == "spans (otlp) · 1500 rows in 0.4 s, cut"
        assert done["sources"][0]["url"] == SPANS.link
        assert not find(rig.messages(thread=ts), "INC-1 · ")  # no card beside it
        await rig.desk.happen("INC-1", LOGS, RANKED)
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Likely (0.90)"))
        assert card.ts != streamed(rig, ts).ts
        failed = tasks(rig, ts)["otlp/logs"]
        assert failed["status"] == "error"
        assert failed["details"] == "it is down, see here(evil.example) &lt;!channel&gt;"
        assert streamed(rig, ts).stream.title == "INC-1: I have looked"
        assert streamed(rig, ts).stream.state is Streaming.OVER
        await rig.slack.wait_for(
            lambda: rig.slack.workspace.sessions.get((rig.channel, ts)) == "active"
        )


async def test_an_alert_gets_its_card_from_the_beginning(rig):
    async with rig.running():
        opened = Opened(
            at=NOON, text="slow", service=None, source="alert", place=rig.channel, fingerprint="f"
        )
        await rig.desk.happen("INC-1", opened)
        await rig.slack.wait_for(lambda: find(rig.messages(), "looking"))
        assert not [c for c in rig.slack.office.calls if "Stream" in c.method]


async def test_the_first_sign_waits_for_no_other_message(rig):
    slow = Fault(method="chat.postMessage", failure=Failure.RATE_LIMITED, seconds=30)
    rig.slack.faults.add(slow)
    async with rig.running():
        alert = Opened(
            at=NOON, text="slow", service=None, source="alert", place=rig.channel, fingerprint="f"
        )
        await rig.desk.happen("INC-2", alert)
        ts = await asked(rig)
        await rig.slack.wait_for(lambda: streamed(rig, ts))
        assert not find(rig.messages(), "INC-2")
        await rig.settled()


@pytest.mark.parametrize("why", ["switched off", "rate", "refused", "too many", "lost"])
async def test_where_slack_streams_nothing_the_card_is_shown(rig, why):
    rig.streaming = why != "switched off"
    failures = {"rate": Failure.RATE_LIMITED, "refused": Failure.ERROR, "lost": Failure.LOST_ANSWER}
    if why in failures:
        rig.slack.faults.add(Fault(method="chat.startStream", failure=failures[why]))
    async with rig.running():
        if why == "too many":
            first = await rig.slack.person("ben").say("incidents", "x")
            for _ in range(limits.STREAMS_A_MINUTE):
                reply = await rig.client.chat_startStream(
                    channel=rig.channel,
                    thread_ts=first,
                    recipient_user_id="U",
                    recipient_team_id="T",
                )
                await rig.client.chat_stopStream(channel=rig.channel, ts=reply["ts"])
        ts = await asked(rig)
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "looking"))
        await rig.desk.happen("INC-1", SCOPE, SPANS, RANKED)
        told = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Likely"))
        assert told.ts == card.ts
        await rig.slack.wait_for(lambda: not growing(rig.slack))


class TestWithoutScopes:
    """An app that was installed before there were streams."""

    @pytest.fixture
    def scopes(self):
        return SCOPES - {"reactions:write", "assistant:write"}

    async def test_a_scope_that_is_missing_is_asked_for_once(self, rig):
        async with rig.running():
            for _ in range(2):
                ts = await asked(rig)
                await rig.slack.wait_for(lambda ts=ts: streamed(rig, ts))
                await rig.desk.happen("INC-1", RANKED)
                await rig.slack.wait_for(lambda: not growing(rig.slack))
                rig.desk.incidents().clear()
            refused = [c.method for c in rig.slack.office.calls if c.error == "missing_scope"]
        assert sorted(refused) == ["agents.sessions.setStatus", "reactions.add"]


async def test_a_process_that_ends_ends_its_stream_and_the_next_one_shows_the_card(rig):
    async with rig.running():
        ts = await asked(rig)
        await rig.slack.wait_for(lambda: streamed(rig, ts))
        await rig.settled()
    assert not growing(rig.slack)
    async with rig.running():
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "looking"))


@pytest.mark.parametrize(
    ("known", "replies", "fails", "times"),
    [
        ("its ts", 0, "", 0),
        ("its ts", 0, "chat.stopStream", TRIES + 1),
        ("that it was meant", 0, "", 0),
        ("that it was meant", PAGE, "", 0),
        ("that it was meant", 0, "conversations.replies", 2),
    ],
)
async def test_a_stream_that_outlived_its_process_is_ended_by_the_next(
    rig, known, replies, fails, times
):
    async with rig.running():
        ts = await asked(rig)
        channel, ana = rig.slack.workspace.channel_named("incidents"), rig.slack.person("ana")
        for number in range(replies):
            rig.slack.workspace.post(channel, NOON, user=ana.id, text=f"{number}", thread=ts)
        first = await rig.slack.wait_for(lambda: streamed(rig, ts))
        await rig.settled()
    # As if the process had been killed: the message still grows, and its row is as it was then.
    reply = await rig.client.chat_startStream(
        channel=rig.channel, thread_ts=ts, recipient_user_id=ana.id, recipient_team_id=ana.user.team
    )
    assert first.ts != reply["ts"]
    rig.tables.messages.rows.pop("INC-1/stream")
    rig.tables.messages.intend("INC-1/stream", rig.channel, ts, "open")
    if known == "its ts":
        rig.tables.messages.sent("INC-1/stream", reply["ts"], "open")
    for _ in range(times):  # oftener than it is tried in one go
        rig.slack.faults.add(Fault(method=fails, failure=Failure.ERROR))
    await rig.desk.happen("INC-1", Closed(at=NOON, by=ANA, reason="a drill"))
    async with rig.running():
        await rig.slack.wait_for(lambda: not growing(rig.slack))


async def test_slacks_own_stop_stops_and_the_stream_is_over(rig):
    async with rig.running():
        ts = await asked(rig)
        await rig.slack.wait_for(lambda: streamed(rig, ts))
        await rig.slack.wait_for(
            lambda: rig.slack.workspace.sessions.get((rig.channel, ts)) == "processing"
        )
        await rig.slack.person("ben").stop("incidents", ts)
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        command, actor = rig.desk.taken[-1]
        assert (command, actor.name) == (Stop(incident="INC-1"), "ben")
        await rig.desk.happen("INC-1", SPANS, Stopped(by=ANA, at=NOON))
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "stopped by ana"))
        assert "Go on" in str(card.blocks)
        await rig.slack.wait_for(
            lambda: rig.slack.workspace.sessions.get((rig.channel, ts)) == "active"
        )
        await rig.slack.wait_for(lambda: rig.whispers("ben") == ["Stopped."])


async def test_a_guest_stops_nothing(rig):
    async with rig.running():
        ts = await asked(rig)
        await rig.slack.wait_for(
            lambda: rig.slack.workspace.sessions.get((rig.channel, ts)) == "processing"
        )
        await rig.slack.person("gus").stop("incidents", ts)
        await rig.slack.wait_for(lambda: rig.whispers("gus"))
        assert "only members" in rig.whispers("gus")[0]
        assert len(rig.desk.taken) == 1
        # Slack has ended the stream all the same; what goes on is shown by the card.
        await rig.desk.happen("INC-1", SPANS)
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "looking"))


@pytest.mark.parametrize("failure", [Failure.ERROR, Failure.RATE_LIMITED, Failure.LOST_ANSWER])
async def test_an_addition_that_fails_for_a_moment_is_made_up_for(rig, failure):
    rig.slack.faults.add(Fault(method="chat.appendStream", failure=failure))
    async with rig.running():
        ts = await asked(rig)
        await rig.slack.wait_for(lambda: streamed(rig, ts))
        await rig.desk.happen("INC-1", SCOPE, SPANS)
        await rig.slack.wait_for(lambda: tasks(rig, ts)["otlp/spans"]["status"] == "complete")
        await rig.desk.happen("INC-1", RANKED)
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Likely"))


async def test_an_end_that_slack_does_not_take_at_once_is_tried_again(rig):
    rig.slack.faults.add(Fault(method="chat.stopStream", failure=Failure.ERROR))
    async with rig.running():
        ts = await asked(rig)
        await rig.slack.wait_for(lambda: streamed(rig, ts))
        await rig.desk.happen("INC-1", RANKED)
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Likely"))
        await rig.slack.wait_for(lambda: not growing(rig.slack))


STATE = apply(None, Opened(at=NOON, text="x", service=None))


def looked(*events):
    """Return what is told of these events since the beginning."""
    state = STATE
    asker = Asker(channel="C", thread="1", message="1", user="U", team="T")
    going = Progress("INC-1", asker, (("otlp", "spans"),), frozenset())
    going.take()
    for event in events:
        state = apply(state, event)
        going.told(event, state)
    return going


async def test_a_second_look_is_a_task_of_its_own():
    chunks = {c.get("id"): c for c in looked(SCOPE, SPANS, SCOPE).take()}
    assert chunks[AGAIN]["status"] == "in_progress"
    chunks = {c.get("id"): c for c in looked(SCOPE, SPANS, SCOPE, SPANS, RANKED).take()}
    assert chunks[AGAIN]["status"] == "complete"
    assert "sources" not in chunks["otlp/spans"]  # nobody allowed that host here


async def test_where_no_news_comes_nobody_waits_for_ever():
    going = looked(SCOPE, SPANS)
    assert await going.more(0.01)
    going.take()
    assert not await going.more(0.01)


async def test_what_could_not_be_sent_is_kept_unless_there_is_newer_news():
    going = looked(SCOPE, LOGS)
    old = going.take()
    going.give_back(old)
    assert await going.more(5)
    assert re.search("not looked at", str(going.take()))
    going.give_back(old)
    going.told(SPANS, STATE)
    assert {c["id"] for c in going.take()} == {"otlp/logs", "otlp/spans"}
