"""Pictures of the evidence, drawn when an answer is there and kept apart from the journal.

The telemetry is at hand only at that moment. Drawing takes a second or two and nobody waits for it:
an answer whose picture cannot be drawn has none.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assistant.domain.hypothesis import Finding
from assistant.engine.question import Telemetry
from assistant.engine.series import panels

MOST_TOLD = 2_000  # characters of a description
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG, and what it shows in words."""

    image: bytes
    alt: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the picture, in hexadecimal."""
        return hashlib.sha256(self.image).hexdigest()


class Pictures:
    """The newest picture of each incident; use it within one event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = asyncio.Lock()  # so that the newest answer's comes last
        self._drawing: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[str], None]] = []

    def watch(self, listener: Callable[[str], None]) -> None:
        """Tell `listener` the incident of each picture that is there from now on."""
        self._listeners.append(listener)

    def draw(self, incident: str, telemetry: Telemetry, finding: Finding) -> None:
        """Begin to draw what an answer rests on; returns at once."""
        task = asyncio.create_task(self._drawn(incident, telemetry, finding))
        self._drawing.add(task)
        task.add_done_callback(self._drawing.discard)

    def of(self, incident: str) -> Picture | None:
        """Return the picture of an incident's answer, or null where there is none."""
        try:
            image = self._path(incident).read_bytes()
            alt = self._path(incident).with_suffix(".txt").read_text(encoding="utf-8")
        except OSError:
            return None
        return Picture(image=image, alt=alt)

    def forget(self, incident: str) -> bool:
        """Delete the picture of an incident; false where there is none. Raises `OSError`."""
        path = self._path(incident)
        finished = (path, path.with_suffix(".txt"))
        kept = [one for name in finished for one in (name, _unfinished(name)) if one.exists()]
        for one in kept:
            one.unlink()
        return bool(kept)

    async def _drawn(self, incident: str, telemetry: Telemetry, finding: Finding) -> None:
        try:
            async with self._turn:
                # That of an answer before would be taken for this one's, which may have none.
                await asyncio.to_thread(self.forget, incident)
                made = await asyncio.to_thread(_picture, telemetry, finding)
                if made is None:
                    return
                await asyncio.to_thread(self._keep, incident, made)
        except (OSError, ValueError, ArithmeticError) as error:
            _LOG.warning("%s has no picture: %s", incident, type(error).__name__)
            return
        for listener in self._listeners:
            listener(incident)

    def _keep(self, incident: str, picture: Picture) -> None:
        """Write the words first: a picture that is there has them."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(incident)
        words = (path.with_suffix(".txt"), picture.alt.encode())
        for name, content in (words, (path, picture.image)):
            unfinished = _unfinished(name)
            unfinished.write_bytes(content)
            unfinished.replace(name)

    def _path(self, incident: str) -> Path:
        return self._folder / f"{incident}.png"


def _unfinished(path: Path) -> Path:
    return path.with_suffix(f"{path.suffix}.part")


def _picture(telemetry: Telemetry, finding: Finding) -> Picture | None:
    series = panels(telemetry, finding)
    if not series:
        return None
    from assistant.plots import png  # noqa: PLC0415 — a second to load, which no start waits for

    alt = " ".join(one.alt for one in series)[:MOST_TOLD]
    return Picture(image=png(*series), alt=alt)
