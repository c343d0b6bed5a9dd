"""Messages for the terminal: Block Kit as rich panels, buttons as numbered choices.

A record of what was said (`brief`) has no buttons, and what is long or folded is cut.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from assistant.slack.local import words
from assistant.slack.local.people import Message, Stream
from assistant.slack.local.workspace import Workspace

LONG, FOLDED = 20, 3  # paragraphs that a record shows of a text, and of what is folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button that was printed: what its number stands for."""

    channel: str
    ts: str
    action_id: str
    block_id: str
    label: str
    option: str | None = None


class Panels:
    """Draws the messages that one person sees, and remembers the buttons by number."""

    def __init__(self, workspace: Workspace, user: str, *, brief: bool = False) -> None:
        self._workspace = workspace
        self._user = user
        self._brief = brief
        self.choices: list[Choice] = []

    def draw(self, message: Message) -> RenderableType:
        """One message; replies are set in, and what only this person sees says so."""
        author = self._workspace.label(message.user) or message.name
        note = " (only visible to you)" if message.only_for else ""
        note += " (edited)" if message.edited else ""
        title = Text(f" {author}{note} ", style="bold")
        if message.blocks:
            body: RenderableType = Group(*self._blocks(message.blocks, message))
        else:
            body = _prose(words.mrkdwn(message.text, self._workspace.label))
        if message.stream:
            body = Group(*([body] if message.text else []), self._tasks(message.stream))
        colour = "yellow" if message.only_for else ("cyan" if message.bot else "default")
        files = [self._workspace.files[name] for name in message.files]
        if files:
            body = Group(body, *(Text(f"[file: {f.title} ({f.name})]", style="dim") for f in files))
        panel = Panel(body, title=title, title_align="left", box=box.ROUNDED, border_style=colour)
        return Padding(panel, (0, 0, 0, 3 if message.thread else 0))

    def _blocks(
        self, blocks: Iterable[Mapping[str, Any]], message: Message, most: int = LONG
    ) -> Iterator[RenderableType]:
        for block in blocks:
            yield from self._content(block, most)
            if not self._brief and (line := self._buttons(block, message)):
                yield line
            inside = FOLDED if block.get("default_collapsed") else most
            yield from self._blocks(block.get("child_blocks", ()), message, inside)

    def _content(self, block: Mapping[str, Any], most: int) -> Iterator[RenderableType]:
        """What a block says, without what can be pressed in it."""
        match block["type"]:
            case "divider":
                yield Rule(style="dim")
            case "header":
                yield Text(block["text"]["text"], style="bold underline")
            case "container":
                yield Text(block["title"]["text"], style="bold")
            case "section":
                yield from map(self._text, [block["text"]] if "text" in block else [])
                yield from map(self._text, block.get("fields", ()))
            case "context":
                texts = [e for e in block["elements"] if e["type"] != "image"]
                yield Text("  ", style="dim").join(map(self._text, texts))
            case "rich_text":
                said = words.rich(block, self._workspace.label)
                yield from map(_laid, _cut(said, most) if self._brief else said)
            case "markdown":
                yield _prose(words.markdown(block["text"], self._workspace.label))
            case "table":
                yield self._table(block)
            case "image":
                yield Text(f"[picture: {block['alt_text']}]", style="dim")

    def _buttons(self, block: Mapping[str, Any], message: Message) -> Text | None:
        """The numbered choices of one block, on one line."""
        pressed = block["type"] in ("actions", "context_actions")
        elements = list(block["elements"]) if pressed else []
        elements += [block["accessory"]] if "accessory" in block else []
        line = Text()
        for element in elements:
            for label, option in _labels(element, self._user):
                self.choices.append(
                    Choice(
                        channel=message.channel,
                        ts=message.ts,
                        action_id=element["action_id"],
                        block_id=block["block_id"],
                        label=label,
                        option=option,
                    )
                )
                line.append(f" {len(self.choices)} ", style="reverse bold")
                line.append(f" {label}   ")
        return line if line.plain else None

    def _tasks(self, stream: Stream) -> Text:
        """The plan of a message that grows, a task a line."""
        lines = [Text(stream.title, style="bold")] if stream.title else []
        for task in stream.tasks:
            line = Text(f" {words.MARKS[task['status']]} {task['title']}")
            if details := task.get("details"):
                line.append(" ").append_text(_prose(words.mrkdwn(details, self._workspace.label)))
            lines.append(line)
        return Text("\n").join(lines)

    def _text(self, text: Mapping[str, str]) -> Text:
        if text["type"] == "plain_text":
            return _prose(words.plain(text["text"]))
        return _prose(words.mrkdwn(text["text"], self._workspace.label))

    def _table(self, block: Mapping[str, Any]) -> Table:
        table = Table(box=box.SIMPLE, show_header=False)
        for row in block["rows"]:
            table.add_row(
                *(
                    _prose(words.rich(cell, self._workspace.label))
                    if cell["type"] == "rich_text"
                    else _prose(words.plain(cell["text"]))
                    for cell in row
                )
            )
        return table


def _labels(element: Mapping[str, Any], user: str) -> Iterator[tuple[str, str | None]]:
    viewers = element.get("visible_to_user_ids")
    if viewers is not None and user not in viewers:
        return
    if element["type"] == "button":
        yield element["text"]["text"], None
    thumbs = (element[key] for key in ("positive_button", "negative_button") if key in element)
    for option in (*element.get("options", ()), *thumbs):
        yield option["text"]["text"], option["value"]


def _cut(paragraphs: tuple[words.Paragraph, ...], most: int) -> Iterator[words.Paragraph]:
    """Return the first paragraphs, of folded ones the first line, and how many more there are."""
    for paragraph in paragraphs[:most]:
        lead = tuple(takewhile(lambda piece: piece.text != "\n", paragraph.pieces))
        yield replace(paragraph, pieces=lead) if most == FOLDED and lead else paragraph
    if (left := len(paragraphs) - most) > 0:
        more = (words.Piece(text=f"… {left} more"),)
        yield words.Paragraph(pieces=more, kind="item", marker=" ")


def _laid(paragraph: words.Paragraph) -> RenderableType:
    """Return a paragraph without an empty line at its end; the lines of an item are set in."""
    if paragraph.kind != "item":
        text = _prose([paragraph])
        text.rstrip()
        return text
    item = Table.grid(padding=(0, 1))
    item.add_column(no_wrap=True)
    item.add_column(overflow="fold")
    item.add_row(f" {paragraph.marker}", _prose([replace(paragraph, kind="text", marker="")]))
    return item


def _prose(paragraphs: Iterable[words.Paragraph]) -> Text:
    marks = {"pre": "  ", "quote": "│ "}
    lines = []
    for paragraph in paragraphs:
        start = f" {paragraph.marker} " if paragraph.marker else marks.get(paragraph.kind, "")
        line = Text(start)
        for piece in paragraph.pieces:
            line.append(piece.text, style=_style(piece))
            if piece.link and piece.link != piece.text:
                line.append(f" ({piece.link})", style="dim")
        if paragraph.kind in marks:
            line.plain = line.plain.replace("\n", f"\n{start}")
        lines.append(line)
    return Text("\n").join(lines)


def _style(piece: words.Piece) -> str:
    names = ("bold", "italic", "strike")
    styles = [name for name in names if getattr(piece, name)]
    styles += ["cyan"] if piece.code or piece.mention else []
    return " ".join(styles) or "none"
