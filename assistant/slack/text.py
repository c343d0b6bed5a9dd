"""Words on their way to Slack and from it: nothing that was written elsewhere acts as markup.

Blocks hold text only as `plain_text` or as elements of `rich_text`, which are literal by
construction; the fallback text of a message is escaped. Links are made for known hosts alone.
Source: docs.slack.dev, formatting text for app surfaces.
"""

import json
import re
import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from assistant.slack import limits

Element = dict[str, Any]

MOST = 3_000  # characters of a text of ours that is no message of its own
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_MARKED = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_MARKDOWN = re.compile(r"\w+://|[\[\]`*~|\\]")  # an underscore inside a word is none
_BREAKS = ("Zl", "Zp")
_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Cn")


def clean(text: str) -> str:
    """Drop what cannot be seen: control, bidirectional, zero-width and private characters."""
    if text.isascii() and text.isprintable():
        return text  # most words, and looking at each character takes time
    kept = []
    for char in text.replace("\t", " "):
        kind = unicodedata.category(char)
        if char == "\n" or kind in _BREAKS:
            kept.append("\n")
        elif kind not in _HIDDEN:
            kept.append(char)
    return "".join(kept)


def clip(text: str, most: int) -> str:
    """Return the clean text, cut to `most` characters."""
    whole = clean(text)
    return whole if len(whole) <= most else f"{whole[: most - 1].rstrip()}…"


def one_line(text: str, most: int) -> str:
    """Return the clean text as one line of at most `most` characters."""
    return clip(" ".join(clean(text).split()), most)


def sentence(text: str, most: int) -> str:
    """Return the clean text as one line of at most `most` characters, and one full stop."""
    told = one_line(text, most)
    return told if told.endswith((".", "…", "!", "?")) else f"{told}."


def size(text: str) -> int:
    """Return how many characters a text takes as JSON, its quotes included."""
    return len(json.dumps(text, ensure_ascii=False))


def sized(text: str, most: int) -> str:
    """Return the clean text as one line that takes at most about `most` characters as JSON."""
    shown = one_line(text, most)
    while (takes := size(shown)) > most + len('""'):
        shown = clip(shown, min(len(shown) - 1, len(shown) * most // takes))
    return shown


def escape(text: str, most: int = MOST) -> str:
    """Return text that Slack shows as it is: no mention, no link, nobody called."""
    cut = clip(text, most)
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(group: str) -> str:
    """Return what calls the members of a user group; `group` is an id that Slack gave."""
    return f"<!subteam^{group}>"


def bare(text: str, most: int) -> str:
    """Return text for where only Markdown is taken: one line without anything that could be it."""
    return escape(one_line(_MARKDOWN.sub("", text), most))


def words(text: str) -> str:
    """Return what a person typed: Slack's entities and its marks for links and people undone."""

    def undone(found: re.Match[str]) -> str:
        target, label = found.group(1), found.group(2)
        return label or target.lstrip("@#!")

    plain = _MARKED.sub(undone, text)
    for entity, char in _ENTITIES.items():
        plain = plain.replace(entity, char)
    return clean(plain).strip()


def said(text: str, *, bold: bool = False, code: bool = False) -> Element:
    """Return a literal rich text element; empty text becomes a space, which Slack demands."""
    element: Element = {"type": "text", "text": clean(text) or " "}
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    return element | ({"style": style} if style else {})


def link(url: str, label: str, hosts: Collection[str]) -> Element:
    """Return a link where the host is known, and the mere label where it is not."""
    if _leads_to(url, hosts):
        return {"type": "link", "url": url, "text": one_line(label, 200)}
    return said(label)


def _leads_to(url: str, hosts: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and parts.hostname in hosts
    return known and not parts.username and len(url) <= limits.URL


def utc(at: datetime) -> str:
    """Return a moment as everybody writes it down."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def moment(at: datetime) -> list[Element]:
    """Return a moment in UTC, and in the reader's own zone."""
    local = {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": "{time_secs}",
        "fallback": "the same",
    }
    return [said(f"{utc(at)} ("), local, said(" for you)")]
