"""The Parquet files of a recording, as frames of exactly `connectors.api`'s schemas.

Real recordings are dirty: times in any unit and zone, categories for text, absent columns, rows
with impossible dates. All of it is settled here; what cannot be is one `Rejected` naming the file
and the column.
"""

from pathlib import Path

import polars as pl

from connectors.api import FRAME_SCHEMAS, TIME, Ask, Capability
from connectors.errors import Rejected
from connectors.pages import EARLIEST, LATEST, asked, began, instant, known
from connectors.recording.folder import FILES, RecordingInfo

# Absent means unknown.
OPTIONAL = frozenset(
    {
        "environment",
        "namespace",
        "cluster",
        "version",
        "peer",
        "sampling_weight",
        "attributes",
        "labels",
    }
)


def read_rows(folder: Path, info: RecordingInfo, ask: Ask) -> pl.DataFrame:
    """Return the rows that `ask` is about, not yet cut, sorted or redacted. Raises `Rejected`."""
    rows = _typed(folder, ask.capability)
    return _collected(
        rows.filter(_possible(ask.capability, info) & asked(ask)), FILES[ask.capability]
    )


def count_impossible(folder: Path, info: RecordingInfo, capability: Capability) -> int:
    """Return how many rows lie outside the recording or end before they begin."""
    possible = _possible(capability, info).fill_null(value=False)
    counted = _typed(folder, capability).select((~possible).sum().alias("rows"))
    return int(_collected(counted, FILES[capability])["rows"][0] or 0)


def _possible(capability: Capability, info: RecordingInfo) -> pl.Expr:
    begin, end = pl.col(began(capability)), pl.col(known(capability))
    within = (begin >= instant(info.start)) & (end <= instant(info.end))
    return within & (end >= begin) if capability is Capability.SPANS else within


def _typed(folder: Path, capability: Capability) -> pl.LazyFrame:
    name = FILES[capability]
    try:
        rows = pl.scan_parquet(folder / name)
        present = rows.collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise Rejected(f"{name} is not a readable Parquet file.") from None
    return rows.select(
        _column(name, column, wanted, present.get(column))
        for column, wanted in FRAME_SCHEMAS[capability].items()
    )


def _column(file: str, column: str, wanted: pl.DataType, found: pl.DataType | None) -> pl.Expr:
    if found is None:
        if column not in OPTIONAL:
            raise Rejected(f"{file}: the column {column} is missing.")
        return pl.lit(None, dtype=wanted).alias(column)
    if found == wanted:
        return pl.col(column)
    if wanted == TIME and isinstance(found, pl.Datetime):
        return _in_utc(pl.col(column), found).alias(column)
    if found == pl.Null and wanted != TIME:
        return pl.col(column).cast(wanted)
    if wanted == pl.String and isinstance(found, pl.Categorical | pl.Enum):
        return pl.col(column).cast(pl.String)
    if wanted == pl.Float64 and found.is_numeric():
        return pl.col(column).cast(pl.Float64)
    raise Rejected(f"{file}: the column {column} holds {found}, not {wanted}.")


def _in_utc(column: pl.Expr, found: pl.Datetime) -> pl.Expr:
    """Return a time of any unit and zone as nanoseconds in UTC; out of their range becomes null."""
    zoned = (
        column.dt.replace_time_zone("UTC")
        if found.time_zone is None
        else column.dt.convert_time_zone("UTC")
    )
    if found.time_unit == "ns":
        return zoned
    return pl.when(zoned.is_between(EARLIEST, LATEST)).then(zoned).cast(TIME)


def _collected(rows: pl.LazyFrame, file: str) -> pl.DataFrame:
    try:
        return rows.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise Rejected(f"{file} is damaged: its rows cannot be read.") from None
