"""What Slack refuses is refused here, with Slack's code."""

import pytest
from slack_sdk.errors import SlackApiError

from assistant.slack.local.interactions import NotThere
from assistant.slack.local.people import Kind
from assistant.slack.local.triggers import Triggers

DIVIDER = {"type": "divider"}
PLAIN = {"type": "plain_text", "text": "x"}
MODAL = {"type": "modal", "title": PLAIN, "blocks": [DIVIDER]}
HOME = {"type": "home", "blocks": [DIVIDER]}
LONG = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}} for _ in range(5)]

POSTS = [
    ({}, "no_text"),
    ({"text": "x", "channel": "C0"}, "channel_not_found"),
    ({"text": "x", "channel": "#general"}, "not_in_channel"),
    ({"text": "x", "channel": "#closed"}, "is_archived"),
    ({"text": "x", "channel": "#secret"}, "channel_not_found"),
    ({"text": "x", "blocks": "no JSON"}, "invalid_blocks_format"),
    ({"text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
    ({"text": "x", "blocks": [DIVIDER] * 51}, "invalid_blocks"),
    ({"text": "x", "blocks": [{"type": "alert", "text": PLAIN}]}, "invalid_blocks"),
    ({"text": "x", "blocks": LONG}, "msg_blocks_too_long"),
    ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ({"text": "x", "metadata": {"event_type": "e"}}, "invalid_metadata_format"),
    (
        {"text": "x", "metadata": {"event_type": "e", "event_payload": {"k": "x" * 9000}}},
        "metadata_too_large",
    ),
    ({"text": "x", "attachments": [{"text": "old"}]}, "invalid_attachments"),
]


@pytest.fixture(autouse=True)
def closed_and_secret(slack):
    ana = slack.workspace.user_named("ana")
    closed = slack.workspace.add_channel("closed", [slack.workspace.bot, ana])
    closed.archived = True
    slack.workspace.add_channel("secret", [ana], kind=Kind.PRIVATE)


@pytest.mark.parametrize(("post", "code"), POSTS)
async def test_a_bad_post_is_refused(slack, client, channel, post, code):
    with pytest.raises(SlackApiError) as refused:
        await client.api_call("chat.postMessage", json={"channel": channel} | post)
    assert refused.value.response["error"] == code
    assert slack.person("ana").messages("#incidents") == []
    assert slack.broken_rules() == []


async def test_a_refused_block_is_pointed_at(client, channel):
    bad = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=channel, text="x", blocks=[DIVIDER, bad])
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


@pytest.mark.breaks("previews")
async def test_only_our_own_messages_can_be_changed(slack, client, channel):
    theirs = await slack.person("ana").say("#incidents", "mine")
    for call in (client.chat_update, client.chat_delete):
        with pytest.raises(SlackApiError, match=r"cant_(update|delete)_message"):
            await call(channel=channel, ts=theirs, **_text(call, client))
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel=channel, ts="1.000001", text="x")
    ours = await client.chat_postMessage(channel=channel, text="x")
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_update(channel=channel, ts=ours["ts"], text="x" * 4001)
    seen = await client.chat_postEphemeral(channel=channel, user=slack.person("ana").id, text="x")
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel=channel, ts=seen["message_ts"], text="y")


def _text(call, client):
    return {"text": "x"} if call == client.chat_update else {}


async def test_an_ephemeral_message_needs_somebody_who_is_there(slack, client, channel):
    dan = slack.workspace.add_user("dan")
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await client.chat_postEphemeral(channel=channel, user=dan.id, text="x")
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_postEphemeral(
            channel=channel, user=slack.person("ana").id, text="x" * 4001
        )


async def test_an_ephemeral_message_is_shown_nowhere_in_a_thread_without_replies(
    slack, client, channel
):
    ana = slack.person("ana")
    first = await ana.say("#incidents", "one")

    async def whisper():
        return await client.chat_postEphemeral(
            channel=channel, user=ana.id, text="for you", thread_ts=first
        )

    assert (await whisper())["message_ts"]
    assert [m.text for m in ana.messages("#incidents", first)] == ["one"]
    await slack.person("ben").say("#incidents", "two", thread=first)
    await whisper()
    assert [m.text for m in ana.messages("#incidents", first)] == ["one", "two", "for you"]


@pytest.mark.breaks("previews")
async def test_a_reply_to_a_reply_is_refused(client, channel):
    first = await client.chat_postMessage(channel=channel, text="x")
    reply = await client.chat_postMessage(channel=channel, text="y", thread_ts=first["ts"])
    with pytest.raises(SlackApiError, match="cannot_reply_to_message"):
        await client.chat_postMessage(channel=channel, text="z", thread_ts=reply["ts"])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Inc 1", "invalid_name_specials"),
        ("--", "invalid_name_punctuation"),
        ("incidents", "name_taken"),
    ],
)
async def test_a_bad_channel_name_is_refused(client, name, code):
    with pytest.raises(SlackApiError) as refused:
        await client.conversations_create(name=name)
    assert refused.value.response["error"] == code


@pytest.mark.parametrize(
    ("users", "code"),
    [
        (["U0"], "user_not_found"),
        (["ana"], "already_in_channel"),
        (["firstline"], "cant_invite_self"),
        ([], "no_user"),
    ],
)
async def test_a_bad_invitation_is_refused(slack, client, channel, users, code):
    named = {user.name: user.id for user in slack.workspace.users.values()}
    with pytest.raises(SlackApiError) as refused:
        await client.conversations_invite(channel=channel, users=[named.get(u, u) for u in users])
    assert refused.value.response["error"] == code


async def test_direct_messages_have_two_people_and_are_seen_by_no_other_app(slack, client):
    ana, ben, bot = (slack.workspace.user_named(name) for name in ("ana", "ben", "firstline"))
    ours = slack.workspace.direct(ana.id, bot.id).id
    theirs = slack.workspace.direct(ana.id, ben.id).id
    shown = (await client.conversations_info(channel=ours))["channel"]
    assert (shown["is_im"], shown["user"], "is_member" in shown) == (True, ana.id, False)
    for call, code in (
        (client.conversations_info(channel=theirs), "channel_not_found"),
        (client.conversations_members(channel=theirs), "channel_not_found"),
        (
            client.conversations_invite(channel=ours, users=[ben.id]),
            "method_not_supported_for_channel_type",
        ),
        (client.conversations_archive(channel=ours), "method_not_supported_for_channel_type"),
    ):
        with pytest.raises(SlackApiError) as refused:
            await call
        assert refused.value.response["error"] == code
    with pytest.raises(NotThere, match="let into direct messages"):
        slack.person("ana").invite("@firstline", "ben")


@pytest.mark.breaks("previews")
async def test_small_things_are_refused_too(slack, client, channel):
    posted = await client.chat_postMessage(channel=channel, text="x")
    pin = {"channel": channel, "timestamp": posted["ts"]}
    await client.pins_add(**pin)
    await client.reactions_add(**pin, name="eyes")
    for call, code in (
        (client.pins_add(**pin), "already_pinned"),
        (client.reactions_add(**pin, name="eyes"), "already_reacted"),
        (client.reactions_add(**pin, name="No Name"), "invalid_name"),
        (client.conversations_setTopic(channel=channel, topic="x" * 251), "too_long"),
        (client.conversations_replies(channel=channel, ts="1.1"), "thread_not_found"),
        (client.conversations_history(channel=channel, limit=1001), "invalid_limit"),
        (client.usergroups_users_list(usergroup="S0"), "no_such_subteam"),
        (client.users_info(user="U0"), "user_not_found"),
        (client.bookmarks_add(channel_id=channel, title="x", type="file"), "invalid_bookmark_type"),
        (client.conversations_open(users=["U0"]), "user_not_found"),
        (client.views_open(trigger_id="none", view=MODAL), "invalid_trigger_id"),
        (client.views_open(trigger_id="none", view=HOME), "invalid_arguments"),
        (client.views_update(view_id="V0", view=MODAL), "not_found"),
    ):
        with pytest.raises(SlackApiError) as refused:
            await call
        assert refused.value.response["error"] == code


class Later:
    """A clock that is put forward by hand."""

    def __init__(self):
        self.seconds = 0.0

    def monotonic(self):
        return self.seconds


async def test_a_trigger_is_good_once_and_for_three_seconds(slack, client):
    clock = Later()
    triggers = slack.office.triggers = Triggers(clock)
    ana = slack.person("ana").id
    used, stale = triggers.issue(ana), triggers.issue(ana)
    clock.seconds = 2.9
    await client.views_open(trigger_id=used, view=MODAL)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=used, view=MODAL)
    clock.seconds = 3.1
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=stale, view=MODAL)


async def test_a_pile_of_modals_has_three_floors_and_old_hashes_are_refused(slack, client):
    triggers, ana = slack.office.triggers, slack.person("ana")
    opened = await client.views_open(trigger_id=triggers.issue(ana.id), view=MODAL)
    below = opened["view"]["id"]
    for _ in range(2):
        pushed = await client.views_push(trigger_id=triggers.issue(ana.id, below), view=MODAL)
        assert pushed["view"]["previous_view_id"] == below
        below = pushed["view"]["id"]
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=triggers.issue(ana.id, below), view=MODAL)
    await client.views_update(view_id=below, hash=pushed["view"]["hash"], view=MODAL)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=below, hash=pushed["view"]["hash"], view=MODAL)


async def test_a_view_may_not_be_larger_than_slack_takes(slack, client):
    text = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}
    trigger = slack.office.triggers.issue(slack.person("ana").id)
    with pytest.raises(SlackApiError, match="view_too_large"):
        await client.views_open(trigger_id=trigger, view=MODAL | {"blocks": [text] * 90})
