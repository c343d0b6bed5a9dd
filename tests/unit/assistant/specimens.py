"""Blocks and views that Slack takes, and such that it refuses, each wrong in one way."""

from assistant.slack.check import Surface


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
    "empty data table": {"type": "data_table", "rows": []},
    "section in a plan": {"type": "plan", "title": plain(), "tasks": [SECTION]},
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


TOGETHER = [
    ([DIVIDER] * 51, Surface.MESSAGE, "no more than 50 items"),
    ([DIVIDER] * 101, Surface.MODAL, "no more than 100 items"),
    ([DIVIDER | {"block_id": "b"}] * 2, Surface.MESSAGE, "block_id b already exists"),
    ([table([[CELL]])] * 2, Surface.MESSAGE, "only one table"),
    ([{"type": "markdown", "text": "x" * 7000}] * 2, Surface.MESSAGE, "all markdown"),
    ([{"type": "markdown", "text": "x"}], Surface.HOME, "not available in a home"),
    ([table([[CELL]])], Surface.MODAL, "not available in a modal"),
    ({"type": "divider"}, Surface.MESSAGE, "must be a list"),
    (["divider"], Surface.MESSAGE, "unsupported type"),
]

INPUT = {
    "type": "input",
    "label": plain(),
    "element": {"type": "plain_text_input", "action_id": "t", "multiline": True},
}
MODAL = {"type": "modal", "title": plain(), "submit": plain(), "blocks": [INPUT]}


BAD_VIEWS = [
    (MODAL | {"title": plain("x" * 25)}, "/view/title/text"),
    (MODAL | {"private_metadata": "x" * 3001}, "/view/private_metadata"),
    (MODAL | {"colour": "red"}, "/view"),
    ({"type": "modal", "title": plain(), "blocks": [INPUT]}, "/view"),
    (MODAL | {"blocks": [BAD["long header"]]}, "/view/blocks/0/text/text"),
    ({"type": "home", "title": plain(), "blocks": []}, "/view"),
    ({"type": "window"}, "/view/type"),
]
