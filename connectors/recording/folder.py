"""The small files of a recording: what it is, its labelled cases, its changes and its graph.

Every fault is one `Rejected` that names the file and, where there is one, the line and the field.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from connectors.api import Capability, Change, Window, in_utc
from connectors.errors import Rejected
from connectors.redact import redact_text

FORMAT = "recording/1"
FILES: Mapping[Capability, str] = {
    Capability.SPANS: "spans.parquet",
    Capability.LOGS: "logs.parquet",
    Capability.METRICS: "metrics.parquet",
    Capability.CHANGES: "changes.jsonl",
    Capability.GRAPH: "graph.json",
}

_Model = TypeVar("_Model")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingInfo:
    """What recording.json says: times aware, UTC; `known_incidents` are kept out of a baseline."""

    title: str
    source: str
    start: datetime
    end: datetime
    known_incidents: tuple[Window, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled incident of cases.json; `onset` and `until` are null where nobody knows them.

    `truth` is kept as written: service, and maybe instance, type, fault, change, affected,
    remediation, decoys. `traces` is how many the incident touched.
    """

    id: str
    alert_at: datetime
    symptom: str
    truth: Mapping[str, object]
    onset: datetime | None = None
    until: datetime | None = None
    alert: Mapping[str, object] | None = None
    traces: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """An opened recording: everything but the telemetry itself, which the connector answers.

    Changes are kept whatever their time: a cause may well be older than the first span.
    """

    folder: Path
    info: RecordingInfo
    cases: tuple[Case, ...] = ()
    changes: tuple[Change, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    offered: frozenset[Capability] = field(default_factory=frozenset)

    @property
    def gaps(self) -> tuple[str, ...]:
        """One sentence for each kind of telemetry that was not recorded."""
        return tuple(
            f"The recording has no {FILES[kind]}: {kind} were not looked at."
            for kind in FILES
            if kind is not Capability.GRAPH and kind not in self.offered
        )


def open_recording(path: str | Path) -> Recording:
    """Read the small files of the recording at `path`; raises `Rejected` naming what is wrong."""
    folder = Path(path)
    if not folder.is_dir():
        raise Rejected(f"There is no recording folder {folder.name}; check the path.")
    return Recording(
        folder=folder,
        info=_info(folder / "recording.json"),
        cases=_cases(folder / "cases.json"),
        changes=_changes(folder / FILES[Capability.CHANGES]),
        edges=_edges(folder / FILES[Capability.GRAPH]),
        offered=frozenset(kind for kind, name in FILES.items() if (folder / name).is_file()),
    )


_Time = Annotated[datetime, AfterValidator(in_utc)]


class _Info(BaseModel):
    format: Literal["recording/1"]
    title: str
    source: str
    start: _Time = Field(alias="from")
    end: _Time = Field(alias="to")
    known_incidents: tuple[tuple[_Time, _Time], ...] = ()
    notes: str = ""


class _Case(BaseModel):
    id: str
    alert_at: _Time
    symptom: str
    truth: dict[str, object]
    onset: _Time | None = None
    until: _Time | None = None
    alert: dict[str, object] | None = None
    traces: int | None = None


class _Change(BaseModel):
    at: _Time
    until: _Time | None = None
    kind: Literal["deploy", "config", "flag", "scale", "infra", "commit", "kubernetes_event"]
    target: str | None = None
    ref: str
    actor: str | None = None
    summary: str
    link: str | None = None
    files: tuple[str, ...] = ()
    diff: str | None = None


class _Graph(BaseModel):
    edges: tuple[tuple[str, str], ...]


def _info(path: Path) -> RecordingInfo:
    text = _text(path)
    if text is None:
        raise Rejected(f"The folder {path.parent.name} is no recording: it has no recording.json.")
    said = _parsed(TypeAdapter(_Info), text, path.name)
    try:
        known = tuple(Window(start=start, end=end) for start, end in said.known_incidents)
        Window(start=said.start, end=said.end)
    except ValueError as error:
        raise Rejected(f"recording.json: {error}.") from None
    return RecordingInfo(
        title=said.title,
        source=said.source,
        start=said.start,
        end=said.end,
        known_incidents=known,
        notes=said.notes,
    )


def _cases(path: Path) -> tuple[Case, ...]:
    text = _text(path)
    if text is None:
        return ()
    return tuple(Case(**dict(case)) for case in _parsed(TypeAdapter(list[_Case]), text, path.name))


def _changes(path: Path) -> tuple[Change, ...]:
    lines = (_text(path) or "").splitlines()
    adapter = TypeAdapter(_Change)
    return tuple(
        _clean(_parsed(adapter, line, f"{path.name}, line {number}"))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )


def _clean(said: _Change) -> Change:
    return Change(
        at=said.at,
        until=said.until,
        kind=said.kind,
        target=said.target,
        ref=said.ref,
        actor=said.actor and redact_text(said.actor),
        summary=redact_text(said.summary),
        link=said.link and redact_text(said.link),
        files=said.files,
        diff=said.diff and redact_text(said.diff),
    )


def _edges(path: Path) -> tuple[tuple[str, str], ...]:
    text = _text(path)
    return () if text is None else _parsed(TypeAdapter(_Graph), text, path.name).edges


def _text(path: Path) -> str | None:
    """Return the file's text, or null where there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise Rejected(f"{path.name} cannot be read as UTF-8 text.") from None


def _parsed(adapter: TypeAdapter[_Model], text: str, place: str) -> _Model:
    try:
        return adapter.validate_python(json.loads(text))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the whole"
        raise Rejected(f"{place}: {where}: {fault['msg']}.") from None
    except (ValueError, RecursionError):
        raise Rejected(f"{place} is not valid JSON.") from None
