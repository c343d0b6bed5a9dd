"""The Web API as Slack's own client sees it: what works, who may, and what may break."""

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slackrig import judged

from assistant.slack.local.cast import SCOPES, demo_workspace
from assistant.slack.local.deliveries import Timing
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.people import Kind


async def test_the_token_says_who_we_are_and_what_we_may(slack, client):
    answer = await client.auth_test()
    assert answer["user"] == "firstline"
    assert set(answer.headers["X-OAuth-Scopes"].split(",")) == SCOPES


@pytest.mark.breaks("previews")
async def test_an_incident_channel_from_its_opening_to_its_end(slack, client):
    made = (await client.conversations_create(name="inc-7"))["channel"]
    ana, ben = slack.person("ana"), slack.person("ben")
    await client.conversations_invite(channel=made["id"], users=[ana.id, ben.id])
    await client.conversations_setTopic(channel=made["id"], topic="It is slow")
    await client.bookmarks_add(
        channel_id=made["id"], title="Dashboard", type="link", link="http://127.0.0.1:1/"
    )
    posted = await client.chat_postMessage(channel=made["id"], text="State")
    await client.pins_add(channel=made["id"], timestamp=posted["ts"])
    await client.reactions_add(channel=made["id"], timestamp=posted["ts"], name="eyes")
    info = (await client.conversations_info(channel=made["id"]))["channel"]
    assert (info["topic"]["value"], info["num_members"]) == ("It is slow", 3)
    members = await client.conversations_members(channel=made["id"])
    assert members["members"] == [slack.workspace.bot.id, ana.id, ben.id]
    await client.conversations_archive(channel=made["id"])
    with pytest.raises(SlackApiError, match="is_archived"):
        await client.chat_postMessage(channel=made["id"], text="late")
    listed = await client.conversations_list(exclude_archived=True)
    assert {c["name"] for c in listed["channels"]} == {"general", "incidents"}


@pytest.mark.breaks("previews")
async def test_history_is_newest_first_in_pages_and_threads_are_apart(slack, client, channel):
    sent = [await client.chat_postMessage(channel=channel, text=str(n)) for n in range(5)]
    meta = {"event_type": "card", "event_payload": {"key": "k"}}
    reply = await client.chat_postMessage(
        channel=channel, text="reply", thread_ts=sent[0]["ts"], metadata=meta
    )
    assert [s["ts"] for s in sent] == sorted({s["ts"] for s in sent})
    seen = []
    async for page in await client.conversations_history(channel=channel, limit=2):
        seen += [message["text"] for message in page["messages"]]
    assert seen == ["4", "3", "2", "1", "0"]
    replies = await client.conversations_replies(
        channel=channel, ts=sent[0]["ts"], include_all_metadata=True
    )
    assert [m["text"] for m in replies["messages"]] == ["0", "reply"]
    assert replies["messages"][0]["reply_count"] == 1
    assert replies["messages"][1]["metadata"] == meta
    later = await client.conversations_history(channel=channel, oldest=sent[3]["ts"])
    assert [m["text"] for m in later["messages"]] == ["4"]
    assert reply["message"]["thread_ts"] == sent[0]["ts"]


@pytest.mark.breaks("previews")
async def test_a_message_is_changed_in_place_and_deleted(slack, client, channel):
    posted = await client.chat_postMessage(channel=channel, text="one")
    await client.chat_update(channel=channel, ts=posted["ts"], text="two")
    [message] = slack.person("ana").messages("#incidents")
    assert (message.text, message.ts) == ("two", posted["ts"])
    assert message.edited
    link = await client.chat_getPermalink(channel=channel, message_ts=posted["ts"])
    assert link["permalink"].startswith(slack.base_url)
    await client.chat_delete(channel=channel, ts=posted["ts"])
    assert slack.person("ana").messages("#incidents") == []


async def test_groups_and_people_are_told_apart(slack, client):
    sam = slack.workspace.add_user("sam", team="T0ELSEWHERE")
    [sre] = (await client.usergroups_list())["usergroups"]
    members = (await client.usergroups_users_list(usergroup=sre["id"]))["users"]
    assert members == [slack.person("ana").id, slack.person("ben").id]
    gus = (await client.users_info(user=slack.person("gus").id))["user"]
    assert gus["is_restricted"]
    stranger = (await client.users_info(user=sam.id))["user"]
    assert stranger["is_stranger"]
    assert stranger["team_id"] == "T0ELSEWHERE"
    slack.workspace.channel_named("incidents").members.append(sam.id)
    met = (await client.users_info(user=sam.id))["user"]
    assert (met["is_stranger"], met["team_id"]) == (False, "T0ELSEWHERE")
    assert len((await client.users_list())["members"]) == 6


async def test_a_private_channel_does_not_exist_for_those_outside(slack, client):
    ana = slack.workspace.user_named("ana")
    secret = slack.workspace.add_channel("secret", [ana], kind=Kind.PRIVATE)
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.conversations_info(channel=secret.id)
    with pytest.raises(LookupError):
        slack.person("ben").messages("secret")
    assert slack.person("ana").messages("secret") == []


@pytest.mark.parametrize("timing", [Timing(processing=3600.0)])
@pytest.mark.breaks("previews")
async def test_a_file_is_uploaded_and_shown_by_its_id_once_it_is_processed(slack, client, channel):
    uploaded = await client.files_upload_v2(
        channel=channel, filename="plot.png", content=b"png", title="Latency", alt_txt="a line"
    )
    name = uploaded["files"][0]["id"]
    block = {"type": "image", "alt_text": "a line", "slack_file": {"id": name}}
    with pytest.raises(SlackApiError, match="invalid slack file"):
        await client.chat_postMessage(channel=channel, text="plot", blocks=[block])
    slack.office.processing = 0.0
    await client.chat_postMessage(channel=channel, text="plot", blocks=[block])
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(
            channel=channel, text="plot", blocks=[block | {"slack_file": {"id": "F1"}}]
        )
    assert slack.workspace.files[name].content == b"png"


@pytest.mark.breaks("previews")
async def test_a_status_line_goes_away_with_the_answer(slack, client, channel):
    posted = await client.chat_postMessage(channel=channel, text="x")
    where = {"channel_id": channel, "thread_ts": posted["ts"]}
    await client.assistant_threads_setStatus(**where, status="is looking")
    assert slack.workspace.statuses == {(channel, posted["ts"]): "is looking"}
    await client.chat_postMessage(channel=channel, text="y", thread_ts=posted["ts"])
    assert slack.workspace.statuses == {}


@pytest.mark.parametrize(
    ("scope", "method", "args"),
    [
        ("chat:write", "chat_postMessage", {"channel": "C", "text": "x"}),
        ("channels:history", "conversations_history", {"channel": "C"}),
        ("channels:manage", "conversations_create", {"name": "inc-1"}),
        ("usergroups:read", "usergroups_list", {}),
        ("users:read", "users_info", {"user": "U"}),
        ("im:read", "conversations_info", {"channel": "D"}),
    ],
)
async def test_a_scope_that_was_not_given_is_named(scope, method, args):
    workspace = demo_workspace()
    direct = workspace.direct(workspace.bot.id, workspace.user_named("ana").id)
    places = {"C": workspace.channel_named("incidents").id, "D": direct.id}
    args = args | ({"channel": places[args["channel"]]} if "channel" in args else {})
    async with judged(workspace, scopes=SCOPES - {scope}) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        with pytest.raises(SlackApiError) as refused:
            await getattr(client, method)(**args)
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == scope


@pytest.mark.parametrize(
    ("kind", "code"),
    [("none", "not_authed"), ("wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
)
async def test_a_call_needs_the_right_token(slack, kind, code):
    tokens = {"none": None, "wrong": "xoxb-wrong", "app": slack.app_token}
    client = AsyncWebClient(token=tokens[kind], base_url=slack.api_url)
    with pytest.raises(SlackApiError, match=code):
        await client.auth_test()


async def test_an_unknown_method_is_an_answer_like_any_other(slack, client):
    with pytest.raises(SlackApiError, match="unknown_method") as refused:
        await client.api_call("chat.sing")
    assert refused.value.response.status_code == 200


@pytest.mark.breaks("previews")
async def test_arguments_come_as_json_as_a_form_or_in_the_query(slack, channel):
    url = f"{slack.api_url}chat.postMessage"
    said = {"channel": channel, "text": "x", "blocks": '[{"type":"divider"}]'}
    async with aiohttp.ClientSession() as session:
        for sent in ({"json": said}, {"data": said}, {"params": said}):
            headers = {"Authorization": f"Bearer {slack.bot_token}"}
            async with session.post(url, headers=headers, **sent) as answer:
                assert (await answer.json())["ok"]
        async with session.post(url, data=b"{", headers={"Content-Type": "application/json"}) as a:
            assert (await a.json())["error"] == "invalid_json"
    assert len(slack.person("ana").messages("#incidents")) == 3


@pytest.mark.breaks("previews")
async def test_a_call_can_be_made_to_fail_in_every_way(slack, channel):
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    post = {"channel": channel, "text": "x"}
    slack.faults.add(
        Fault(method="chat.postMessage", failure=Failure.RATE_LIMITED, seconds=7),
        Fault(method="chat.postMessage", failure=Failure.SLOW, seconds=0.01),
    )
    with pytest.raises(SlackApiError, match="ratelimited") as refused:
        await client.chat_postMessage(**post)
    assert refused.value.response.headers["Retry-After"] == "7"
    await client.chat_postMessage(**post)
    slack.faults.add(Fault(method="chat.postMessage", failure=Failure.ERROR, status=500))
    with pytest.raises(SlackApiError, match="500"):
        await client.chat_postMessage(**post)
    slack.faults.add(Fault(method="chat.postMessage", failure=Failure.LOST_ANSWER))
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(**post)
    assert len(slack.person("ana").messages("#incidents")) == 2


async def test_a_ts_is_never_given_out_twice(slack):
    channel = slack.workspace.channel_named("incidents")
    still = slack.office.clock.now()
    first = slack.workspace.post(channel, still, text="x")
    slack.workspace.remove(first)
    second = slack.workspace.post(channel, still, text="y")
    assert second.ts > first.ts
