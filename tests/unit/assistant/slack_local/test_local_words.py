"""Slack's markup as styled pieces: what it means, and that nothing dangerous survives."""

import pytest

from assistant.slack.local.words import markdown, mrkdwn, plain, rich

NAMES = {"U1": "ana", "S1": "sre", "C1": "incidents"}.get


def styled(paragraphs):
    """(text, styles) of each piece."""
    names = ("bold", "italic", "strike", "code", "mention")
    return [
        (piece.text, *(name for name in names if getattr(piece, name)), *filter(None, [piece.link]))
        for paragraph in paragraphs
        for piece in paragraph.pieces
    ]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("*a* _b_ ~c~ `d`", [("a", "bold"), (" ",), ("b", "italic"), (" ",), ("c", "strike"), (" ",), ("d", "code")]),  # noqa: E501
        ("*a _b_*", [("a ", "bold"), ("b", "bold", "italic")]),
        ("2*3*4 snake_case_name", [("2*3*4 snake_case_name",)]),
        ("`*a* <@U1>`", [("*a* <@U1>", "code")]),
        ("&lt;b&gt; &amp;amp;", [("<b> &amp;",)]),
        ("<@U1> <#C1> <!subteam^S1> <!here>", [("@ana", "mention"), (" ",), ("#incidents", "mention"), (" ",), ("@sre", "mention"), (" ",), ("@here", "mention")]),  # noqa: E501
        ("<@U9|zoe>", [("@zoe", "mention")]),
        ("<https://x.example/?a=1&amp;b=2|open>", [("open", "https://x.example/?a=1&b=2")]),
        ("<https://x.example>", [("https://x.example", "https://x.example")]),
        ("<javascript:alert(1)|open>", [("open (javascript:alert(1))",)]),
        ("<data:text/html,x>", [("data:text/html,x",)]),
        ("<!date^1700000000^{time}|22:13 UTC>", [("22:13 UTC",)]),
        (":x: :unheard_of:", [("❌",), (" ",), (":unheard_of:",)]),
        ("a\x1b[2Jb\u202ec", [("a�[2Jb�c",)]),
    ],
)  # fmt: skip
def test_markup_becomes_pieces(text, pieces):
    assert styled(mrkdwn(text, NAMES)) == pieces


def test_code_blocks_and_quotes_are_paragraphs_of_their_own():
    text = "before\n```\nx &lt; *y*\n```\n&gt; quoted\n&gt; more\nafter"
    found = mrkdwn(text, NAMES)
    assert [(p.kind, p.pieces[0].text) for p in found] == [
        ("text", "before"),
        ("pre", "x < *y*"),
        ("quote", "quoted\nmore"),
        ("text", "after"),
    ]


def test_markdown_of_cards():
    found = styled(markdown("# Cause\n- **bold** [open](https://x.example) <b>", NAMES))
    assert found == [
        ("Cause", "bold"),
        ("\n• ",),
        ("bold", "bold"),
        (" ",),
        ("open", "https://x.example"),
        (" <b>",),
    ]


def test_rich_text_is_literal():
    parts = [
        {"type": "text", "text": "<@U1> *x*", "style": {"bold": True}},
        {"type": "user", "user_id": "U1"},
        {"type": "link", "url": "javascript:alert(1)", "text": "x"},
        {"type": "link", "url": "https://x.example"},
        {"type": "emoji", "name": "eyes"},
        {"type": "broadcast", "range": "here"},
    ]
    section = {"type": "rich_text_section", "elements": parts}
    items = {"type": "rich_text_list", "style": "ordered", "elements": [section, section]}
    quote = {"type": "rich_text_quote", "elements": parts[:1]}
    found = rich({"elements": [section, items, quote]}, NAMES)
    assert [(p.kind, p.marker) for p in found] == [
        ("text", ""),
        ("item", "1."),
        ("item", "2."),
        ("quote", ""),
    ]
    assert styled(found[:1]) == [
        ("<@U1> *x*", "bold"),
        ("@ana", "mention"),
        ("x (javascript:alert(1))",),
        ("https://x.example", "https://x.example"),
        ("👀",),
        ("@here", "mention"),
    ]


def test_plain_text_is_itself():
    assert styled(plain("*a* <@U1> &lt;")) == [("*a* <@U1> &lt;",)]
