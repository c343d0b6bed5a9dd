"""Writes a recording: all of it or nothing."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import polars as pl

from connectors.api import FRAME_SCHEMAS, Capability, Change, Window
from connectors.errors import Rejected
from connectors.recording.folder import FILES, FORMAT, Case
from connectors.recording.frames import OPTIONAL


def write_recording(  # noqa: PLR0913 - one keyword for each part of the format
    folder: str | Path,
    *,
    title: str,
    source: str,
    window: Window,
    spans: pl.DataFrame | None = None,
    logs: pl.DataFrame | None = None,
    metrics: pl.DataFrame | None = None,
    changes: Sequence[Change] | None = None,
    known_incidents: Iterable[Window] = (),
    cases: Iterable[Case] = (),
    graph: Iterable[tuple[str, str]] | None = None,
    notes: str = "",
) -> None:
    """Write a recording to `folder`, which must be absent or empty.

    Frames have the schemas of `connectors.api`. Null means "was not recorded" and leaves the file
    out; an empty frame or sequence means "looked, and there was none". The files are made beside
    the folder and moved there at the end, so that nobody sees a half of them. Raises `Rejected`.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Rejected(f"The folder {target.name} is not empty; name a new one.")
    frames = {Capability.SPANS: spans, Capability.LOGS: logs, Capability.METRICS: metrics}
    for kind, frame in frames.items():
        if frame is not None and frame.schema != FRAME_SCHEMAS[kind]:
            raise Rejected(f"The frame of {kind} does not have the columns of connectors.api.")
    info = {
        "format": FORMAT,
        "title": title,
        "source": source,
        "from": window.start,
        "to": window.end,
        "known_incidents": [[known.start, known.end] for known in known_incidents],
        "notes": notes,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        staged = Path(scratch) / "recording"
        staged.mkdir()
        for kind, frame in frames.items():
            if frame is not None:
                _without_unknown(frame).write_parquet(staged / FILES[kind], compression="zstd")
        if changes is not None:
            lines = "".join(_json(asdict(change)) + "\n" for change in changes)
            (staged / FILES[Capability.CHANGES]).write_text(lines, encoding="utf-8")
        if graph is not None:
            _write(staged / FILES[Capability.GRAPH], {"edges": [list(edge) for edge in graph]})
        labelled = [asdict(case) for case in cases]
        if labelled:
            _write(staged / "cases.json", labelled)
        _write(staged / "recording.json", info)
        staged.rename(target)


def _without_unknown(frame: pl.DataFrame) -> pl.DataFrame:
    unknown = [name for name in OPTIONAL & set(frame.columns) if frame[name].is_null().all()]
    return frame.drop(unknown)


def _write(path: Path, content: object) -> None:
    path.write_text(_json(content, indent=1) + "\n", encoding="utf-8")


def _json(content: object, indent: int | None = None) -> str:
    return json.dumps(content, ensure_ascii=False, indent=indent, default=_iso)


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in a recording")
