"""Messages on their way to a Slack that fails: none is lost, none is posted twice."""

import asyncio
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
from slackdesk import Rig
from slackrig import judged

from assistant.button import Button
from assistant.commands import Close
from assistant.slack.blocks.pieces import Pressed, actions, folded, paragraphs
from assistant.slack.letters import Letter
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.outbox import PACE_S, Outbox
from assistant.slack.text import said

POST, EDIT = "chat.postMessage", "chat.update"


@pytest.fixture
async def slack():
    async with judged(burst=None) as slack:
        yield slack


@pytest.fixture
def rig(slack):
    return Rig(slack)


def letter(rig, text, slot="INC-1/card", **more):
    fields = {
        "channel": rig.channel,
        "thread": None,
        "under": None,
        "blocks": (paragraphs([said(text)]),),
    }
    return Letter(slot=slot, text=text, **{**fields, **more})


@asynccontextmanager
async def sending(rig, pace_s=0.0, **more):
    outbox = Outbox(rig.client, rig.tables.messages, pace_s=pace_s, **more)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def sent(rig, outbox):
    """Wait until all is sent; the queue is empty just after the last change in Slack."""
    for _ in range(10_000):
        if outbox.idle:
            return
        await asyncio.sleep(0.005)
    pytest.fail("the outbox did not become idle in time")


def calls(rig, method):
    return [made for made in rig.slack.office.calls if made.method == method and not made.error]


async def test_a_slot_is_posted_once_and_edited_only_when_it_says_something_else(rig):
    async with sending(rig) as outbox:
        for text in ("one", "one", "two"):
            outbox.put(letter(rig, text))
            await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["two"]
    assert (len(calls(rig, POST)), len(calls(rig, EDIT))) == (1, 1)


async def test_what_waits_is_replaced_by_what_is_newer(rig):
    async with sending(rig) as outbox:
        for number in range(20):
            outbox.put(letter(rig, f"state {number}"))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["state 19"]
    assert len(calls(rig, POST)) + len(calls(rig, EDIT)) <= 2


async def test_notes_stand_in_the_thread_of_a_card_that_begins_one(rig):
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "card"))
        outbox.put(letter(rig, "note", slot="INC-1/similar", under="INC-1/card"))
        await sent(rig, outbox)
    (card,) = rig.messages()
    assert [m.text for m in rig.messages(thread=card.ts)] == ["card", "note"]


async def test_a_post_whose_answer_was_lost_is_found_and_not_posted_again(rig):
    rig.slack.faults.add(Fault(method=POST, failure=Failure.LOST_ANSWER))
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "card"))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["card"]
    assert rig.tables.messages.get("INC-1/card").ts == rig.messages()[0].ts


async def test_a_post_that_was_cut_off_by_a_crash_is_found_in_its_thread(rig):
    root = await rig.slack.person("ana").say("incidents", "hello")
    whole = letter(rig, "card", thread=root)
    async with sending(rig) as outbox:
        outbox.put(whole)
        await sent(rig, outbox)
    rig.tables.messages.intend("INC-1/card", rig.channel, root, whole.digest)
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "card, later", thread=root))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages(thread=root)] == ["hello", "card, later"]


async def test_one_that_never_arrived_is_posted(rig):
    rig.tables.messages.intend("INC-1/card", rig.channel, None, "")
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "card"))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["card"]


async def test_slack_is_waited_for_when_it_asks_to(rig):
    rig.slack.faults.add(Fault(method=POST, failure=Failure.RATE_LIMITED, seconds=1.0))
    start = asyncio.get_running_loop().time()
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "card"))
        await sent(rig, outbox)
    assert asyncio.get_running_loop().time() - start >= 1.0
    assert [m.text for m in rig.messages()] == ["card"]


async def uploaded(rig):
    """Upload a picture; returns a letter that shows it."""
    reply = await rig.client.files_upload_v2(content=b"png", filename="plot.png", alt_txt="a line")
    file = {"id": reply["files"][0]["id"]}
    block = {"type": "image", "alt_text": "a line", "slack_file": file}
    return letter(rig, "picture", slot="INC-1/picture", blocks=(block,))


def attempts(rig):
    return [made for made in rig.slack.office.calls if made.error == "invalid_blocks"]


async def test_others_do_not_wait_for_a_picture_that_slack_cannot_show_yet(rig):
    rig.slack.office.processing = 3600.0
    picture = await uploaded(rig)
    async with sending(rig, unready_s=(0.05,) * 100) as outbox:
        outbox.put(picture)
        outbox.put(letter(rig, "note", slot="INC-1/note"))
        await rig.slack.wait_for(lambda: attempts(rig)[2:])
        assert [m.text for m in rig.messages()] == ["note"]
        rig.slack.office.processing = 0.0
        await sent(rig, outbox)
    assert [(m.text, len(m.blocks)) for m in rig.messages()] == [("note", 1), ("picture", 1)]


async def test_a_picture_that_slack_never_shows_becomes_words(rig):
    rig.slack.office.processing = 3600.0
    picture = await uploaded(rig)
    async with sending(rig, unready_s=(0.0, 0.01)) as outbox:
        outbox.put(picture)
        await sent(rig, outbox)
    (shown,) = rig.messages()
    assert (shown.text, shown.blocks) == ("picture", ())
    assert len(attempts(rig)) == 3


async def test_what_is_newer_takes_the_place_of_a_picture_that_was_put_aside(rig):
    rig.slack.office.processing = 3600.0
    picture = await uploaded(rig)
    async with sending(rig, unready_s=(0.2,)) as outbox:
        outbox.put(picture)
        await rig.slack.wait_for(lambda: attempts(rig))
        outbox.put(letter(rig, "words", slot=picture.slot))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["words"]


async def test_a_message_that_somebody_deleted_is_posted_anew(rig):
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "one", slot="INC-1/similar"))
        await sent(rig, outbox)
        (first,) = rig.messages()
        await rig.client.chat_delete(channel=rig.channel, ts=first.ts)
        outbox.put(letter(rig, "two", slot="INC-1/similar"))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["two"]


async def test_a_second_post_whose_answer_was_lost_is_found_as_well(rig):
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "one"))
        await sent(rig, outbox)
        await rig.client.chat_delete(channel=rig.channel, ts=rig.messages()[0].ts)
        rig.slack.faults.add(Fault(method=POST, failure=Failure.LOST_ANSWER))
        outbox.put(letter(rig, "two"))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["two"]


async def test_blocks_that_slack_would_refuse_are_shown_as_text(rig):
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "words", blocks=({"type": "unheard_of"},)))
        await sent(rig, outbox)
    assert [(m.text, m.blocks) for m in rig.messages()] == [("words", ())]


async def test_what_is_folded_is_left_out_before_a_message_gets_too_long(rig):
    much = folded("more", *[paragraphs([said("x" * 2_000)])] * 8)
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "words", blocks=(paragraphs([said("answer")]), much)))
        await sent(rig, outbox)
    (message,) = rig.messages()
    assert [block["type"] for block in message.blocks] == ["rich_text"]


async def test_of_fifty_one_blocks_and_thirteen_thousand_characters_the_buttons_are_kept(rig):
    filler = [paragraphs([said("x" * 260)]) for _ in range(50)]
    close = Button(label="Close", command=Close(incident="INC-1", reason="resolved"))
    token = rig.tables.buttons.token(close.command, "INC-1")
    button = actions([Pressed(button=close, token=token)])
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "words", blocks=(paragraphs([said("answer")]), *filler, *button)))
        await sent(rig, outbox)
    (message,) = rig.messages()
    assert [block["type"] for block in message.blocks] == ["rich_text", "actions"]
    assert "answer" in str(message.blocks[0])


async def test_a_channel_that_we_may_not_write_in_holds_up_no_other(rig):
    people = [rig.slack.person(name).user for name in ("ana", "ben")]
    closed = rig.slack.workspace.add_channel("closed", people)
    async with sending(rig) as outbox:
        outbox.put(letter(rig, "nobody sees it", slot="INC-2/card", channel=closed.id))
        outbox.put(letter(rig, "card"))
        await sent(rig, outbox)
    assert [m.text for m in rig.messages()] == ["card"]


async def test_at_its_own_pace_it_is_never_too_fast():
    async with judged() as slack:
        rig = Rig(slack)
        async with sending(rig, PACE_S) as outbox:
            for number in range(3):
                outbox.put(letter(rig, "x", slot=f"INC-1/answer/{number}"))
            await sent(rig, outbox)
        assert len(rig.messages()) == 3


async def test_a_channel_gets_its_messages_at_slacks_pace(rig):
    async with sending(rig, pace_s=0.1) as outbox:
        for number in range(3):
            outbox.put(letter(rig, "x", slot=f"INC-1/answer/{number}"))
        await sent(rig, outbox)
    times = [made.at for made in calls(rig, POST)]
    assert len(times) == 3
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(times))
