"""What a component runs on: processor, memory, pools, queues; measured against its own habits.

A z-score alone makes a quiet process that woke up look guilty, so each family of metrics has an
effect that it must reach as well, in its own unit and beyond what more traffic would explain.
"""

import re
from dataclasses import dataclass

import polars as pl

from assistant.engine.shift import Mechanism, Shift, saturate

KEYS = ["service", "instance", "name", "unit", "labels"]
MIN_Z, HALF_Z = 3.0, 10.0
HALF_RISE = 25.0  # points of 100 at which a rise is half as bad as can be
MIN_BEFORE, MIN_AFTER = 4, 2
SETTLED = 0.5  # of the samples that an instance of its service has: fewer are of its start
EVERYONE = "*"  # the load of components that have none of their own
RATIO_UP_TO = 1.5  # a larger value is in percent already, unless it counts cores
CORES = r"load_?average|cores?\b|\{cpu\}"
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
FELT_WAIT_S = 0.01  # a shorter wait for a connection or a turn is felt by no request
NO_BURDEN = (
    r"limit|max|capacity|requested|node[._]|\.rate$"  # a duration's rate is how often it was
)
UNUSED = r"\b(idle|free|available|unused)\b"


@dataclass(frozen=True, slots=True)
class Family:
    """Metrics of one kind. `rise` is the least increase in points of 100, or a ratio."""

    name: str
    pattern: str
    rise: float
    relative: bool
    follows_load: bool


FAMILIES = (
    Family("throttling", r"throttl", 1.5, relative=True, follows_load=False),
    Family("cpu", r"cpu|processor|load_?average", 10.0, relative=False, follows_load=True),
    Family("restarts", r"restart|crash|(?<![a-z])oom", 1.2, relative=True, follows_load=False),
    Family("memory", r"mem(?!ber)|heap|rss", 1.25, relative=True, follows_load=False),
    Family("disk", r"disk|filesystem|inode|volume", 1.25, relative=True, follows_load=False),
    Family(
        "pool",
        r"pool|pending|connection|acquire|in_use|semaphore",
        1.5,
        relative=True,
        follows_load=True,
    ),
    Family(
        "queue",
        r"queue|backlog|(?<![a-z])lag|waiting|saturation",
        1.5,
        relative=True,
        follows_load=True,
    ),
    Family("gc", r"(^|[._])gc([._]|$)|garbage|pause", 1.5, relative=True, follows_load=True),
)


def family_of(metric: str) -> Family | None:
    """Return the family of a metric by its name, null for one that says nothing of resources."""
    lowered = metric.lower()
    if re.search(NO_BURDEN, lowered):
        return None
    return next((f for f in FAMILIES if re.search(f.pattern, lowered)), None)


def table(metrics: pl.DataFrame) -> pl.DataFrame:
    """Return the resource samples with `family`, apart by their labels.

    Other metrics, non-numbers, and what is told of the unused part are left out.
    """
    names = metrics.get_column("name").unique().drop_nulls().to_list()
    families = {n: f.name for n in sorted(names) if (f := family_of(n)) is not None}
    return metrics.filter(
        pl.col("name").is_in(list(families))
        & pl.col("value").is_finite()
        & ~pl.col("labels").cast(pl.String).str.contains(UNUSED).fill_null(value=False)
    ).with_columns(
        pl.col("name")
        .replace_strict(families, default=None, return_dtype=pl.String)
        .alias("family")
    )


def shifts(samples: pl.DataFrame, incident: int, load: dict[str, float]) -> list[Shift]:
    """Return the resources that left their habits. `load` is traffic after ÷ before per service."""
    before = samples.filter((pl.col("bucket") >= 0) & (pl.col("bucket") != incident))
    during = samples.filter(pl.col("bucket") == incident)
    now = during.group_by([*KEYS, "family"]).agg(
        pl.col("value").median().alias("after"), pl.len().alias("n1")
    )
    # An instance that has just been started has no habits yet: its service's are taken.
    common = [k for k in KEYS if k != "instance"]
    settled = pl.col("n0") >= SETTLED * pl.col("n0_shared") / pl.col("instances_shared")
    both = (
        now.join(_habits(before, KEYS), on=KEYS, how="left", nulls_equal=True)
        .join(_habits(before, common, "_shared"), on=common, how="left", nulls_equal=True)
        .with_columns(
            pl.when(settled).then(name).otherwise(f"{name}_shared").alias(name)
            for name in ("before", "iqr", "n0")
        )
        .filter(
            pl.col("n0").is_not_null()
            & ((pl.col("n1") >= MIN_AFTER) | (pl.col("family") == "restarts"))
        )
    )
    families = {f.name: f for f in FAMILIES}
    found = [
        shift
        for row in both.sort(KEYS).iter_rows(named=True)
        if (shift := _judge(row, families[row["family"]], load)) is not None
    ]
    return sorted(found, key=lambda s: (-s.strength, s.service, s.instance or "", s.detail))


def _habits(before: pl.DataFrame, keys: list[str], suffix: str = "") -> pl.DataFrame:
    value = pl.col("value")
    return (
        before.group_by(keys)
        .agg(
            value.median().alias(f"before{suffix}"),
            (value.quantile(0.75) - value.quantile(0.25)).alias(f"iqr{suffix}"),
            value.len().alias(f"n0{suffix}"),
            pl.col("instance").n_unique().alias(f"instances{suffix}"),
        )
        .filter(pl.col(f"n0{suffix}") >= MIN_BEFORE)
    )


def _least(family: Family, unit: object) -> float:
    """The least rise above what is expected, in the metric's own unit."""
    if family.name not in ("pool", "queue", "restarts"):
        return 0.0
    seconds = SECONDS.get(str(unit))
    return FELT_WAIT_S / seconds if seconds else 0.5


def _chance(unit: object, expected: float) -> float:
    """How far a figure strays by chance: counts of things (`{request}`) by their square root."""
    return max(1.0, expected) ** 0.5 if str(unit).startswith("{") else 1e-9


def _judge(row: dict[str, object], family: Family, load: dict[str, float]) -> Shift | None:
    service = str(row["service"])
    usual, after, iqr = (float(str(row[k])) for k in ("before", "after", "iqr"))
    expected = (
        usual * max(1.0, load.get(service, load.get(EVERYONE, 1.0)))
        if family.follows_load
        else usual
    )
    z = (after - expected) / max(iqr, 0.05 * abs(usual), _chance(row["unit"], expected))
    size = 1.0
    if family.relative:
        enough = after > expected * family.rise + _least(family, row["unit"]) and after > 0
    else:
        cores = re.search(CORES, f"{row['name']} {row['unit']}".lower()) is not None
        share = max(usual, after) <= RATIO_UP_TO and row["unit"] != "%"
        scale = 100.0 if share or cores else 1.0
        rise = (after - expected) * scale
        enough = rise >= family.rise
        size = saturate(rise, HALF_RISE)
    if z <= MIN_Z or not enough:
        return None
    return Shift(
        mechanism=Mechanism.RESOURCE,
        kind="resource_saturation",
        service=service,
        instance=None if row["instance"] is None else str(row["instance"]),
        detail=str(row["name"]),
        operation=family.name,
        unit=str(row["unit"] or ""),
        before=usual,
        after=after,
        n0=int(str(row["n0"])),
        n1=int(str(row["n1"])),
        t=z,
        weight=z,
        strength=size * saturate(z - MIN_Z, HALF_Z),
    )
