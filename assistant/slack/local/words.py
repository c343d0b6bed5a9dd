"""Slack's three ways to write text, read into paragraphs of styled pieces.

The page and the terminal draw the same pieces, so both are safe for the same reasons: a piece is
plain text without control characters, and a link leads to http, https or mailto or is no link.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from html import unescape
from typing import Any, TypeAlias

Names: TypeAlias = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    mention: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Pieces that belong together; `kind` is text, pre, quote or item (with its `marker`)."""

    pieces: tuple[Piece, ...]
    kind: str = "text"
    marker: str = ""


MARKS = {"pending": "○", "in_progress": "◐", "complete": "✓", "error": "✗"}  # of tasks
EMOJI = {
    "white_check_mark": "✅",
    "x": "❌",
    "warning": "⚠️",
    "eyes": "👀",
    "rotating_light": "🚨",
    "red_circle": "🔴",
    "large_yellow_circle": "🟡",
    "large_green_circle": "🟢",
    "hourglass_flowing_sand": "⏳",
    "mag": "🔍",
    "no_entry": "⛔",
    "lock": "🔒",
    "arrow_up": "⬆️",
    "arrow_down": "⬇️",
    "rewind": "⏪",
    "memo": "📝",
}
_SAFE = ("http://", "https://", "mailto:")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PRE = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<ref>[^<>\n]+)>"
    r"|:(?P<emoji>[a-z0-9_+-]+):"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<!\w)_(?P<italic>[^\s_](?:[^\n]*?[^\s_])?)_(?!\w)"
    r"|(?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
)


def plain(text: str) -> tuple[Paragraph, ...]:
    """Text that means nothing but itself."""
    return (Paragraph(pieces=(Piece(text=_clean(text)),)),)


def mrkdwn(text: str, names: Names) -> tuple[Paragraph, ...]:
    """Slack's own markup, with &, < and > escaped; `names` gives the name for an id."""
    found: list[Paragraph] = []
    for index, part in enumerate(_PRE.split(text)):
        if index % 2:
            found.append(Paragraph(pieces=(Piece(text=_clean(unescape(part))),), kind="pre"))
        elif part.strip("\n"):
            found += _lines(part.strip("\n"), names)
    return tuple(found)


def markdown(text: str, names: Names) -> tuple[Paragraph, ...]:
    """The part of Markdown that cards use: headings, bold, links, lists, code."""
    out = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    out = re.sub(r"^#{1,6} +(.+)$", r"*\1*", out, flags=re.MULTILINE)
    out = re.sub(r"^(\s*)[-*] +", r"\1• ", out, flags=re.MULTILINE)
    out = re.sub(r"\*\*(.+?)\*\*", r"*\1*", out)
    out = re.sub(r"!?\[([^\]\n]*)\]\(([^)\s|]+)\)", r"<\2|\1>", out)
    return mrkdwn(out, names)


def rich(block: Mapping[str, Any], names: Names) -> tuple[Paragraph, ...]:
    """A rich_text block."""
    found: list[Paragraph] = []
    kinds = {"rich_text_preformatted": "pre", "rich_text_quote": "quote"}
    for element in block["elements"]:
        if element["type"] == "rich_text_list":
            first = element.get("offset", 0) + 1
            for number, item in enumerate(element["elements"], start=first):
                marker = f"{number}." if element["style"] == "ordered" else "•"
                pieces = tuple(_parts(item["elements"], names))
                found.append(Paragraph(pieces=pieces, kind="item", marker=marker))
        else:
            kind = kinds.get(element["type"], "text")
            pieces = tuple(_parts(element["elements"], names))
            found.append(Paragraph(pieces=pieces, kind=kind))
    return tuple(found)


def _parts(parts: Iterable[Mapping[str, Any]], names: Names) -> Iterator[Piece]:
    for part in parts:
        style = _styled(Piece(text=""), part.get("style", {}))
        match part["type"]:
            case "text":
                yield replace(style, text=_clean(part["text"]))
            case "link":
                yield _link(part["url"], part.get("text") or part["url"], style)
            case "emoji":
                yield replace(style, text=EMOJI.get(part["name"], f":{part['name']}:"))
            case "date":
                text = _clean(part.get("fallback") or str(part["timestamp"]))
                yield replace(style, text=text)
            case "broadcast":
                yield Piece(text=f"@{part['range']}", mention=True)
            case kind:
                name = str(part[f"{kind}_id"])
                sign = "#" if kind == "channel" else "@"
                yield Piece(text=f"{sign}{names(name) or name}", mention=True)


def _styled(piece: Piece, style: Mapping[str, bool]) -> Piece:
    """The piece with more styles than it has already."""
    return replace(
        piece,
        bold=piece.bold or bool(style.get("bold")),
        italic=piece.italic or bool(style.get("italic")),
        strike=piece.strike or bool(style.get("strike")),
        code=piece.code or bool(style.get("code")),
    )


def _lines(text: str, names: Names) -> Iterator[Paragraph]:
    """Quoted lines apart from the others; neighbours of one kind stay together."""
    group: list[str] = []
    quoted = False
    for line in [*text.split("\n"), None]:
        is_quote = line is not None and line.startswith("&gt;")
        if line is None or (is_quote != quoted and group):
            pieces = tuple(_inline("\n".join(group), Piece(text=""), names))
            yield Paragraph(pieces=pieces, kind="quote" if quoted else "text")
            group = []
        quoted = is_quote
        if line is not None:
            group.append(line.removeprefix("&gt;").removeprefix(" ") if is_quote else line)


def _inline(text: str, style: Piece, names: Names) -> Iterator[Piece]:
    at = 0
    for found in _INLINE.finditer(text):
        if before := text[at : found.start()]:
            yield replace(style, text=_clean(unescape(before)))
        at = found.end()
        kind, inner = next((k, v) for k, v in found.groupdict().items() if v is not None)
        match kind:
            case "code":
                yield replace(style, text=_clean(unescape(inner)), code=True)
            case "ref":
                yield _reference(inner, style, names)
            case "emoji":
                yield replace(style, text=EMOJI.get(inner, found[0]))
            case _:
                yield from _inline(inner, _styled(style, {kind: True}), names)
    if rest := text[at:]:
        yield replace(style, text=_clean(unescape(rest)))


def _reference(inner: str, style: Piece, names: Names) -> Piece:
    """What stands between < and >: a mention, a date or a link."""
    target, _, label = inner.partition("|")
    if target.startswith("!date^"):
        return replace(style, text=_clean(unescape(label or target.split("^")[1])))
    if target.startswith("!"):
        name = names(target.partition("^")[2]) or label.lstrip("@") or target[1:]
        return replace(style, text=f"@{_clean(name)}", mention=True)
    if target[:1] in ("@", "#"):
        name = names(target[1:]) or label or target[1:]
        return replace(style, text=f"{target[0]}{_clean(name)}", mention=True)
    return _link(unescape(target), unescape(label or target), style)


def _link(url: str, label: str, style: Piece) -> Piece:
    if url.startswith(_SAFE):
        return replace(style, text=_clean(label), link=url)
    return replace(style, text=_clean(label if label == url else f"{label} ({url})"))


def _clean(text: str) -> str:
    """Without characters that would steer a terminal or turn text around."""
    return _CONTROL.sub("�", text)
