"""Rows as columns of numbers, and their texts looked up once at the end.

A text for every row would cost more than the whole simulation.
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.generator.rollouts import Ints
from bench.generator.topology import Floats
from bench.generator.unfold import Bools, Runs, World
from connectors.api import TIME

NONE = -1


def times(start: datetime, seconds: Floats) -> pl.Series:
    """Return seconds from the window's start as times."""
    base = int(start.timestamp()) * 1_000_000_000
    return pl.Series(base + np.rint(seconds * 1e9).astype(np.int64)).cast(pl.Int64).cast(TIME)


def gather(labels: list[str] | pl.Series, codes: Ints) -> pl.Series:
    """Return the label of each code; a negative code gives null."""
    series = labels if isinstance(labels, pl.Series) else pl.Series(labels, dtype=pl.String)
    if not len(series):
        return pl.Series([None] * len(codes), dtype=pl.String)
    return series.gather(pl.Series(codes).set(pl.Series(codes < 0), None).cast(pl.UInt32))


class Columns:
    """Columns of a frame as numbers, gathered block by block; a block is one kind of row."""

    def __init__(self) -> None:
        self.labels: dict[str, int] = {}
        self.count = 0
        self._blocks: dict[str, list[npt.NDArray[np.generic]]] = {}

    def label(self, text: str) -> int:
        """Return the number of a text; each text has one."""
        return self.labels.setdefault(text, len(self.labels))

    def number(self, shown: Bools) -> Ints:
        """Give the next numbers to the shown rows, -1 to the others."""
        numbers = np.full(len(shown), NONE, dtype=np.int64)
        count = int(np.count_nonzero(shown))
        numbers[shown] = np.arange(self.count, self.count + count)
        self.count += count
        return numbers

    def add(self, rows: Ints, **block: npt.NDArray[np.generic] | int) -> None:
        """Append these rows of each column; a plain number stands for the whole column."""
        for name, values in block.items():
            column = np.full(len(rows), values) if isinstance(values, int) else values[rows]
            self._blocks.setdefault(name, []).append(column)

    def floats(self, name: str) -> Floats:
        return self._column(name).astype(np.float64)

    def ints(self, name: str) -> Ints:
        return self._column(name).astype(np.int64)

    def texts(self, name: str) -> pl.Series:
        """Return a column of labels as text, null where its number is negative."""
        return gather(list(self.labels), self.ints(name))

    def _column(self, name: str) -> npt.NDArray[np.generic]:
        return np.concatenate(self._blocks.get(name, [np.zeros(0)]))


def whereabouts(columns: Columns, world: World, index: int, runs: Runs) -> dict[str, Ints | int]:
    """Return the columns that say where the runs of operation `index` took place."""
    service, rollouts = world.topology.operations[index].service, world.rollouts
    names = np.array([[columns.label(n) for n in row] for row in rollouts.instances(service)])
    versions = np.array([columns.label(version) for version in rollouts.versions(service)])
    return {
        "service": columns.label(world.topology.services[service].name),
        "instance": names[runs.epoch, runs.instance],
        "version": versions[runs.epoch] if world.shape.versions else NONE,
    }
