"""What the engine is given: telemetry as it was gathered, and the question."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from connectors.api import LOGS, METRICS, SPANS, Change, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Frames with the schemas of `connectors.api`; empty where nothing was gathered.

    `gaps` are sentences about what could not be seen; `sources` says which connector gave what.
    `spans_whole` is false where a source of spans failed or left some out.
    """

    spans: pl.DataFrame
    logs: pl.DataFrame
    metrics: pl.DataFrame
    changes: tuple[Change, ...] = ()
    changes_seen: bool = False
    spans_whole: bool = True
    edges: tuple[tuple[str, str], ...] = ()
    gaps: tuple[str, ...] = ()
    sources: Mapping[str, str] | None = None

    @staticmethod
    def empty() -> "Telemetry":
        return Telemetry(
            spans=pl.DataFrame(schema=SPANS),
            logs=pl.DataFrame(schema=LOGS),
            metrics=pl.DataFrame(schema=METRICS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """When and about what. `at` is the alert's time, `horizon` the end of what may be seen.

    `ruled_out` are components that a person told not to blame, `ignored` refs of changes.
    `onset` is null where it has to be found; where it is told, all data outside known incidents are
    baseline and the incident ends at `until`. `known_incidents` are kept out of the baseline.
    """

    at: datetime
    horizon: datetime
    text: str = ""
    service: str | None = None
    onset: datetime | None = None
    until: datetime | None = None
    known_incidents: tuple[Window, ...] = ()
    ruled_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
