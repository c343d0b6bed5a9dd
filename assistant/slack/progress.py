"""What a stream says: a plan with a task for each source, as chunks that Slack takes. No I/O."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from assistant.domain.events import Event, ReadFailed, ReadPerformed, ScopeSet
from assistant.domain.incident import Incident
from assistant.slack.text import bare, link

Chunk = dict[str, Any]
AGAIN = "again"
_LINE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asked, in which message of which thread."""

    channel: str
    thread: str
    message: str
    user: str
    team: str


class Progress:
    """The chunks of one stream that were not sent yet; the newest of each task."""

    def __init__(
        self, incident: str, asker: Asker, sources: Iterable[tuple[str, str]], hosts: frozenset[str]
    ) -> None:
        self.asker = asker
        self.over = False
        self._hosts = hosts
        self._looks = 0
        self._titles = {_id(name, gives): _title(name, gives) for name, gives in sources}
        self._open = set(self._titles)
        plan = {"type": "plan_update", "title": f"{incident}: I am looking"}
        self._plan = incident
        self._waiting: dict[str, Chunk] = {"": plan}
        for name in self._titles:
            self._task(name, "in_progress")
        self._news = asyncio.Event()
        self._end = asyncio.Event()

    def told(self, event: Event, state: Incident) -> None:
        """Take an event in."""
        match event:
            case ScopeSet():
                self._looks += 1
                if self._looks > 1:
                    self._titles[AGAIN] = "No cause was to be seen yet: looking once more"
                    self._task(AGAIN, "in_progress")
            case ReadPerformed() | ReadFailed():
                self._read(event)
        answered = state.finding is not None and not state.asked_anew
        if answered or state.stopped is not None or not state.open:
            self._finish(state, answered=answered)

    def take(self) -> list[Chunk]:
        """Return what is new, and forget it."""
        chunks, self._waiting = list(self._waiting.values()), {}
        self._news.clear()
        return chunks

    def give_back(self, chunks: list[Chunk]) -> None:
        """Keep chunks that could not be sent, unless there is newer news of their task."""
        self._waiting = {str(c.get("id", "")): c for c in chunks} | self._waiting
        self._news.set()

    async def more(self, patience_s: float) -> bool:
        """Wait until there is something new; false as soon as it is over, or nothing comes."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), patience_s)
        return self._news.is_set() and not self.over

    async def rest(self, seconds: float) -> None:
        """Wait for some time, or until it is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._end.wait(), seconds)

    def _task(self, name: str, status: str, said: str = "", **more: object) -> None:
        title = self._titles[name] + (f" · {said}" if said else "")
        self._waiting[name] = {
            "type": "task_update",
            "id": name,
            "title": title,
            "status": status,
            **more,
        }
        (self._open.add if status == "in_progress" else self._open.discard)(name)

    def _read(self, read: ReadPerformed | ReadFailed) -> None:
        name = _id(read.source, read.capability)
        self._titles.setdefault(name, _title(read.source, read.capability))
        if isinstance(read, ReadFailed):
            details = bare(read.reason, _LINE) or "it did not say why"
            self._task(name, "error", "not looked at", details=details)
        else:
            cut = "" if read.complete else ", cut"
            said = f"{read.rows} rows in {read.seconds:.1f} s{cut}"
            self._task(name, "complete", said, **self._link(read))
        self._news.set()

    def _link(self, read: ReadPerformed) -> dict[str, object]:
        shown = link(read.link, "open", self._hosts) if read.link else {}
        if shown.get("type") != "link":
            return {}
        return {"sources": [{"type": "url", "url": shown["url"], "text": shown["text"]}]}

    def _finish(self, state: Incident, *, answered: bool) -> None:
        if self.over:
            return
        by = bare(state.stopped.by.name, _LINE) if state.stopped is not None else ""
        for name in sorted(self._open):
            if answered:
                self._task(name, "complete")
            else:
                self._task(name, "error", f"stopped by {by}" if by else "not looked at")
        ended = f"stopped by {by}" if by else "I have looked"
        self._waiting[""] = {"type": "plan_update", "title": f"{self._plan}: {ended}"}
        self.over = True
        self._news.set()
        self._end.set()


def _id(source: str, gives: str) -> str:
    return f"{source}/{gives}"


def _title(source: str, gives: str) -> str:
    return f"{gives} ({source})"
