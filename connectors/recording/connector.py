"""Answers asks from a recording, exactly as a live backend would have at that time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from connectors.api import Ask, Capability, Change, Connector, Health, Page, Window
from connectors.errors import ConnectorError
from connectors.pages import (
    bounded,
    changes_in,
    query_text,
    refuse_unless_offered,
    within_deadline,
)
from connectors.recording.folder import FILES, Recording, open_recording
from connectors.recording.frames import count_impossible, read_rows
from connectors.redact import redact_frame


class Settings(BaseModel):
    """`path`: the recording's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path


class RecordingConnector(Connector):
    """The connector over one recording; the folder is opened at the first question."""

    name = "recording"

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._opened: Recording | None = None
        self._impossible: dict[Capability, int] = {}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What was recorded; everything while there is no folder, so that an ask says so."""
        if not self._path.is_dir():
            return frozenset(Capability)
        return frozenset(kind for kind, name in FILES.items() if (self._path / name).is_file())

    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        """Yield one page; raises `Rejected` for a malformed recording."""
        yield await within_deadline(ask, self.name, lambda: self._answer(ask))

    async def check(self) -> Health:
        """Say what the recording holds, or what is wrong with it."""
        try:
            recording = await asyncio.to_thread(self._recording)
        except ConnectorError as error:
            return Health(ok=False, message=str(error))
        kinds = ", ".join(sorted(recording.offered)) or "nothing"
        held = _told(Window(start=recording.info.start, end=recording.info.end))
        said = f"The recording {recording.info.title} holds {kinds}: {held}, and no other time."
        return Health(ok=True, message=" ".join((said, *recording.gaps)))

    async def aclose(self) -> None:
        """Do nothing: no file stays open."""

    def _recording(self) -> Recording:
        if self._opened is None:
            self._opened = open_recording(self._path)
        return self._opened

    def _answer(self, ask: Ask) -> Page:
        recording = self._recording()
        refuse_unless_offered(ask, recording.offered, self.name)
        if ask.capability is Capability.CHANGES:
            return _changes_page(recording, ask)
        if ask.capability is Capability.GRAPH:
            return _graph_page(recording, ask)
        return self._frame_page(recording, ask)

    def _frame_page(self, recording: Recording, ask: Ask) -> Page:
        kind = ask.capability
        frame, cut = bounded(read_rows(recording.folder, recording.info, ask), ask)
        if kind not in self._impossible:
            self._impossible[kind] = count_impossible(recording.folder, recording.info, kind)
        return Page(
            capability=kind,
            frame=redact_frame(frame),
            complete=not cut,
            gaps=_elsewhere(recording, ask) + cut + _impossible_gap(self._impossible[kind], kind),
            query=query_text(FILES[kind], ask),
        )


def _changes_page(recording: Recording, ask: Ask) -> Page:
    found = changes_in(recording.changes, ask)
    kept = found[-ask.max_items :] if ask.max_items else []
    cut = (
        (f"Only the newest {len(kept)} of {len(found)} changes were looked at.",)
        if len(kept) < len(found)
        else ()
    )
    return Page(
        capability=Capability.CHANGES,
        changes=tuple(_as_known(change, ask) for change in kept),
        complete=not cut,
        gaps=cut,
        query=query_text(FILES[ask.capability], ask),
    )


def _graph_page(recording: Recording, ask: Ask) -> Page:
    edges = tuple(
        edge
        for edge in recording.edges
        if not ask.services or edge[0] in ask.services or edge[1] in ask.services
    )
    cut = len(edges) > ask.max_items
    return Page(
        capability=Capability.GRAPH,
        edges=edges[: ask.max_items],
        complete=not cut,
        gaps=(f"Only {ask.max_items} of {len(edges)} calls were looked at.",) if cut else (),
        query=f"{FILES[ask.capability]}, first {ask.max_items}",
    )


def _elsewhere(recording: Recording, ask: Ask) -> tuple[str, ...]:
    """Say that the recording is of another time than the one that was asked about, if it is."""
    held, asked = Window(start=recording.info.start, end=recording.info.end), ask.window
    if asked.start <= held.end and held.start < asked.end:
        return ()
    return (f"The recording holds {_told(held)}; asked was {_told(asked)}.",)


def _told(window: Window) -> str:
    start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
    if start.date() == end.date():
        return f"{start:%H:%M:%S} to {end:%H:%M:%S} UTC on {start:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"


def _as_known(change: Change, ask: Ask) -> Change:
    """Return the change as it was known at the window's end, when it may not have been over."""
    over = change.until is not None and change.until < ask.window.end
    return change if over else replace(change, until=None)


def _impossible_gap(rows: int, kind: Capability) -> tuple[str, ...]:
    if not rows:
        return ()
    return (
        f"{rows} {kind} lie outside the recorded time or end before they begin, and were left out.",
    )
