"""The judge of blocks: what it refuses, and that Slack's own models never refuse more."""

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from assistant.slack import limits
from assistant.slack.check import Surface, faults, too_long, total, view_faults


def plain(text="x"):
    return {"type": "plain_text", "text": text}


def mrkdwn(text="x"):
    return {"type": "mrkdwn", "text": text}


def button(**more):
    return {"type": "button", "action_id": "a", "text": plain(), **more}


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def option(name="one", **more):
    return {"text": plain(name), "value": name, **more}


def menu(*options, **more):
    return {"type": "static_select", "action_id": "m", "options": list(options), **more}


def rich(*parts):
    section = {"type": "rich_text_section", "elements": list(parts)}
    return {"type": "rich_text", "elements": [section]}


def table(rows):
    return {"type": "table", "rows": rows}


def container(*blocks, **more):
    return {"type": "container", "title": plain(), "child_blocks": list(blocks), **more}


CELL = {"type": "raw_text", "text": "x"}
DIVIDER = {"type": "divider"}
CONFIRM = {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain()}
IMAGE = {"type": "image", "alt_text": "a plot", "image_url": "https://example.org/a.png"}
SECTION = {"type": "section", "text": mrkdwn()}
FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "f",
    "positive_button": {"text": plain(), "value": "good"},
    "negative_button": {"text": plain(), "value": "bad"},
}
GOOD = [
    {"type": "header", "text": plain("x" * 150)},
    {"type": "section", "text": mrkdwn("x" * 3000), "accessory": button()},
    {"type": "section", "fields": [mrkdwn("x" * 2000)] * 10},
    {"type": "context", "elements": [mrkdwn(), plain(), IMAGE]},
    DIVIDER,
    actions(button(style="primary", confirm=CONFIRM, value="v"), menu(option())),
    actions({"type": "overflow", "action_id": "o", "options": [option()]}),
    {"type": "context_actions", "elements": [FEEDBACK]},
    {"type": "markdown", "text": "**bold**"},
    rich({"type": "text", "text": "x", "style": {"code": True}}, {"type": "user", "user_id": "U1"}),
    rich({"type": "link", "url": "https://example.org"}),
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
                ],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]},
        ],
    },
    table([[CELL] * 20] * 100),
    table([[CELL, {"type": "raw_number", "value": 1.5, "text": "1.5"}]]),
    IMAGE,
    {"type": "image", "alt_text": "a plot", "slack_file": {"id": "F1"}},
    container(SECTION, DIVIDER, is_collapsible=True, default_collapsed=True),
]
BAD = {
    "unknown type": {"type": "sparkles"},
    "no type": {"text": plain()},
    "unknown key": DIVIDER | {"colour": "red"},
    "long header": {"type": "header", "text": plain("x" * 151)},
    "mrkdwn header": {"type": "header", "text": mrkdwn()},
    "empty section": {"type": "section"},
    "empty text": {"type": "section", "text": mrkdwn("")},
    "bare text": {"type": "section", "text": "x"},
    "long section": {"type": "section", "text": mrkdwn("x" * 3001)},
    "eleven fields": {"type": "section", "fields": [plain()] * 11},
    "long field": {"type": "section", "fields": [plain("x" * 2001)]},
    "no actions": actions(),
    "many actions": actions(*(button(action_id=str(n)) for n in range(26))),
    "text in actions": actions(plain()),
    "same action_id": actions(button(), button()),
    "long action_id": actions(button(action_id="x" * 256)),
    "long button": actions(button(text=plain("x" * 76))),
    "mrkdwn button": actions(button(text=mrkdwn())),
    "long value": actions(button(value="x" * 2001)),
    "odd style": actions(button(style="loud")),
    "odd link": actions(button(url="javascript:alert(1)")),
    "long confirm": actions(button(confirm=CONFIRM | {"title": plain("x" * 101)})),
    "half a confirm": actions(button(confirm={"title": plain()})),
    "eleven viewers": actions(button(visible_to_user_ids=["U1"] * 11)),
    "no options": actions(menu()),
    "many options": actions(menu(*(option(str(n)) for n in range(101)))),
    "long option": actions(menu(option("x" * 76))),
    "six in overflow": actions({"type": "overflow", "options": [option(str(n)) for n in range(6)]}),
    "many in context": {"type": "context", "elements": [plain()] * 11},
    "button in context": {"type": "context", "elements": [button()]},
    "image without words": {"type": "image", "image_url": "https://example.org/a.png"},
    "image without source": {"type": "image", "alt_text": "x"},
    "image with two": IMAGE | {"slack_file": {"id": "F1"}},
    "image from nowhere": IMAGE | {"image_url": "a.png"},
    "long markdown": {"type": "markdown", "text": "x" * 12_001},
    "empty markdown": {"type": "markdown", "text": ""},
    "empty rich text": {"type": "rich_text", "elements": []},
    "odd rich part": rich({"type": "sparkles"}),
    "no rows": table([]),
    "many rows": table([[CELL]] * 101),
    "many columns": table([[CELL] * 21]),
    "empty cell": table([[CELL | {"text": ""}]]),
    "uneven rows": table([[CELL], [CELL, CELL]]),
    "long block_id": DIVIDER | {"block_id": "x" * 256},
    "alert in a message": {"type": "alert", "text": plain()},
    "input in a message": {
        "type": "input",
        "label": plain(),
        "element": {"type": "plain_text_input"},
    },
    "container in a container": container(container(SECTION)),
    "full container": container(*[DIVIDER] * 11),
    "folded but not foldable": container(DIVIDER, default_collapsed=True),
    "untitled container": {"type": "container", "child_blocks": [DIVIDER]},
    "true is no number": table([[{"type": "raw_number", "value": True, "text": "1"}]]),
}


def models_take(block):
    """Whether slack_sdk's models take a block; unknown types they drop silently."""
    try:
        parsed = Block.parse(block)
        return parsed is not None and bool(parsed.to_dict())
    except (SlackObjectFormationError, TypeError, AttributeError):
        return False


@pytest.mark.parametrize("block", GOOD)
def test_a_good_block_is_taken_by_us_and_by_the_models(block):
    assert faults([block], Surface.MESSAGE) == []
    assert models_take(block)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_block_is_refused_with_a_pointer(name):
    found = faults([BAD[name]], Surface.MESSAGE)
    assert found
    assert all("[json-pointer:/blocks" in fault for fault in found)


def test_the_models_refuse_many_of_the_bad_blocks_too():
    refused = {name for name, block in BAD.items() if not models_take(block)}
    assert len(refused) >= 15


def test_a_fault_is_worded_as_slack_words_it():
    assert faults([DIVIDER, BAD["long section"]], Surface.MESSAGE) == [
        "must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


@pytest.mark.parametrize(
    ("blocks", "surface", "reason"),
    [
        ([DIVIDER] * 51, Surface.MESSAGE, "no more than 50 items"),
        ([DIVIDER] * 101, Surface.MODAL, "no more than 100 items"),
        ([DIVIDER | {"block_id": "b"}] * 2, Surface.MESSAGE, "block_id b already exists"),
        ([table([[CELL]])] * 2, Surface.MESSAGE, "only one table"),
        ([{"type": "markdown", "text": "x" * 7000}] * 2, Surface.MESSAGE, "all markdown"),
        ([{"type": "markdown", "text": "x"}], Surface.HOME, "not available in a home"),
        ([table([[CELL]])], Surface.MODAL, "not available in a modal"),
        ({"type": "divider"}, Surface.MESSAGE, "must be a list"),
        (["divider"], Surface.MESSAGE, "unsupported type"),
    ],
)
def test_blocks_that_are_only_wrong_together_or_in_this_place(blocks, surface, reason):
    found = faults(blocks, surface)
    assert len(found) >= 1
    assert reason in found[0]


def test_blocks_may_be_as_large_as_slack_takes_them():
    blocks = [SECTION | {"text": mrkdwn("é" * 2900)} for _ in range(4)]
    assert faults(blocks, Surface.MESSAGE) == []
    assert not too_long(blocks)
    assert limits.BLOCKS_BUDGET < limits.MESSAGE_BLOCKS_TOTAL < total([*blocks, *blocks])
    assert too_long([*blocks, *blocks])


INPUT = {
    "type": "input",
    "label": plain(),
    "element": {"type": "plain_text_input", "action_id": "t", "multiline": True},
}
MODAL = {"type": "modal", "title": plain(), "submit": plain(), "blocks": [INPUT]}


def test_a_good_view_is_taken():
    alert = {"type": "alert", "text": plain(), "level": "warning"}
    assert view_faults(MODAL | {"blocks": [INPUT, alert], "private_metadata": "x" * 3000}) == []
    assert view_faults({"type": "home", "blocks": [SECTION]}) == []


@pytest.mark.parametrize(
    ("view", "at"),
    [
        (MODAL | {"title": plain("x" * 25)}, "/view/title/text"),
        (MODAL | {"private_metadata": "x" * 3001}, "/view/private_metadata"),
        (MODAL | {"colour": "red"}, "/view"),
        ({"type": "modal", "title": plain(), "blocks": [INPUT]}, "/view"),
        (MODAL | {"blocks": [BAD["long header"]]}, "/view/blocks/0/text/text"),
        ({"type": "home", "title": plain(), "blocks": []}, "/view"),
        ({"type": "window"}, "/view/type"),
    ],
)
def test_a_bad_view_is_refused(view, at):
    assert f"[json-pointer:{at}]" in view_faults(view)[0]
