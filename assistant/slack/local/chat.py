"""The loopback Slack in a terminal: one person, one channel.

A line is said in the channel, a number presses the button with that number, `>` answers in the
latest thread, `/` starts a command, `!` lists shortcuts (`!1` uses the first, on the latest
message), `#` goes to another channel. A modal asks for its fields one after the other.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TextIO

from rich.console import Console
from rich.text import Text

from assistant.slack.local.driver import Person
from assistant.slack.local.interactions import NotThere
from assistant.slack.local.panels import Panels
from assistant.slack.local.people import Message, View
from assistant.slack.local.slack import LocalSlack
from assistant.slack.manifest import SHORTCUTS

CHUNK = 4096
LONGEST = 40_000  # of a message, in Slack


async def chat(
    slack: LocalSlack, person: Person, channel: str, *, console: Console, lines: AsyncIterator[str]
) -> None:
    """Print what the person sees and do what the lines say, until there are no more lines."""
    session = _Session(slack, person, channel, console)
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(session.show())
        async for line in lines:
            await session.act(line.strip())
        printing.cancel()
    session.catch_up()


async def typed(stream: TextIO) -> AsyncIterator[str]:
    """The lines of a terminal, a pipe or a file, without a thread that could not be interrupted.

    The stream is left blocking: a terminal shares that with what is printed on it.
    """
    loop, descriptor, reader = asyncio.get_running_loop(), stream.fileno(), asyncio.StreamReader()

    def arrived() -> None:
        if some := os.read(descriptor, CHUNK):
            reader.feed_data(some)
        else:
            loop.remove_reader(descriptor)
            reader.feed_eof()

    try:
        loop.add_reader(descriptor, arrived)
    except PermissionError:  # of what is always ready, as a file or /dev/null
        for written in stream:
            yield written[:LONGEST]
        return
    try:
        while line := await _line(reader):
            yield line.decode(errors="replace")
    finally:
        loop.remove_reader(descriptor)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line, cut where it is longer than a message may be; empty at the end."""
    line, whole = b"", False
    while not whole:
        whole = True
        try:
            more = await reader.readuntil()
        except asyncio.IncompleteReadError as end:
            more = end.partial
        except asyncio.LimitOverrunError as long:
            more, whole = await reader.readexactly(long.consumed), False
        line = (line + more)[:LONGEST]
    return line


class _Session:
    """What was printed already, and which field of a modal is asked for."""

    def __init__(self, slack: LocalSlack, person: Person, channel: str, console: Console) -> None:
        self._slack = slack
        self._person = person
        self._channel = channel
        self._console = console
        self._panels = Panels(slack.workspace, person.id)
        self._printed: dict[str, Message] = {}
        self._told = 0
        self._asked: tuple[str, dict[str, str]] | None = None

    async def show(self) -> None:
        async for _ in self._slack.changes():
            self.catch_up()

    async def act(self, line: str) -> None:
        try:
            await self._do(line)
        except NotThere as error:
            self._console.print(Text(str(error), style="yellow"))

    def catch_up(self) -> None:
        """Print every message that is new or changed, and what Slack told the person."""
        for message in self._messages():
            if self._printed.get(message.ts) != message:
                self._printed[message.ts] = message
                self._console.print(self._panels.draw(message))
        for error in self._person.errors[self._told :]:
            self._console.print(Text(error, style="red"))
        self._told = len(self._person.errors)
        modal = self._person.modal()
        if modal and (self._asked is None or self._asked[0] != modal.id):
            self._asked = (modal.id, {})
            self._console.print(Text(modal.content["title"]["text"], style="bold underline"))
            for note in _notes(modal):
                self._console.print(Text(note, style="dim"))
            self._prompt(modal)

    async def _do(self, line: str) -> None:
        modal = self._person.modal()
        choices = self._panels.choices
        if modal is not None:
            await self._fill(modal, line)
        elif line.isdecimal() and 1 <= int(line) <= len(choices):
            choice = choices[int(line) - 1]
            await self._person.click(
                choice.channel,
                choice.ts,
                choice.action_id,
                block_id=choice.block_id,
                option=choice.option,
            )
        elif line.startswith("!"):
            await self._use(line[1:])
        elif line.startswith("#"):
            self._person.messages(line)  # whoever may not see it is told so
            self._channel = line
            self.catch_up()
        elif line.startswith("/"):
            command, _, rest = line.partition(" ")
            await self._person.slash(command, rest, self._channel)
        elif line.startswith(">"):
            threads = [m.thread or m.ts for m in self._printed.values() if not m.only_for]
            await self._person.say(
                self._channel, line[1:].strip(), thread=threads[-1] if threads else None
            )
        elif line:
            await self._person.say(self._channel, line)

    async def _use(self, number: str) -> None:
        """Use the shortcut with a number from 1; list them where it is none."""
        if not (number.isdecimal() and 1 <= int(number) <= len(SHORTCUTS)):
            for index, (name, _, does) in enumerate(SHORTCUTS.values(), start=1):
                self._console.print(Text(f" !{index}  {name}: {does}"))
            return
        callback, (name, where, _) = list(SHORTCUTS.items())[int(number) - 1]
        if where == "global":
            await self._person.shortcut(callback)
            return
        latest = next((m for m in reversed(self._messages()) if not m.only_for), None)
        if latest is None:
            raise NotThere(f"There is no message yet for {name}.")
        await self._person.shortcut(callback, self._channel, latest.ts)

    async def _fill(self, modal: View, line: str) -> None:
        """Take one field; after the last one the modal is submitted. `cancel` closes it."""
        _, values = self._asked or (modal.id, {})
        if line == "cancel":
            await self._person.close(modal.id)
            self._asked = None
            return
        if fields := _fields(modal, values):
            values[fields[0][0]] = line
            self._asked = (modal.id, values)
            if fields[1:]:
                self._prompt(modal)
                return
        self._asked = (modal.id, {})
        complaints = await self._person.submit(modal.id, {k: v for k, v in values.items() if v})
        for complaint in complaints.values():
            self._console.print(Text(complaint, style="red"))
        if complaints:
            self._prompt(modal)

    def _prompt(self, modal: View) -> bool:
        """Ask for the next field; false when there is none, and any line submits."""
        fields = _fields(modal, self._asked[1] if self._asked else {})
        for value, shown in _offered(modal, fields[0][0]) if fields else ():
            self._console.print(Text(f"  {value}  {shown}"))
        what = fields[0][1] if fields else "Enter to go on"
        self._console.print(Text(f"{what} (or cancel)", style="bold"))
        return bool(fields)

    def _messages(self) -> list[Message]:
        """The channel with each thread beneath its first message."""
        firsts = self._person.messages(self._channel)
        seen: dict[str, Message] = {}
        for first in firsts:
            seen |= {m.ts: m for m in self._person.messages(self._channel, first.ts)}
        return list(seen.values())


def _fields(modal: View, values: dict[str, str]) -> list[tuple[str, str]]:
    """The fields that were not asked for yet: action_id, and what to ask."""
    found = []
    for block in modal.content["blocks"]:
        if block["type"] == "input" and block["element"]["action_id"] not in values:
            options = block["element"].get("options", ())
            offered = f" [{', '.join(option['value'] for option in options)}]" if options else ""
            found.append((block["element"]["action_id"], block["label"]["text"] + offered))
    return found


def _notes(modal: View) -> list[str]:
    """The small print of a modal."""
    blocks = (block for block in modal.content["blocks"] if block["type"] == "context")
    return [e["text"] for block in blocks for e in block["elements"] if "text" in e]


def _offered(modal: View, action_id: str) -> list[tuple[str, str]]:
    """What each choice of a field stands for, where its value does not say so itself."""
    fields = (b["element"] for b in modal.content["blocks"] if b["type"] == "input")
    options = next((f.get("options", ()) for f in fields if f["action_id"] == action_id), ())
    told = [
        (
            o["value"],
            " ".join([o["text"]["text"], o.get("description", {}).get("text", "")]).strip(),
        )
        for o in options
    ]
    return [(value, shown) for value, shown in told if value != shown]
