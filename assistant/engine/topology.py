"""Who calls whom, as seen in spans and, where there are none, as told by a graph."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Topology:
    """`callees` and `callers` by component; an uninstrumented callee is a component by name."""

    callees: dict[str, frozenset[str]]
    callers: dict[str, frozenset[str]]
    instrumented: frozenset[str]

    @property
    def components(self) -> tuple[str, ...]:
        return tuple(sorted({*self.callees, *self.callers, *self.instrumented}))

    def downstream(self, component: str) -> frozenset[str]:
        """Return everything that `component` calls, directly or not (cycles are harmless)."""
        return _reach(component, self.callees)

    def upstream(self, component: str) -> frozenset[str]:
        """Return everything that calls `component`, directly or not."""
        return _reach(component, self.callers)


def topology(spans: pl.DataFrame, told: Iterable[tuple[str, str]]) -> Topology:
    """Return the graph of the spans plus the edges that were told."""
    # Only what is asked for is copied: a frame of spans has many columns.
    remote = spans.select("parent", "service").filter(spans.get_column("remote"))
    entered = remote.select(
        spans.get_column("service").gather(remote.get_column("parent")).alias("caller"),
        pl.col("service").alias("callee"),
    )
    calls = (
        spans.select(pl.col("service").alias("caller"), "callee", "role")
        .filter(pl.col("role") == "call")
        .drop("role")
    )
    seen = pl.concat([entered.unique(), calls.unique()]).unique().drop_nulls()
    edges = {(a, b) for a, b in [*seen.iter_rows(), *told] if a != b}
    callees: dict[str, set[str]] = defaultdict(set)
    callers: dict[str, set[str]] = defaultdict(set)
    for caller, callee in edges:
        callees[caller].add(callee)
        callers[callee].add(caller)
    return Topology(
        {k: frozenset(v) for k, v in sorted(callees.items())},
        {k: frozenset(v) for k, v in sorted(callers.items())},
        frozenset(spans.get_column("service").unique().to_list()),
    )


def _reach(start: str, steps: dict[str, frozenset[str]]) -> frozenset[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for step in steps.get(ahead.pop(), frozenset()):
            if step not in seen:
                seen.add(step)
                ahead.append(step)
    return frozenset(seen - {start})
