"""Messages that grow: what Slack takes, what it refuses, and what people see of them."""

import pytest
from rich.console import Console
from slack_sdk.errors import SlackApiError

from assistant.slack import limits
from assistant.slack.local.interactions import NotThere
from assistant.slack.local.panels import Panels
from assistant.slack.local.screen import Screen, State

TASK = {"type": "task_update", "id": "spans", "title": "spans (otlp)", "status": "in_progress"}
DONE = TASK | {"status": "complete", "details": "&lt;b&gt;12 rows"}


@pytest.fixture
async def where(slack, channel):
    """What names the asker and the thread."""
    ana = slack.person("ana")
    ts = await ana.say("#incidents", "booking fails")
    return {
        "channel": channel,
        "thread_ts": ts,
        "recipient_user_id": ana.id,
        "recipient_team_id": ana.user.team,
        "task_display_mode": "plan",
    }


async def refused(call):
    with pytest.raises(SlackApiError) as error:
        await call
    return error.value.response["error"]


def growing(slack, where):
    return slack.person("ana").messages(where["channel"], where["thread_ts"])[-1]


async def test_a_stream_grows_until_it_is_stopped(slack, client, where):
    plan = {"type": "plan_update", "title": "looking"}
    ts = (await client.chat_startStream(**where, chunks=[plan, TASK]))["ts"]
    place = {"channel": where["channel"], "ts": ts}
    assert await refused(client.chat_update(**place, text="x")) == "streaming_state_conflict"
    await client.chat_appendStream(**place, markdown_text="I ", chunks=[DONE])
    await client.chat_stopStream(**place, markdown_text="looked.")
    message = growing(slack, where)
    assert (message.text, message.stream.title) == ("I looked.", "looking")
    assert [task["status"] for task in message.stream.tasks] == ["complete"]
    for call in (
        client.chat_appendStream(**place, markdown_text="more"),
        client.chat_stopStream(**place),
    ):
        assert await refused(call) == "message_not_in_streaming_state"
    await client.chat_update(**place, text="a message like any other")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipient_user_id": None}, "missing_recipient_user_id"),
        ({"recipient_team_id": None}, "missing_recipient_team_id"),
        ({"thread_ts": "1.000001"}, "thread_not_found"),
        ({"task_display_mode": "grid"}, "invalid_arguments"),
        ({"channel": "C0"}, "channel_not_found"),
        ({"chunks": [TASK | {"status": "done"}]}, "invalid_chunks"),
        ({"chunks": [TASK | {"colour": "red"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "task_update", "id": "spans"}]}, "invalid_chunks"),
        ({"chunks": [TASK | {"sources": [{"type": "url", "url": "https://a.example"}]}]},
         "invalid_chunks"),
        ({"chunks": {"type": "plan_update", "title": "x"}}, "invalid_chunks"),
        ({"chunks": [{"type": "blocks", "blocks": [{"type": "alert"}]}]}, "invalid_blocks"),
    ],
)  # fmt: skip
async def test_a_stream_that_slack_would_not_start_is_refused(client, where, change, code):
    wanted = {k: v for k, v in (where | change).items() if v is not None}
    assert await refused(client.api_call("chat.startStream", json=wanted)) == code


@pytest.mark.breaks("streams")
async def test_a_direct_message_needs_no_recipient(slack, client):
    ana = slack.person("ana")
    ts = await ana.say("@firstline", "booking fails")
    place = slack.workspace.direct(ana.id, slack.workspace.bot.id).id
    assert (await client.chat_startStream(channel=place, thread_ts=ts))["ok"]


@pytest.mark.breaks("streams", "previews")
async def test_only_a_stream_of_ones_own_can_be_added_to(slack, client, where):
    place = {"channel": where["channel"]}
    theirs = client.chat_appendStream(**place, ts=where["thread_ts"], markdown_text="x")
    assert await refused(theirs) == "message_not_owned_by_app"
    posted = (await client.chat_postMessage(**place, text="x"))["ts"]
    ours = client.chat_appendStream(**place, ts=posted, markdown_text="x")
    assert await refused(ours) == "message_not_in_streaming_state"
    ts = (await client.chat_startStream(**where))["ts"]
    assert await refused(client.chat_appendStream(**place, ts=ts)) == "no_text"


@pytest.mark.breaks("streams", "pace")
async def test_more_streams_than_slack_allows_in_a_minute_are_told_to_wait(slack, client, where):
    for _ in range(limits.STREAMS_A_MINUTE):
        await client.chat_startStream(**where)
    with pytest.raises(SlackApiError) as error:
        await client.chat_startStream(**where)
    assert error.value.response.status_code == 429
    assert 1 <= int(error.value.response.headers["Retry-After"]) <= 60


async def test_a_person_stops_what_is_under_way_in_a_thread(slack, client, app, run, where):
    heard = []

    async def stopped(event):
        heard.append(event)

    app.event("agent_session_stopped")(stopped)
    ana, thread = slack.person("ana"), where["thread_ts"]
    session = {"channel_id": where["channel"], "thread_ts": thread}
    async with run(app):
        with pytest.raises(NotThere, match="Nothing is under way"):
            await ana.stop("#incidents", thread)
        assert await refused(client.agents_sessions_setStatus(**session, status="busy"))
        await client.agents_sessions_setStatus(**session, status="processing")
        ts = (await client.chat_startStream(**where, chunks=[TASK]))["ts"]
        await ana.stop("#incidents", thread)
        await slack.wait_for(lambda: heard)
    assert heard[0]["streaming_message_ts"] == [ts]
    assert (heard[0]["user"], heard[0]["thread_ts"]) == (ana.id, thread)
    place = {"channel": where["channel"], "ts": ts}
    late = client.chat_appendStream(**place, chunks=[DONE])
    assert await refused(late) == "stopped_by_user"
    await client.agents_sessions_setStatus(**session, status="active")
    with pytest.raises(NotThere):
        await ana.stop("#incidents", thread)


@pytest.mark.breaks("streams", "addresses")
async def test_the_page_and_the_terminal_show_a_stream_with_its_tasks(slack, client, where):
    source = {"type": "url", "url": "https://traces.example/q", "text": "open"}
    session = {"channel_id": where["channel"], "thread_ts": where["thread_ts"]}
    await client.agents_sessions_setStatus(**session, status="processing")
    await client.chat_startStream(**where, chunks=[TASK, DONE | {"sources": [source]}])
    ana = slack.person("ana")
    state = State(user="ana", channel=where["channel"], thread=where["thread_ts"])
    html = Screen(slack.office, {}).render(state, ana, {})
    assert "spans (otlp)" in html
    assert "&lt;b&gt;12 rows" in html
    assert 'href="https://traces.example/q"' in html
    assert "&#34;stop&#34;" in html
    console = Console(width=80)
    with console.capture() as shown:
        console.print(Panels(slack.workspace, ana.id).draw(growing(slack, where)))
    assert "✓ spans (otlp)" in shown.get()
