"""The terminal: lines in, panels out, with a real app behind."""

import asyncio
import io
import os

import pytest
from rich.console import Console

from assistant.slack.local.changes import Changes
from assistant.slack.local.chat import chat, typed
from assistant.slack.local.panels import Panels


def plain(text):
    return {"type": "plain_text", "text": text}


CARD = [
    {"type": "header", "text": plain("Likely: a release")},
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "since *20:02*"}]},
    {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "see <https://x.example|trace>"},
        "fields": [plain("field")],
        "accessory": {"type": "button", "action_id": "diff", "text": plain("Show diff")},
    },
    {"type": "divider"},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": "\x1b[31m[bold]log"}],
            }
        ],
    },
    {"type": "markdown", "text": "**strong**"},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "cell"}]]},
    {
        "type": "container",
        "title": plain("Folded"),
        "child_blocks": [
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "action_id": "approve", "text": plain("Approve")},
                    {
                        "type": "button",
                        "action_id": "hidden",
                        "text": plain("Hidden"),
                        "visible_to_user_ids": ["U9"],
                    },
                ],
            }
        ],
    },
]
MODAL = {
    "type": "modal",
    "callback_id": "why",
    "title": plain("Why now"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


class Screen(io.StringIO):
    """What was printed, and a way to wait for more."""

    def __init__(self):
        super().__init__()
        self.changes = Changes()

    def write(self, text):
        self.changes.note()
        return super().write(text)

    def flush(self):
        self.changes.note()


class Keys:
    """Lines typed one after another, each when the screen shows what it waits for."""

    def __init__(self, screen, *script):
        self.screen, self.script = screen, script

    async def __aiter__(self):
        for awaited, line in self.script:
            await self.screen.changes.until(lambda text=awaited: text in self.screen.getvalue(), 60)
            yield line


@pytest.fixture
def screen():
    return Screen()


@pytest.mark.breaks("addresses")
async def test_a_conversation_in_the_terminal(slack, app, run, channel, quiet, screen):
    reasons = []

    @app.event("app_mention")
    async def answer(event, say):
        await say(text="card", blocks=CARD, thread_ts=event["ts"], **quiet)

    @app.event("message")
    async def ignore():
        return None

    @app.action("approve")
    async def approve(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("why")
    async def why(ack, view, client):
        said = view["state"]["values"]["reason"]["text"]["value"]
        if said == "no":
            await ack(response_action="errors", errors={"reason": "Say more."})
            return
        await ack()
        reasons.append(said)
        await client.chat_postMessage(channel=channel, text="Done.", **quiet)

    @app.command("/firstline")
    async def command(ack):
        await ack("Help is here.")

    keys = Keys(
        screen,
        ("", "/firstline help"),
        ("Help is here.", "@firstline why?"),
        (" 2  Approve", "2"),
        ("Reason (or cancel)", "no"),
        ("Say more.", "because"),
        ("Done.", "> thanks"),
        ("thanks", "99"),
        ("99", ""),
    )
    console = Console(file=screen, width=80)
    async with run(app):
        await chat(slack, slack.person("ana"), "#incidents", console=console, lines=aiter(keys))
    text = screen.getvalue()
    assert reasons == ["because"]
    for part in ("Likely: a release", " 1  Show diff", "trace (https://x.example)", "[bold]log"):
        assert part in text
    assert "\x1b" not in text
    assert "Hidden" not in text
    assert "only visible to you" in text
    thread = slack.person("ana").messages("#incidents")[-1]
    assert thread.text == "99"


async def test_what_cannot_be_done_is_said_and_a_modal_can_be_left(slack, app, run, screen):
    @app.shortcut("open")
    async def opened(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    cleo = slack.person("cleo")
    keys = Keys(screen, ("Reason", "cancel"), ("", "hello"))
    console = Console(file=screen, width=80)
    async with run(app):
        await cleo.shortcut("open")
        await slack.wait_for(cleo.modal)
        slack.workspace.channel_named("incidents").archived = True
        await chat(slack, cleo, "#incidents", console=console, lines=aiter(keys))
    assert cleo.modal() is None
    assert "cleo cannot write in #incidents." in screen.getvalue()


async def test_lines_are_read_from_a_pipe_until_it_ends():
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream:
        with os.fdopen(writing, "w") as other:
            other.write("one\ntwo\n")
        async with asyncio.timeout(60):
            assert [line async for line in typed(stream)] == ["one\n", "two\n"]


async def test_lines_are_read_from_a_file(tmp_path):
    (tmp_path / "lines").write_text("one\ntwo\n")
    with (tmp_path / "lines").open() as stream:
        assert [line async for line in typed(stream)] == ["one\n", "two\n"]


async def test_a_record_cuts_what_is_long_or_folded_and_has_no_buttons(slack, channel):
    def listed(count, mark):
        items = [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": t} for t in (f"{mark}{n}", "\n", "more")],
            }
            for n in range(1, count + 1)
        ]
        points = {"type": "rich_text_list", "style": "bullet", "elements": items}
        return {"type": "rich_text", "elements": [points]}

    fold = CARD[-1] | {
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": [listed(5, "folded")],
    }
    button = {"type": "button", "action_id": "go", "text": plain("Go")}
    blocks = [listed(25, "open"), {"type": "actions", "elements": [button]}, fold]
    message = slack.post_as_bot("monitor", channel, "words", blocks=blocks)
    screen = io.StringIO()
    ana = slack.person("ana")
    Console(file=screen, width=80).print(Panels(slack.workspace, ana.id, brief=True).draw(message))
    text = screen.getvalue()
    assert "open20" in text
    assert "open21" not in text
    assert "… 5 more" in text
    assert "folded3" in text
    assert "… 2 more" in text
    assert text.count("more") == 20 + 2
    assert "Go" not in text


async def test_shortcuts_and_other_channels_are_within_reach(slack, app, run, screen):
    used = []

    @app.shortcut({"type": "message_action", "callback_id": "investigate_message"})
    async def investigate(ack, shortcut):
        await ack()
        used.append(shortcut["message"]["text"])

    @app.shortcut({"type": "shortcut", "callback_id": "declare_incident"})
    async def declare(ack):
        await ack()
        used.append("declared")

    keys = Keys(
        screen,
        ("", "logins fail"),
        ("logins fail", "!"),
        ("!3  Declare an incident", "!1"),
        ("", "!3"),
        ("", "#secret"),
        ("There is no channel #secret", "#general"),
        ("", "hello there"),
    )
    console = Console(file=screen, width=80)
    async with run(app):
        await chat(slack, slack.person("ana"), "#incidents", console=console, lines=aiter(keys))
    assert used == ["logins fail", "declared"]
    assert [m.text for m in slack.person("ana").messages("#general")] == ["hello there"]


async def test_a_form_with_boxes_says_what_each_of_them_stands_for(slack, app, run, screen):
    kept = []
    text = {"type": "plain_text", "text": "12:00 logins fail"}
    more = {"type": "plain_text", "text": "at once"}
    options = [{"text": text, "value": "7", "description": more}, {"text": text, "value": "8"}]
    boxes = {"type": "checkboxes", "action_id": "kept", "options": options}
    block = {"type": "input", "block_id": "kept", "element": boxes, "optional": True}
    label = {"type": "plain_text", "text": "Lines"}
    note = {"type": "context", "elements": [{"type": "plain_text", "text": "Uncheck some."}]}
    blocks = [note, block | {"label": label}]
    view = MODAL | {"blocks": blocks, "callback_id": "boxes"}

    @app.command("/firstline")
    async def opened(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("boxes")
    async def submitted(ack, view):
        await ack()
        kept.extend(o["value"] for o in view["state"]["values"]["kept"]["kept"]["selected_options"])

    keys = Keys(screen, ("", "/firstline x"), ("Lines [7, 8]", "8"), ("", ""))
    console = Console(file=screen, width=80)
    async with run(app):
        await chat(slack, slack.person("ana"), "#incidents", console=console, lines=aiter(keys))
    assert kept == ["8"]
    for part in ("Uncheck some.", "7  12:00 logins fail at once", "8  12:00 logins fail"):
        assert part in screen.getvalue()


async def test_nothing_to_read_from_is_the_end():
    with os.fdopen(os.open(os.devnull, os.O_RDONLY)) as nothing:
        assert [line async for line in typed(nothing)] == []


@pytest.mark.parametrize("length", [39_999, 40_000, 70_000, 200_000])
async def test_a_line_longer_than_a_message_is_cut_and_the_next_is_read(tmp_path, length):
    read, write = os.pipe()
    text = f"{'x' * length}\ntwo\n"
    with os.fdopen(read) as stream, os.fdopen(write, "w") as pipe:
        writing = asyncio.create_task(asyncio.to_thread(lambda: (pipe.write(text), pipe.close())))
        first, second = [line async for line in typed(stream)]
        await writing
    assert (first.strip(), second) == ("x" * min(length, 40_000), "two\n")
    (tmp_path / "lines").write_text(text)
    with (tmp_path / "lines").open() as stream:
        first, second = [line async for line in typed(stream)]
    assert (first.strip(), second) == ("x" * min(length, 40_000), "two\n")
