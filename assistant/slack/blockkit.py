"""The Block Kit that firstline writes, as rules: each block and element with its keys and lengths.

A type that is missing here is refused, although Slack may know it: whoever wants to show it adds
its rule first. Source: docs.slack.dev/reference/block-kit, slack_sdk 3.47 models.
"""

from assistant.slack import limits
from assistant.slack.grammar import (
    BOOLEAN,
    INTEGER,
    Rule,
    listing,
    number,
    of_type,
    one_of,
    record,
    string,
    tagged,
)

_ID = {"action_id": string(limits.ID)}


def _text(most: int, *kinds: str) -> Rule:
    """A text object; the kinds are plain_text and mrkdwn."""
    shapes = {
        "plain_text": record({"text": string(most)}, {"emoji": BOOLEAN}),
        "mrkdwn": record({"text": string(most)}, {"verbatim": BOOLEAN}),
    }
    return tagged({kind: shapes[kind] for kind in kinds})


def _plain(most: int) -> Rule:
    return _text(most, "plain_text")


def _any_text(most: int) -> Rule:
    return _text(most, "plain_text", "mrkdwn")


_URL = string(limits.URL, starts=("http://", "https://", "mailto:"))
_CONFIRM = record(
    {
        "title": _plain(limits.CONFIRM_TITLE),
        "text": _any_text(limits.CONFIRM_TEXT),
        "confirm": _plain(limits.CONFIRM_BUTTON),
        "deny": _plain(limits.CONFIRM_BUTTON),
    },
    {"style": one_of("primary", "danger")},
)
_BUTTON = record(
    {"text": _plain(limits.BUTTON)},
    _ID
    | {
        "url": _URL,
        "value": string(limits.BUTTON_VALUE),
        "style": one_of("primary", "danger"),
        "confirm": _CONFIRM,
        "accessibility_label": string(limits.BUTTON),
        "visible_to_user_ids": listing(string(limits.ID), limits.BUTTON_VIEWERS),
    },
)
_IMAGE = {
    "alt_text": string(limits.ALT_TEXT),
}
_IMAGE_SOURCE = {
    "image_url": string(limits.URL, starts=("http://", "https://")),
    "slack_file": record({}, {"id": string(limits.ID), "url": _URL}, either=("id", "url")),
}


def _option(text: Rule) -> Rule:
    return record(
        {"text": text, "value": string(limits.OPTION_VALUE)},
        {"description": _plain(limits.OPTION), "url": _URL},
    )


_MENU_OPTION = _option(_plain(limits.OPTION))
_CHOICE = _option(_any_text(limits.OPTION))
_PROMPT = {"placeholder": _plain(limits.PLACEHOLDER), "focus_on_load": BOOLEAN}
_MENU = _ID | _PROMPT | {"confirm": _CONFIRM}
_SELECT = {
    "static_select": record(
        {"options": listing(_MENU_OPTION, limits.OPTIONS)},
        _MENU | {"initial_option": _MENU_OPTION},
    ),
    "multi_static_select": record(
        {"options": listing(_MENU_OPTION, limits.OPTIONS)},
        _MENU
        | {
            "initial_options": listing(_MENU_OPTION, limits.OPTIONS),
            "max_selected_items": INTEGER,
        },
    ),
    "users_select": record({}, _MENU | {"initial_user": string(limits.ID)}),
    "checkboxes": record(
        {"options": listing(_CHOICE, limits.CHOICES)},
        _ID
        | {
            "initial_options": listing(_CHOICE, limits.CHOICES),
            "confirm": _CONFIRM,
            "focus_on_load": BOOLEAN,
        },
    ),
    "radio_buttons": record(
        {"options": listing(_CHOICE, limits.CHOICES)},
        _ID | {"initial_option": _CHOICE, "confirm": _CONFIRM, "focus_on_load": BOOLEAN},
    ),
    "datepicker": record({}, _MENU | {"initial_date": string(10, least=10)}),
    "timepicker": record({}, _MENU | {"initial_time": string(5, least=5), "timezone": string(64)}),
}
_OVERFLOW = record(
    {"options": listing(_MENU_OPTION, limits.OVERFLOW_OPTIONS)}, _ID | {"confirm": _CONFIRM}
)
_IMAGE_ELEMENT = record(_IMAGE, _IMAGE_SOURCE, either=_IMAGE_SOURCE)
_PRESSED = {"button": _BUTTON, "overflow": _OVERFLOW, **_SELECT}
_TYPED = record(
    {},
    _ID
    | _PROMPT
    | {
        "initial_value": string(limits.TEXT, least=0),
        "multiline": BOOLEAN,
        "min_length": INTEGER,
        "max_length": INTEGER,
        "dispatch_action_config": of_type(dict, "an object"),
    },
)
_FEEDBACK = record(
    {"text": _plain(limits.BUTTON), "value": string(limits.BUTTON_VALUE)},
    {"accessibility_label": string(limits.BUTTON)},
)
_ICON_BUTTON = record(
    {"icon": one_of("trash"), "text": _plain(limits.BUTTON)},
    _ID
    | {
        "value": string(limits.BUTTON_VALUE),
        "confirm": _CONFIRM,
        "accessibility_label": string(limits.BUTTON),
        "visible_to_user_ids": listing(string(limits.ID), limits.BUTTON_VIEWERS),
    },
)

_MANY = 1_000  # where Slack states no number, the total size is the bound
_STYLE = {
    "style": record({}, dict.fromkeys(("bold", "italic", "strike", "code"), BOOLEAN)),
}
_RICH_PARTS = tagged(
    {
        "text": record({"text": string(limits.MARKDOWN)}, _STYLE),
        "link": record({"url": _URL}, _STYLE | {"text": string(limits.TEXT), "unsafe": BOOLEAN}),
        "user": record({"user_id": string(limits.ID)}, _STYLE),
        "usergroup": record({"usergroup_id": string(limits.ID)}, _STYLE),
        "channel": record({"channel_id": string(limits.ID)}, _STYLE),
        "emoji": record({"name": string(limits.ID)}, _STYLE | {"unicode": string(limits.ID)}),
        "broadcast": record({"range": one_of("here", "channel", "everyone")}, _STYLE),
        "date": record(
            {"timestamp": INTEGER, "format": string(limits.TEXT)},
            _STYLE | {"url": _URL, "fallback": string(limits.TEXT)},
        ),
    }
)
_PARTS = {"elements": listing(_RICH_PARTS, _MANY)}
_SECTION = record(_PARTS, {})
_RICH = tagged(
    {
        "rich_text_section": _SECTION,
        "rich_text_preformatted": record(
            _PARTS, {"border": INTEGER, "language": string(limits.ID)}
        ),
        "rich_text_quote": record(_PARTS, {"border": INTEGER}),
        "rich_text_list": record(
            {
                "elements": listing(tagged({"rich_text_section": _SECTION}), _MANY),
                "style": one_of("bullet", "ordered"),
            },
            {"indent": INTEGER, "offset": INTEGER, "border": INTEGER},
        ),
    }
)
_RICH_TEXT = {"elements": listing(_RICH, _MANY)}
_CELL = tagged(
    {
        "raw_text": record({"text": string(limits.TEXT)}, {}),
        "raw_number": record({"value": number, "text": string(limits.TEXT)}, {}),
        "rich_text": record(_RICH_TEXT, {}),
    }
)
_COLUMN = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": BOOLEAN})

_BLOCK_ID = {"block_id": string(limits.ID)}


def _block(
    needs: dict[str, Rule], may: dict[str, Rule] | None = None, *, either: tuple[str, ...] = ()
) -> Rule:
    return record(needs, _BLOCK_ID | (may or {}), either=either)


SIMPLE: dict[str, Rule] = {
    "actions": _block({"elements": listing(tagged(_PRESSED), limits.ACTIONS)}),
    "alert": _block(
        {"text": _any_text(limits.ALERT)},
        {"level": one_of("default", "info", "warning", "error", "success")},
    ),
    "context": _block(
        {
            "elements": listing(
                tagged(
                    {
                        "image": _IMAGE_ELEMENT,
                        "plain_text": _plain(limits.TEXT),
                        "mrkdwn": _text(limits.TEXT, "mrkdwn"),
                    }
                ),
                limits.CONTEXT_ELEMENTS,
            )
        }
    ),
    "context_actions": _block(
        {
            "elements": listing(
                tagged(
                    {
                        "feedback_buttons": record(
                            {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, _ID
                        ),
                        "icon_button": _ICON_BUTTON,
                    }
                ),
                limits.CONTEXT_ACTIONS,
            )
        }
    ),
    "divider": _block({}),
    "header": _block({"text": _plain(limits.HEADER)}),
    "image": _block(
        _IMAGE, _IMAGE_SOURCE | {"title": _plain(limits.IMAGE_TITLE)}, either=tuple(_IMAGE_SOURCE)
    ),
    "input": _block(
        {
            "label": _plain(limits.LABEL),
            "element": tagged({"plain_text_input": _TYPED, **_SELECT}),
        },
        {"hint": _plain(limits.LABEL), "optional": BOOLEAN, "dispatch_action": BOOLEAN},
    ),
    "markdown": _block({"text": string(limits.MARKDOWN)}),
    "rich_text": _block(_RICH_TEXT),
    "section": _block(
        {},
        {
            "text": _any_text(limits.TEXT),
            "fields": listing(_any_text(limits.FIELD), limits.FIELDS),
            "accessory": tagged({"image": _IMAGE_ELEMENT, **_PRESSED}),
            "expand": BOOLEAN,
        },
        either=("text", "fields"),
    ),
    "table": _block(
        {"rows": listing(listing(_CELL, limits.TABLE_COLUMNS), limits.TABLE_ROWS)},
        {"column_settings": listing(_COLUMN, limits.TABLE_COLUMNS)},
    ),
}
INSIDE_CONTAINER = ("actions", "context", "divider", "image", "rich_text", "section", "table")
BLOCKS: dict[str, Rule] = SIMPLE | {
    "container": _block(
        {
            "title": _plain(limits.CONTAINER_TITLE),
            "child_blocks": listing(
                tagged({name: SIMPLE[name] for name in INSIDE_CONTAINER}),
                limits.CONTAINER_BLOCKS,
            ),
        },
        {
            "subtitle": _any_text(limits.CONTAINER_TITLE),
            "width": one_of("narrow", "standard", "wide", "full"),
            "icon": tagged({"image": _IMAGE_ELEMENT}),
            "is_collapsible": BOOLEAN,
            "default_collapsed": BOOLEAN,
            "has_header_divider": BOOLEAN,
        },
    )
}
VIEW_KEYS: dict[str, Rule] = {
    "callback_id": string(limits.ID, least=0),
    "private_metadata": string(limits.PRIVATE_METADATA, least=0),
    "external_id": string(limits.ID, least=0),
    "blocks": of_type(list, "a list"),
}
VIEW = tagged(
    {
        "modal": record(
            {"title": _plain(limits.VIEW_TITLE), "blocks": of_type(list, "a list")},
            VIEW_KEYS
            | {
                "submit": _plain(limits.VIEW_BUTTON),
                "close": _plain(limits.VIEW_BUTTON),
                "clear_on_close": BOOLEAN,
                "notify_on_close": BOOLEAN,
                "submit_disabled": BOOLEAN,
            },
        ),
        "home": record({"blocks": of_type(list, "a list")}, VIEW_KEYS),
    }
)
