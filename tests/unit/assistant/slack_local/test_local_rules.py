"""What an app did that it never should is found at the end of a test."""

from dataclasses import replace

import pytest
from slack_sdk.http_retry import FixedValueRetryIntervalCalculator
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import SystemClock
from assistant.slack.local.cast import demo_workspace
from assistant.slack.local.deliveries import Delivery, State, Timing
from assistant.slack.local.faults import Failure, Fault, Faults
from assistant.slack.local.office import Made, open_office
from assistant.slack.local.responses import respond
from assistant.slack.local.rules import RULES, broken_rules
from assistant.slack.local.shown import shown

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "wake up <!here>"}}
LITERAL = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "log: <!here>"}]}
    ],
}
SHOUT = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}
    ],
}
KEYED = {"event_type": "card", "event_payload": {"key": "incident-1"}}


async def test_a_good_post_breaks_no_rule(slack, client, channel, quiet):
    await client.chat_postMessage(channel=channel, text="x", blocks=[LITERAL], **quiet)
    assert slack.broken_rules() == []


@pytest.mark.parametrize(
    "post", [{"text": "<!channel> x"}, {"text": "x", "blocks": [SECTION]}, {"blocks": [SHOUT]}]
)
@pytest.mark.breaks("broadcast")
async def test_calling_everybody_is_found(slack, client, channel, quiet, post):
    await client.chat_postMessage(channel=channel, **{"text": "x"} | post, **quiet)
    assert slack.broken_rules() == [f"chat.postMessage in {channel} called everybody."]


def grouped(group):
    element = {"type": "usergroup", "usergroup_id": group}
    section = {"type": "rich_text_section", "elements": [element]}
    return {"blocks": [{"type": "rich_text", "elements": [section]}]}


async def test_the_approvers_may_be_called_to_a_request_that_waits(slack, client, channel, quiet):
    [sre] = slack.workspace.groups
    await client.chat_postMessage(channel=channel, text=f"Approval needed: x <!subteam^{sre}>",
                                  **grouped(sre), **quiet)  # fmt: skip
    assert slack.broken_rules() == []


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("Likely: x <!subteam^{sre}>", None),
        ("Likely: x", "{sre}"),
        ("Approval needed: x <!subteam^{ops}>", None),
        ("Approval needed: x", "{ops}"),
    ],
)
@pytest.mark.breaks("broadcast")
async def test_calling_a_group_to_anything_else_is_found(
    slack, client, channel, quiet, text, group
):
    [sre] = slack.workspace.groups
    ops = slack.workspace.add_group("ops", []).id
    made = grouped(group.format(sre=sre, ops=ops)) if group else {}
    said = text.format(sre=sre, ops=ops)
    await client.chat_postMessage(channel=channel, text=said, **made, **quiet)
    (wrong,) = slack.broken_rules()
    assert wrong.endswith(f"in {channel} called a group, and nobody waits for it there.")


@pytest.mark.breaks("broadcast")
async def test_calling_the_approvers_in_an_edit_is_found(slack, client, channel, quiet):
    [sre] = slack.workspace.groups
    post = await client.chat_postMessage(channel=channel, text="Approval needed: x", **quiet)
    said = f"Approval needed: x <!subteam^{sre}>"
    await client.chat_update(channel=channel, ts=post["ts"], text=said)
    (wrong,) = slack.broken_rules()
    assert wrong.startswith("chat.update in ")


LINK = {"type": "link", "url": "https://traces.example/t1"}
LED = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [LINK]}],
}
BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "go",
            "text": {"type": "plain_text", "text": "Go"},
            "url": "https://traces.example/t1",
        }
    ],
}


@pytest.mark.parametrize(
    "post", [{"blocks": [LED]}, {"blocks": [BUTTON]}, {"text": "<https://traces.example/t1|t1>"}]
)
@pytest.mark.breaks("addresses")
async def test_an_address_that_nobody_allowed_is_found(slack, client, channel, quiet, post):
    await client.chat_postMessage(channel=channel, **{"text": "x"} | post, **quiet)
    assert slack.broken_rules(hosts={"traces.example"}) == []
    assert slack.broken_rules() == [
        "chat.postMessage leads to https://traces.example/t1, which nobody allowed."
    ]


@pytest.mark.breaks("previews")
async def test_previews_must_be_refused_each_time(slack, client, channel):
    await client.chat_postMessage(channel=channel, text="x", unfurl_links=False)
    assert slack.broken_rules() == [
        f"chat.postMessage in {channel} did not say unfurl_media=False."
    ]


@pytest.mark.breaks("once")
async def test_a_message_that_was_posted_twice_is_found_by_its_key(slack, channel, quiet):
    slack.faults.add(Fault(method="chat.postMessage", failure=Failure.LOST_ANSWER))
    at_once = AsyncConnectionErrorRetryHandler(
        interval_calculator=FixedValueRetryIntervalCalculator(0.0)
    )
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[at_once])
    await client.chat_postMessage(channel=channel, text="x", metadata=KEYED, **quiet)
    assert len(slack.person("ana").messages("#incidents")) == 2
    assert slack.broken_rules() == ["The message with the key incident-1 was posted 2 times."]


async def test_more_than_a_post_a_second_is_found_where_it_lasts(slack, client, channel, quiet):
    for _ in range(4):
        await client.chat_postMessage(channel=channel, text="x", **quiet)
    assert slack.broken_rules(burst=4) == []
    assert slack.broken_rules(burst=2) == [f"{channel} was given more than 1 post a second."]
    assert slack.broken_rules(burst=None) == []


async def test_a_message_that_was_deleted_may_be_posted_again(slack, client, channel, quiet):
    for _ in range(2):
        post = await client.chat_postMessage(channel=channel, text="x", metadata=KEYED, **quiet)
        await client.chat_delete(channel=channel, ts=post["ts"])
    assert slack.broken_rules() == []


@pytest.mark.breaks("broadcast", "addresses")
async def test_what_was_shown_and_taken_back_was_shown(slack, client, channel, quiet):
    post = await client.chat_postMessage(
        channel=channel, text="x", blocks=[LITERAL, LED, SHOUT], **quiet
    )
    await client.chat_update(channel=channel, ts=post["ts"], text="x", blocks=[LITERAL])


async def test_slack_itself_may_be_led_to(slack, client, channel, quiet):
    post = await client.chat_postMessage(channel=channel, text="x", **quiet)
    link = await client.chat_getPermalink(channel=channel, message_ts=post["ts"])
    text = f"<{link['permalink']}|above>"
    await client.chat_postMessage(channel=channel, text=text, **quiet)
    assert slack.broken_rules() == []


POSTED = {"channel": "C1", "text": "x", "unfurl_links": False, "unfurl_media": False}


def call(method="chat.postMessage", *, ts="1.0", error="", at=0.0, **args):
    return Made(method=method, args=POSTED | args, at=at, ts=ts, error=error)


CRAMPED = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
GUESS = Delivery(kind="interactive", payload={"type": "block_actions"}, state=State.FAILED)
PLANTS = {
    "blocks": [call(blocks=[CRAMPED])],
    "broadcast": [call(text="<!everyone> look")],
    "previews": [call(unfurl_media=True)],
    "addresses": [call(text="<https://nowhere.example|look>")],
    "acknowledged": [GUESS],
    "once": [call(metadata=KEYED), call(metadata=KEYED, ts="2.0")],
    "streams": [call("chat.startStream"), call("chat.appendStream", ts="1.0")],
    "pace": [call(ts=str(number)) for number in range(12)],
}


@pytest.fixture
def office():
    """One that nobody connects to, with what a Slack that lets everything pass would have noted."""
    workspace = demo_workspace()
    return open_office(workspace, SystemClock(), Timing(), Faults(workspace.changes))


@pytest.mark.parametrize("name", RULES)
def test_a_breach_of_each_rule_is_found_by_that_rule_alone(office, name):
    for planted in PLANTS[name]:
        kept = office.deliveries.all if isinstance(planted, Delivery) else office.calls
        kept.append(planted)
    found = {n: broken_rules(office, burst=10, hosts=(), rules=[n]) for n in RULES}
    assert [n for n, said in found.items() if said] == [name]


SOME = {"type": "markdown_text", "text": "so far"}


@pytest.mark.parametrize(
    "end",
    [
        call("chat.stopStream", ts="1.0"),
        call("chat.appendStream", ts="1.0", error="stopped_by_user"),
        call("chat.appendStream", ts="1.0", error="message_not_in_streaming_state"),
    ],
    ids=["stopped", "stopped by a person", "ended before"],
)
def test_a_stream_that_has_ended_is_not_open(office, end):
    office.calls += [
        call("chat.startStream"),
        replace(end, args=end.args | {"ts": "1.0", "chunks": [SOME]}),
    ]
    assert broken_rules(office, burst=10, hosts=(), rules=RULES) == []


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        (call("chat.appendStream", chunks=[{"type": "blocks", "blocks": [SHOUT]}]), "broadcast"),
        (call("chat.appendStream", chunks=[SOME | {"text": "<!here>"}]), "broadcast"),
        (call("chat.appendStream", markdown_text="[x](https://nowhere.example)"), "addresses"),
        (call("chat.stopStream", blocks=[CRAMPED]), "blocks"),
        (call("views.open", view={"type": "modal", "blocks": [CRAMPED]}), "blocks"),
        (call("views.publish", view={"type": "home", "blocks": [BUTTON]}), "addresses"),
        (call("chat.postEphemeral", text="<!channel>"), "broadcast"),
    ],
)
def test_views_whispers_and_each_part_of_a_stream_are_looked_at(office, planted, rule):
    office.calls.append(planted)
    assert broken_rules(office, burst=None, hosts=(), rules=[rule])


async def test_an_answer_with_an_acknowledgement_is_looked_at(slack, channel):
    respond(slack.office, slack.office.triggers.open_url("U1", channel), {"text": "fine"})
    assert [one.texts for one in shown(slack.office)] == [("fine",)]
