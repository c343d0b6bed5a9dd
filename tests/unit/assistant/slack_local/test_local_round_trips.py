"""A real Bolt app in Socket Mode: what people do reaches it, what it answers reaches them."""

import asyncio

import pytest

from assistant.slack.local.deliveries import State, Timing
from assistant.slack.local.interactions import NotThere

BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "approve",
            "text": {"type": "plain_text", "text": "Approve"},
            "value": "opaque-1",
        }
    ],
}
MODAL = {
    "type": "modal",
    "callback_id": "reason",
    "title": {"type": "plain_text", "text": "Why"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


async def test_a_mention_is_answered_in_its_thread(slack, app, run, quiet):
    @app.event("app_mention")
    async def answer(event, say):
        await say(text=f"Looking at: {event['text']}", thread_ts=event["ts"], **quiet)

    @app.event("message")
    async def ignore():
        return None

    ana = slack.person("ana")
    async with run(app):
        ts = await ana.say("#incidents", "@firstline why is x < y & z?")
        thread = await slack.wait_for(
            lambda: len(found := ana.messages("#incidents", thread=ts)) == 2 and found
        )
        await slack.settled()
    bot = slack.workspace.bot.id
    assert thread[1].text == f"Looking at: <@{bot}> why is x &lt; y &amp; z?"
    assert slack.broken_rules() == []


async def test_both_twins_of_a_mention_arrive_and_a_direct_message_has_none(slack, app, run):
    heard = []

    @app.event("app_mention")
    async def mention(event):
        heard.append(("app_mention", event["channel"][0], event.get("channel_type")))

    @app.event("message")
    async def message(event):
        heard.append(("message", event["channel"][0], event["channel_type"]))

    ana = slack.person("ana")
    async with run(app):
        await ana.say("#incidents", "hi @firstline")
        await ana.say("@firstline", "hi @firstline")
        await slack.settled()
    assert sorted(heard) == [
        ("app_mention", "C", None),
        ("message", "C", "channel"),
        ("message", "D", "im"),
    ]


async def test_a_click_opens_a_modal_that_is_refused_then_accepted(
    slack, app, client, run, channel, quiet
):
    @app.action("approve")
    async def approve(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("reason")
    async def reason(ack, view, body, client):
        text = view["state"]["values"]["why"]["text"]["value"]
        if len(text) < 5:
            await ack(response_action="errors", errors={"why": "Say more."})
            return
        await ack()
        await client.chat_postMessage(
            channel=channel, text=f"{body['user']['id']}: {text}", **quiet
        )

    ana = slack.person("ana")
    async with run(app):
        posted = await client.chat_postMessage(
            channel=channel, text="Approve?", blocks=[BUTTON], **quiet
        )
        click = await ana.click("#incidents", posted["ts"], "approve")
        assert click.payload["actions"][0]["value"] == "opaque-1"
        modal = await slack.wait_for(ana.modal)
        assert await ana.submit(modal.id, {"text": "no"}) == {"why": "Say more."}
        assert await ana.submit(modal.id, {"text": "because"}) == {}
        assert ana.modal() is None
        last = await slack.wait_for(lambda: ana.messages("#incidents")[1:])
    assert last[0].text == f"{ana.id}: because"
    assert slack.broken_rules() == []


async def test_an_ephemeral_button_is_seen_and_pressed_by_one_person_only(
    slack, app, client, run, channel
):
    @app.action("approve")
    async def approve(ack, respond):
        await ack()
        await respond(text="Done.", replace_original=True)

    ana, ben = slack.person("ana"), slack.person("ben")
    async with run(app):
        posted = await client.chat_postEphemeral(
            channel=channel, user=ana.id, text="Only you", blocks=[BUTTON]
        )
        assert ben.messages("#incidents") == []
        with pytest.raises(NotThere, match="ben sees no message"):
            await ben.click("#incidents", posted["message_ts"], "approve")
        await ana.click("#incidents", posted["message_ts"], "approve")
        await slack.wait_for(lambda: ana.messages("#incidents")[0].text == "Done.")
    assert ana.messages("#incidents")[0].only_for == ana.id


async def test_a_command_and_both_kinds_of_shortcut(slack, app, run):
    used = []

    @app.command("/firstline")
    async def command(ack, command):
        await ack(f"You asked for {command['text']}")

    @app.shortcut("postmortem_from_thread")
    async def on_message(ack, shortcut):
        await ack()
        used.append(shortcut["message"]["text"])

    @app.shortcut("declare_incident")
    async def anywhere(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.event("message")
    async def ignore():
        return None

    cleo = slack.person("cleo")
    async with run(app):
        await cleo.slash("/firstline", "help", "#incidents")
        assert [m.text for m in cleo.messages("#incidents")] == ["You asked for help"]
        assert slack.person("ana").messages("#incidents") == []
        ts = await cleo.say("#incidents", "it broke")
        await cleo.shortcut("postmortem_from_thread", "#incidents", ts)
        await cleo.shortcut("declare_incident")
        modal = await slack.wait_for(cleo.modal)
        await cleo.close(modal.id)
    assert used == ["it broke"]
    assert cleo.modal() is None


async def test_the_home_tab_is_published_when_it_is_opened(slack, app, run):
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "All quiet"}}

    @app.event("app_home_opened")
    async def home(event, client):
        view = {"type": "home", "blocks": [section, BUTTON]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.action("approve")
    async def approve(ack, body, client):
        await ack()
        changed = {"type": "home", "blocks": [section]}
        await client.views_publish(
            user_id=body["user"]["id"], view=changed, hash=body["view"]["hash"]
        )

    ana = slack.person("ana")
    async with run(app):
        await ana.open_home()
        home = await slack.wait_for(ana.home)
        await ana.click_in_view(home.id, "approve")
        await slack.wait_for(lambda: len(ana.home().content["blocks"]) == 1)
    assert ana.home().id == home.id


@pytest.mark.parametrize("timing", [Timing(ack=0.05)])
@pytest.mark.breaks("acknowledged")
async def test_an_app_that_does_not_answer_a_click_shows_the_person_an_error(
    slack, app, client, run, channel, quiet
):
    forever = asyncio.Event()

    @app.action("approve")
    async def stuck():
        await forever.wait()

    ana = slack.person("ana")
    async with run(app):
        posted = await client.chat_postMessage(
            channel=channel, text="Approve?", blocks=[BUTTON], **quiet
        )
        click = await ana.click("#incidents", posted["ts"], "approve")
        assert click.state is State.FAILED
        assert click.attempts == 1
        assert ana.errors == ["firstline did not respond. Try again."]
        forever.set()
    assert slack.broken_rules() == ["interactive block_actions was never acknowledged (failed)."]


async def test_a_forged_payload_reaches_the_app_as_it_is(slack, app, run):
    seen = []

    @app.action("approve")
    async def approve(ack, body):
        await ack()
        seen.append((body["user"]["team_id"], body["actions"][0]["value"]))

    forged = {
        "type": "block_actions",
        "team": {"id": "T999"},
        "user": {"id": "U999", "team_id": "T999"},
        "actions": [{"type": "button", "action_id": "approve", "block_id": "b", "value": "rm"}],
    }
    async with run(app):
        delivery = await slack.deliver_raw("interactive", forged)
        await slack.wait_for(lambda: seen)
    assert delivery.state is State.ACKED
    assert seen == [("T999", "rm")]
