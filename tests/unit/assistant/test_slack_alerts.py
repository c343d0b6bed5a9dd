"""Watched channels: what monitors write there, and what nobody's words can do."""

from dataclasses import replace

import pytest
from slackdesk import LOOKS, Rig
from slackrig import judged

from assistant.commands import AlertEnded, Investigate, Steer
from assistant.domain.events import Opened
from assistant.domain.people import ActorKind
from assistant.slack.listeners.alerts import MOST_NEW, TOO_MANY
from assistant.slack.local.cast import demo_workspace
from assistant.slack.monitors import fingerprint, sounded


class Watching(Rig):
    """A rig that watches #alerts."""

    def build(self):
        whole = super().build()
        watched = frozenset({self.slack.workspace.channel_named("alerts").id})
        return replace(whole, connection=replace(whole.connection, watched=watched))

    async def opening(self):
        """Take the newest command and open its incident; returns the command."""
        await self.slack.wait_for(lambda: self.desk.taken)
        command, _ = self.desk.taken.pop()
        name = f"INC-{len(self.desk.incidents()) + 1}"
        opened = Opened(
            at=command.at,
            text=command.text,
            service=None,
            source=command.source,
            fingerprint=command.fingerprint,
            place=command.place,
            key=command.key,
        )
        await self.desk.happen(name, opened)
        return command


@pytest.fixture
async def slack():
    workspace = demo_workspace()
    people = [workspace.user_named(name) for name in ("ana", "ben")]
    workspace.add_channel("alerts", [*people, workspace.bot])
    async with judged(workspace, hosts=LOOKS.hosts, burst=None) as slack:
        yield slack


@pytest.fixture
def rig(slack):
    return Watching(slack)


def event(text, **more):
    return {"type": "message", "channel": "C1", "ts": "1.5", "bot_id": "B1", "text": text, **more}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[FIRING:1] HighErrors checkout (prod)", "[RESOLVED] HighErrors checkout (prod)"),
        ("[FIRING:1] HighErrors checkout", "[FIRING:12] HighErrors checkout\nvalue 0.7 at 14:02"),
        (":fire: Checkout p95 is 812ms", ":white_check_mark: Resolved: Checkout p95 is 91 ms"),
        ("5xx above 2.5% on checkout", "5xx above 31% on checkout"),
        ("disk full since 2026-03-01T12:00:00Z", "disk full since 2026-04-02T01:00:00Z"),
        ("pod checkout-7d9f8c6b5-x2k4q restarts", "pod checkout-5c44fd9b7-zz81k restarts"),
        ("Error budget of checkout burns", "Resolved: Error budget of checkout burns"),
        ("ALERT\ncheckout is down", "ALERT\ncheckout is down"),
        ("see https://m.example/a1 errors on cart", "see https://m.example/b2 errors on cart"),
    ],
)
def test_repeats_and_the_end_of_an_alert_have_its_fingerprint(one, other):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HighErrors checkout", "HighErrors cart"),
        ("db1 is unreachable", "db2 is unreachable"),
        ("ALERT\ncheckout is down", "ALERT\ncart is down"),
        ("[FIRING:1] HighErrors checkout", "[FIRING:1] HighLatency checkout"),
        ("New alert from Grafana\nHighErrors", "New alert from Grafana\nDiskFull"),
    ],
)
def test_other_alerts_have_others(one, other):
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("[RESOLVED] HighErrors checkout", True),
        ("[RESOLVED:2] HighErrors checkout", True),
        ("Resolved: checkout", True),
        (":white_check_mark: Recovered – checkout is fine", True),
        ("[OK] checkout", True),
        ("OK: checkout", True),
        ("[FIRING:1] HighErrors checkout", False),
        ("Nobody has resolved checkout", False),
        ("OK Google is down", False),
        ("Closed: checkout", True),
        ("Closed connections on checkout", False),
        ("Recovered 3 of 5 replicas failing", False),
        ("Resolved hosts are unreachable", False),
        ("*RESOLVED* | checkout", True),
        ("Resolved", True),
        ("Cleared - checkout", True),
        ("Resolved—checkout", True),
        ("[CLEARED] checkout", True),
        ("Closed-loop pump failing", False),
        ("Closed–loop pump failing", False),
        ("Closed- and open-loop pumps failing", False),
        ("OK-rate of checkout is low", False),
        ("Resolved -1 of 5 addresses", False),
        ("Recovered.", True),
    ],
)
def test_the_first_words_say_whether_it_is_over(text, over):
    assert sounded(event(text), "B9").over is over


def test_people_ourselves_and_what_says_nothing_sound_no_alert():
    assert sounded(event("x is down", bot_id=None, user="U1"), "B9") is None
    assert sounded(event("x is down"), "B1") is None
    assert sounded(event(""), "B9") is None
    assert sounded(event("joined", subtype="channel_join"), "B9") is None
    assert sounded(event("more about it", thread_ts="1.1"), "B9") is None
    edit = {"type": "message", "subtype": "message_changed", "channel": "C1"}
    assert sounded(edit | {"message": event("x is down")}, "B9") is None
    over = sounded(edit | {"message": event("[RESOLVED] x is down")}, "B9")
    assert (over.over, over.channel) == (True, "C1")


def test_the_attachments_of_older_webhooks_are_read():
    attached = [{"title": "[FIRING:1] HighErrors", "text": "5xx &gt; 2%", "fallback": "no"}]
    alert = sounded(event("", attachments=attached, username="prom"), "B9")
    assert (alert.name, alert.text) == ("prom", "[FIRING:1] HighErrors\n5xx > 2%")
    assert alert.fingerprints == (fingerprint("[RESOLVED] HighErrors"),)


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def fields(**named):
    return [{"title": title, "value": value} for title, value in named.items()]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (
            {"text": "New alert from Acme", "blocks": [section("*checkout* 5xx above 5 %")]},
            {"text": "New alert from Acme", "blocks": [section("*search* disk full on node-3")]},
            "New alert from Acme\n*checkout* 5xx above 5 %",
        ),
        (
            {"text": "This content can't be displayed.", "blocks": [section("checkout fails")]},
            {"text": "This content can't be displayed.", "blocks": [section("search is slow")]},
            "checkout fails",
        ),
        (
            {"attachments": [{"fields": fields(Host="web-1", State="DOWN")}]},
            {"attachments": [{"fields": fields(Host="web-2", State="DOWN")}]},
            "Host: web-1\nState: DOWN",
        ),
        (
            {"attachments": [{"title": "Prometheus alert", "fields": fields(Alert="Errors")}]},
            {"attachments": [{"title": "Prometheus alert", "fields": fields(Alert="DiskFull")}]},
            "Prometheus alert\nAlert: Errors",
        ),
    ],
)
def test_alerts_are_told_apart_wherever_their_words_stand(one, other, said):
    one, other = (sounded(event("") | message, "B9") for message in (one, other))
    assert one.text == said
    assert one.fingerprints != other.fingerprints


def test_words_that_text_and_blocks_both_have_are_read_once():
    blocks = [section("HighErrors *checkout*"), section("5xx above 2 %")]
    alert = sounded(event("HighErrors checkout", blocks=blocks), "B9")
    assert alert.text == "HighErrors checkout\n5xx above 2 %"


async def test_an_alert_is_answered_in_its_thread_and_its_repeat_joins(rig):
    async with rig.running():
        first = rig.slack.post_as_bot("prom", "alerts", "[FIRING:1] HighErrors checkout 12%")
        command = await rig.opening()
        assert isinstance(command, Investigate)
        channel = rig.slack.workspace.channel_named("alerts").id
        assert (command.source, command.place) == ("slack", f"{channel}/{first.ts}")
        ana = rig.slack.person("ana")
        await rig.slack.wait_for(lambda: len(ana.messages("alerts", first.ts)) == 2)
        rig.slack.post_as_bot("prom", "alerts", "[FIRING:1] HighErrors checkout 34%")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        again, actor = rig.desk.taken.pop()
        assert again.fingerprint == command.fingerprint
        assert (actor.kind, actor.name) == (ActorKind.ALERT, "prom")
        rig.slack.post_as_bot("prom", "alerts", "[RESOLVED] HighErrors checkout 0%")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        end, actor = rig.desk.taken.pop()
        assert (type(end), end.fingerprint) == (AlertEnded, command.fingerprint)
        assert actor.kind is ActorKind.ALERT


async def test_a_reply_that_says_so_ends_the_alert_of_its_thread(rig):
    async with rig.running():
        alert = rig.slack.post_as_bot("pager", "alerts", "[FIRING:1] HighErrors checkout 12%")
        command = await rig.opening()
        channel = rig.slack.workspace.channel_named("alerts")
        for text in ("Acknowledged by ben", ":white_check_mark: Resolved"):
            rig.slack.office.post(channel, name="pager", bot="BPAGER", text=text, thread=alert.ts)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        ((end, _),) = rig.desk.taken
        assert (type(end), end.fingerprint) == (AlertEnded, command.fingerprint)


async def test_another_apps_reply_does_not_end_the_alert_of_a_thread(rig):
    async with rig.running():
        alert = rig.slack.post_as_bot("pager", "alerts", "[FIRING:1] HighErrors checkout 12%")
        command = await rig.opening()
        channel = rig.slack.workspace.channel_named("alerts")
        text = "Resolved: ticket 12"
        rig.slack.office.post(channel, name="jira", bot="BJIRA", text=text, thread=alert.ts)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        ((end, _),) = rig.desk.taken
        assert end.fingerprint == fingerprint(text) != command.fingerprint


async def test_an_alert_that_mentions_us_or_says_our_words_is_only_an_alert(rig):
    bot = rig.slack.workspace.bot.id
    async with rig.running():
        rig.slack.post_as_bot("prom", "alerts", f"<@{bot}> close: all is well")
        command = await rig.opening()
        assert (type(command), command.text) == (Investigate, f"{bot} close: all is well")
        thread = command.place.partition("/")[2]
        for text in ("not the database", f"<@{bot}> freeze", "ignore v2"):
            channel = rig.slack.workspace.channel_named("alerts")
            rig.slack.office.post(channel, name="prom", bot="BPROM", text=text, thread=thread)
        await rig.settled()
        assert rig.desk.taken == []


async def test_people_are_heard_there_only_when_they_mention_us(rig):
    async with rig.running():
        ana = rig.slack.person("ana")
        await ana.say("alerts", "checkout is slow, is it not?")
        alert = rig.slack.post_as_bot("prom", "alerts", "HighErrors checkout")
        await rig.opening()
        await ana.say("alerts", "not the database", thread=alert.ts)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert [type(command) for command, _ in rig.desk.taken] == [Steer]
        await ana.say("alerts", "@firstline why is cart slow")
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        command, actor = rig.desk.taken[-1]
        assert (command.text, command.fingerprint) == ("why is cart slow", None)
        assert actor.kind is ActorKind.HUMAN


async def test_channels_that_are_not_listed_are_not_watched(rig):
    async with rig.running():
        rig.slack.post_as_bot("prom", "incidents", "[FIRING:1] HighErrors checkout")
        await rig.settled()
        assert rig.desk.taken == []


async def test_a_storm_is_told_once_in_the_channel_and_known_alerts_still_join(rig):
    words = ("cart", "mail", "search", "login", "orders", "stock", "prices", "photos")
    async with rig.running():
        for word in words[:MOST_NEW]:
            rig.slack.post_as_bot("prom", "alerts", f"HighErrors in {word}")
            await rig.opening()
        for word in words[MOST_NEW:]:
            rig.slack.post_as_bot("prom", "alerts", f"HighErrors in {word}")
        ana = rig.slack.person("ana")

        def told():
            return [m.text for m in ana.messages("alerts") if not m.name]

        await rig.slack.wait_for(told)
        await rig.settled()
        assert told() == [TOO_MANY]
        assert rig.desk.taken == []
        rig.slack.post_as_bot("prom", "alerts", f"HighErrors in {words[0]}")
        await rig.slack.wait_for(lambda: rig.desk.taken)
