"""The page in a browser, by real requests: who may ask for it, what it shows, what it does."""

import asyncio
import json
import re
from html import unescape

import aiohttp
import pytest

from assistant.slack.local.page import LocalPage

PLAIN = {"type": "plain_text", "text": "Approve"}
BUTTON = {"type": "button", "action_id": "approve", "text": PLAIN, "style": "primary"}
MODAL = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "Why now"},
    "submit": PLAIN,
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def page(slack):
    async with LocalPage(slack, shortcuts={"pm": ("Write postmortem", "message", "")}) as page:
        yield page


@pytest.fixture
async def browser():
    async with aiohttp.ClientSession() as session:
        yield session


async def shown(browser, page, **state):
    async with browser.get(page.url, params=state) as answer:
        assert answer.status == 200
        return await answer.text()


def press_of(html, label):
    """The value of the button with this label, as the browser would send it."""
    found = re.search(rf'name="press" value="([^"]*)"[^>]*>{label}</button>', html)
    return unescape(found[1])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "SELF", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_only_the_page_itself_may_ask(page, browser, headers, status):
    headers = {key: page.origin if value == "SELF" else value for key, value in headers.items()}
    async with browser.get(page.url, headers=headers) as answer:
        assert answer.status == status
    async with browser.post(f"{page.url}dismiss", headers=headers, data={"at": ""}) as answer:
        assert answer.status == status


@pytest.mark.parametrize("path", ["/", "/wrong/", "/page.css", "/wrong/events", "/favicon.ico"])
async def test_without_the_token_nothing_is_shown(page, browser, path):
    async with browser.get(page.origin + path) as answer:
        assert answer.status == 403
        assert "firstline" not in await answer.text()


async def test_the_browser_is_told_to_run_and_load_nothing_foreign(page, browser):
    async with browser.get(page.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        html = await answer.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.findall(r"<script(?![^>]*src=)", html) == []
    assert re.findall(r"\son\w+=|\sstyle=", html) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == []
    for asset in ("page.css", "page.js", "page.svg"):
        async with browser.get(page.url + asset) as answer:
            assert answer.status == 200


@pytest.mark.breaks("addresses")
async def test_what_anybody_wrote_stays_text(slack, client, channel, quiet, page, browser):
    texts = {
        "header": {"type": "header", "text": {"type": "plain_text", "text": EVIL}},
        "section": {"type": "section", "text": {"type": "mrkdwn", "text": "<javascript:x|go>"}},
        "rich": {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_preformatted",
                    "elements": [{"type": "text", "text": f"{EVIL}\" onload='x'"}],
                }
            ],
        },
        "table": {"type": "table", "rows": [[{"type": "raw_text", "text": EVIL}]]},
        "picture": {"type": "image", "alt_text": EVIL, "image_url": "https://evil.example/a.png"},
        "press": {
            "type": "actions",
            "elements": [
                BUTTON | {"action_id": f'"{EVIL}', "text": {"type": "plain_text", "text": EVIL}}
            ],
        },
    }
    await client.chat_postMessage(channel=channel, text=EVIL, blocks=list(texts.values()), **quiet)
    await slack.person("ana").say("#incidents", EVIL)
    html = await shown(browser, page, user="ana", channel=channel, raw="1")
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6
    assert 'href="javascript' not in html
    assert "evil.example/a.png" not in html.replace('"image_url', "").split("<pre>{")[0]


@pytest.mark.breaks("previews")
async def test_people_speak_press_fill_in_and_see_only_their_own(slack, app, run, page, browser):
    channel = slack.workspace.channel_named("incidents").id

    @app.action("approve")
    async def approve(ack, body, client):
        await ack()
        if body["user"]["id"] != slack.person("ana").id:
            await client.chat_postEphemeral(
                channel=channel, user=body["user"]["id"], text="Only sre may."
            )
            return
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("why")
    async def why(ack, view):
        said = view["state"]["values"]["reason"]["text"]["value"]
        errors = {"reason": "Say more."}
        await (ack() if len(said) > 3 else ack(response_action="errors", errors=errors))

    @app.event("message")
    async def ignore():
        return None

    async def act(name, user, **form):
        data = {"at": f"user={user}&channel={channel}", **form}
        async with browser.post(page.url + name, data=data) as answer:
            return await answer.text()

    async with run(app):
        html = await act("say", "cleo", text="it is slow & bad")
        assert "it is slow &amp; bad" in html
        await app.client.chat_postMessage(
            channel=channel, text="x", blocks=[{"type": "actions", "elements": [BUTTON]}]
        )
        html = await shown(browser, page, user="cleo", channel=channel)
        press = press_of(html, "Approve")
        assert "value" not in json.loads(press)
        await act("press", "cleo", press=press)
        await slack.wait_for(
            lambda: any(m.only_for for m in slack.person("cleo").messages(channel))
        )
        assert "Only visible to you" in await shown(browser, page, user="cleo", channel=channel)
        assert "Only sre may" not in await shown(browser, page, user="ben", channel=channel)

        await act("press", "ana", press=press)
        modal = await slack.wait_for(slack.person("ana").modal)
        assert "Why now" in await shown(browser, page, user="ana")
        assert "Why now" not in await shown(browser, page, user="ben")
        assert "Say more." in await act("submit", "ana", view=modal.id, text="no")
        assert "Why now" not in await act("submit", "ana", view=modal.id, text="because")


async def test_a_guest_sees_no_other_channel_and_a_stale_button_is_explained(
    slack, page, browser, channel
):
    general = slack.workspace.channel_named("general").id
    html = await shown(browser, page, user="gus", channel=general)
    assert "<h2>#incidents</h2>" in html
    assert "general" not in html
    stale = json.dumps({"channel": channel, "ts": "1.0", "action_id": "approve"})
    data = {"at": f"user=gus&channel={channel}", "press": stale}
    async with browser.post(f"{page.url}press", data=data) as answer:
        assert "gus sees no message 1.0." in await answer.text()
    async with browser.post(f"{page.url}press", data=data | {"press": "[]"}) as answer:
        assert "This button is not one of the page." in await answer.text()
    async with browser.post(f"{page.url}dismiss", data=data) as answer:
        assert "gus sees" not in await answer.text()


async def test_the_page_is_told_of_changes(slack, page, browser):
    async with browser.get(f"{page.url}events") as stream:
        assert stream.content_type == "text/event-stream"
        async with asyncio.timeout(60):
            first = await stream.content.readline()
            await stream.content.readline()
            await slack.person("ana").say("#incidents", "news")
            second = await stream.content.readline()
    assert first != second


async def test_only_pictures_that_were_uploaded_are_served(slack, client, channel, page, browser):
    png = b"\x89PNG\r\n\x1a\nrest"
    for name, content in (("plot.png", png), ("page.html", EVIL.encode())):
        await client.files_upload_v2(channel=channel, filename=name, content=content)
    for file in slack.workspace.files.values():
        async with browser.get(f"{page.url}files/{file.id}") as answer:
            assert answer.status == (200 if file.name == "plot.png" else 404)
            assert answer.content_type != "text/html"


@pytest.mark.breaks("previews")
async def test_a_permalink_leads_to_its_thread_on_the_page(slack, client, channel, page, browser):
    first = await client.chat_postMessage(channel=channel, text="first")
    reply = await client.chat_postMessage(channel=channel, text="r", thread_ts=first["ts"])
    link = await client.chat_getPermalink(channel=channel, message_ts=reply["ts"])
    await client.chat_postMessage(channel=channel, text=f"see <{link['permalink']}|this>")
    html = await shown(browser, page, user="ben", channel=channel)
    place = f"?user=ben&amp;channel={channel}&amp;thread={first['ts']}"
    assert f'<a href="{place}" target="_blank" rel="noopener noreferrer">this</a>' in html


async def test_shortcuts_stand_beside_each_message_and_in_the_margin(
    slack, app, run, browser, channel
):
    used = []

    @app.shortcut("investigate_message")
    async def investigate(ack, shortcut):
        await ack()
        used.append((shortcut["type"], shortcut["message"]["text"]))

    @app.shortcut("declare_incident")
    async def declare(ack, shortcut):
        await ack()
        used.append((shortcut["type"], shortcut["user"]["name"]))

    await slack.person("cleo").say("#incidents", "logins fail")
    async with run(app), LocalPage(slack) as page:
        html = await shown(browser, page, user="ana", channel=channel)
        assert html.count("Postmortem from thread") == 1
        for label in ("Investigate this", "Declare an incident"):
            press = press_of(html, f"(?:<span>.</span> )?{label}")
            at = f"user=ana&channel={channel}"
            async with browser.post(f"{page.url}press", data={"at": at, "press": press}) as answer:
                assert answer.status == 200
        await slack.wait_for(lambda: len(used) == 2)
    assert used == [("message_action", "logins fail"), ("shortcut", "ana")]


async def test_a_command_is_typed_where_messages_are(slack, app, run, browser, channel):
    typed = []

    @app.command("/firstline")
    async def command(ack, command):
        await ack()
        typed.append((command["text"], command["user_name"]))

    async with run(app), LocalPage(slack) as page:
        said = {"at": f"user=ben&channel={channel}", "text": "/firstline declare logins fail"}
        async with browser.post(f"{page.url}say", data=said) as answer:
            assert answer.status == 200
    assert typed == [("declare logins fail", "ben")]


async def test_all_check_boxes_can_be_taken_away(slack, app, run, browser, channel):
    got = []
    options = [{"text": {"type": "plain_text", "text": t}, "value": t} for t in ("one", "two")]
    boxes = {
        "type": "checkboxes", "action_id": "kept", "options": options, "initial_options": options,
    }  # fmt: skip
    label = {"type": "plain_text", "text": "Lines"}
    block = {"type": "input", "block_id": "kept", "label": label, "element": boxes}
    view = MODAL | {"blocks": [block | {"optional": True}], "callback_id": "boxes"}

    @app.shortcut("declare_incident")
    async def opened(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("boxes")
    async def submitted(ack, view):
        await ack()
        got.append(view["state"]["values"]["kept"]["kept"]["selected_options"])

    ana = slack.person("ana")
    async with run(app), LocalPage(slack) as page:
        await ana.shortcut("declare_incident")
        modal = await slack.wait_for(ana.modal)
        html = await shown(browser, page, user="ana", channel=channel)
        fields = re.findall(r'<input type="(\w+)" name="kept" value="(\w*)"( checked)?', html)
        assert fields == [
            ("hidden", "", ""), ("checkbox", "one", " checked"), ("checkbox", "two", " checked"),
        ]  # fmt: skip
        form = {"at": f"user=ana&channel={channel}", "view": modal.id, "kept": ""}
        async with browser.post(f"{page.url}submit", data=form) as answer:
            assert answer.status == 200
        await slack.wait_for(lambda: got)
    assert got == [[]]


async def test_a_file_of_words_is_shown_as_words(slack, client, channel, browser):
    await client.files_upload_v2(
        channel=channel, filename="account.md", title="Postmortem", content=f"# {EVIL}"
    )
    async with LocalPage(slack) as page:
        html = await shown(browser, page, user="ana", channel=channel)
    assert "Postmortem <small>account.md</small>" in html
    assert "<pre># &lt;script&gt;alert(1)&lt;/script&gt;</pre>" in html
