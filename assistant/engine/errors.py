"""Where errors begin: a span that failed while none of its children did, and lines that complain.

A caller that only passes an error on is not its origin. A call that failed while its server span
did not (or is absent) begins on the way to the callee, which is then the suspect.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from assistant.engine.contrast import share_shift
from assistant.engine.shift import Mechanism, Shift, saturate
from assistant.engine.windows import OUTSIDE

KEYS = ["service", "name", "callee"]
MIN_G = 8.0
HALF_G = 10.0
MIN_RISE = 0.01
HALF_RISE = 0.10
BAD = ["WARN", "WARNING", "ERROR", "FATAL", "CRITICAL"]
MIN_Z, HALF_Z = 3.0, 10.0
PER_EXECUTION, PER_REQUEST, PER_SECOND = (
    "lines per execution",
    "lines per request",
    "lines per second",
)
LINES_PER = (PER_EXECUTION, PER_REQUEST, PER_SECOND)
FAILED = ["ERROR", "FATAL", "CRITICAL"]
READ, SHORTEST_NAME = 5_000, 3
# A plain word is somebody's name only where a sentence points at somebody.
POINTS = (
    r"(?:\b(?:to|for|from|at|host|upstream|service|server|dial|lookup|resolve)\s+|//|@)['\"\[(]*"
)


def table(spans: pl.DataFrame) -> pl.DataFrame:
    """Return n spans and error origins per (service, operation, callee) and bucket."""
    return (
        spans.select(
            "op",
            "service",
            "name",
            pl.when(pl.col("role") == "call").then("callee").alias("callee"),
            "bucket",
            "origin",
            spans.get_column("failed").is_not_null().alias("known"),
        )
        .filter("known")
        .with_columns(pl.col("callee").cast(pl.Categorical).to_physical().alias("to"))
        .group_by("op", "to", "bucket")
        .agg(
            pl.col(*KEYS).first(),
            pl.len().alias("n"),
            pl.col("origin").sum().cast(pl.Int64).alias("hits"),
        )
        .select(*KEYS, "bucket", "n", "hits")
        .sort([*KEYS, "bucket"])
    )


def shifts(sums: pl.DataFrame, incident: int) -> list[Shift]:
    """Return operations in which more errors begin than before."""
    moved = share_shift(sums, KEYS, incident, above=MIN_G).filter(
        (pl.col("g") > MIN_G) & (pl.col("r1") > pl.col("r0") + MIN_RISE)
    )
    return [
        Shift(
            mechanism=Mechanism.ERROR,
            kind="error_origin",
            service=row["service"],
            operation=row["name"],
            peer=row["callee"],
            unit="share",
            before=row["r0"],
            after=row["r1"],
            n0=row["n0"],
            n1=row["n1"],
            t=row["g"],
            weight=row["n1"] * (row["r1"] - row["r0"]),
            strength=saturate(row["r1"] - row["r0"], HALF_RISE) * row["g"] / (row["g"] + HALF_G),
        )
        for row in moved.sort(["g", *KEYS], descending=[True, False, False, False]).iter_rows(
            named=True
        )
    ]


def passed_on(spans: pl.DataFrame, incident: int) -> dict[str, tuple[float, str]]:
    """Return per service the share of its failures that had failed beneath it, and where."""
    broken = (pl.col("bucket") == incident) & pl.col("failed").fill_null(value=False)
    asked = ("trace_id", "service", "callee", "role", "origin", "child_failed")
    failed = spans.lazy().filter(broken).select(asked).collect()
    if failed.is_empty():
        return {}
    origins = failed.filter("origin").select(
        "trace_id",
        pl.when(pl.col("role") == "call")
        .then(pl.col("callee"))
        .otherwise(pl.col("service"))
        .alias("at"),
    )
    own = failed.filter(pl.col("role") != "call")
    shares = own.group_by("service").agg(pl.col("child_failed").mean().alias("share"))
    beneath = (
        failed.filter("child_failed")
        .select("service", "trace_id")
        .unique()
        .join(origins, on="trace_id")
        .filter(pl.col("at") != pl.col("service"))
        .group_by("service", "at")
        .len()
        .sort(["len", "at"], descending=[True, False])
        .unique("service", keep="first", maintain_order=True)
    )
    where = {str(s): str(a) for s, a, _ in beneath.iter_rows()}
    return {
        str(service): (float(share), where[service])
        for service, share in sorted(shares.iter_rows())
        if service in where
    }


@dataclass(frozen=True, slots=True)
class Complaint:
    """`lines` of a service's error lines name the component `at`.

    `share` is of the traces in which the service writes error lines (of lines without traces).
    """

    lines: int
    share: float
    at: str


def complaints(
    logs: pl.DataFrame, components: Iterable[str], incident: int
) -> dict[str, Complaint]:
    """Return per service the component that most of its error lines name.

    "No instances available for X" is written by who needs X: it tells of X.
    """
    named = _named(components)
    wrong = (pl.col("bucket") == incident) & pl.col("severity").is_in(FAILED)
    bad = logs.lazy().filter(wrong).select("service", "us", "trace_id", "body").collect()
    if named is None or bad.is_empty():
        return {}
    lines = (
        bad.with_columns(pl.col("body").fill_null(""))
        .sort("us", "service", "body")
        .head(READ)
        .with_row_index("line")
        .with_columns(
            pl.coalesce(pl.col("body").str.extract(p, 1) for p in named).alias("at"),
            pl.coalesce("trace_id", pl.col("line").cast(pl.String)).alias("where"),
        )
        .with_columns(pl.when(pl.col("at") != pl.col("service")).then("at").alias("at"))
    )
    places = lines.group_by("service").agg(pl.col("where").n_unique().alias("all"))
    most = (
        lines.drop_nulls("at")
        .group_by("service", "at")
        .agg(pl.len().alias("n"), pl.col("where").n_unique().alias("some"))
        .sort(["n", "at"], descending=[True, False])
        .unique("service", keep="first", maintain_order=True)
        .join(places, on="service")
        .sort("service")
    )
    return {
        str(r["service"]): Complaint(int(r["n"]), r["some"] / r["all"], str(r["at"]))
        for r in most.iter_rows(named=True)
    }


def unread(logs: pl.DataFrame, incident: int) -> list[str]:
    """Tell how many error lines nobody looked through for whom they name."""
    wrong = (pl.col("bucket") == incident) & pl.col("severity").is_in(FAILED)
    count = int(logs.select(wrong.sum()).item() or 0)
    if count <= READ:
        return []
    return [f"of {count} error lines the first {READ} were looked through for whom they name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """How many of a service's `all` lines are error lines that name a component."""

    before: int
    during: int
    all_before: int
    all_during: int


def naming(logs: pl.DataFrame, complainer: str, at: str, incident: int) -> Named:
    """Return how many lines of `complainer` are errors that name `at`, before and during."""
    speaks = [pl.col("body").str.contains(p).fill_null(value=False) for p in _named([at]) or ()]
    said = pl.col("severity").is_in(FAILED).fill_null(value=False) & pl.any_horizontal(
        *speaks, pl.lit(value=False)
    )
    now, then = pl.col("bucket") == incident, pl.col("bucket") >= 0
    mine = logs.lazy().filter(pl.col("service") == complainer)
    counted = mine.select(
        (said & then).sum().alias("before"),
        (said & now).sum().alias("during"),
        then.sum().alias("all_before"),
        now.sum().alias("all_during"),
    ).collect()
    return Named(**counted.row(0, named=True))


def _named(components: Iterable[str]) -> list[str] | None:
    """Return patterns whose first group is a component's name, the telling ones first."""
    names = sorted({c for c in components if len(c) >= SHORTEST_NAME}, key=lambda c: (-len(c), c))
    if not names:
        return None
    telling = [re.escape(n) for n in names if re.search(r"[-_.]|service$", n)]
    plain = [re.escape(n) for n in names]
    patterns = [POINTS + rf"({'|'.join(plain)})(?:$|[^\w-])"]
    if telling:
        patterns.insert(0, rf"(?:^|[^\w.-])({'|'.join(telling)})(?:$|[^\w-])")
    return patterns


def line_table(
    logs: pl.DataFrame, weights: dict[int, float], work: pl.DataFrame, otherwise: str = PER_REQUEST
) -> pl.DataFrame:
    """Return warnings and errors per service and bucket, per unit of what was done in it.

    `work` is executions per service and bucket (`n`): who is asked more writes more. Where a
    service has none, `weights` of the bucket counts: `otherwise` is the unit then.
    """
    buckets = pl.DataFrame(
        {"bucket": list(weights), "weight": list(weights.values())},
        schema={"bucket": pl.Int32, "weight": pl.Float64},
    )
    traced = work.get_column("service").unique().implode()
    wrong = pl.col("severity").is_in(BAD) & (pl.col("bucket") != OUTSIDE)
    bad = logs.lazy().filter(wrong).select("service", "bucket").collect()
    counts = bad.group_by("service", "bucket").len("lines")
    return (
        bad.select("service")
        .unique()
        .join(buckets, how="cross")
        .join(counts, on=["service", "bucket"], how="left")
        .join(work, on=["service", "bucket"], how="left")
        .with_columns(
            pl.when(pl.col("service").is_in(traced))
            # Who crashes before it serves anything complains as loudly as who serves once.
            .then(pl.col("n").fill_null(0).clip(1).cast(pl.Float64))
            .otherwise("weight")
            .alias("weight"),
            pl.when(pl.col("service").is_in(traced))
            .then(pl.lit(PER_EXECUTION))
            .otherwise(pl.lit(otherwise))
            .alias("unit"),
        )
        .with_columns((pl.col("lines").fill_null(0) / pl.col("weight").clip(1e-9)).alias("rate"))
        .sort("service", "bucket")
    )


def line_shifts(table: pl.DataFrame, incident: int) -> list[Shift]:
    """Return services that complain more than their quiet buckets ever did."""
    rate, weight = pl.col("rate"), pl.col("weight")
    before = (
        table.filter((pl.col("bucket") >= 0) & (pl.col("bucket") != incident))
        .group_by("service")
        .agg(
            pl.len().alias("buckets"),
            rate.mean().alias("usual"),
            rate.std(ddof=0).alias("spread"),
            (rate * weight).sum().alias("n0"),
        )
        .filter(pl.col("buckets") >= MIN_Z)
    )
    during = table.filter(pl.col("bucket") == incident).select("service", "rate", "weight", "unit")
    out = []
    for row in during.join(before, on="service").iter_rows(named=True):
        usual, least = row["usual"], max(row["weight"], 1e-9)
        noise = (max(usual, 1.0 / least) / least) ** 0.5
        z = (row["rate"] - usual) / max(row["spread"], noise)
        lines = round(row["rate"] * row["weight"])
        if z > MIN_Z and lines >= MIN_Z:
            out.append(
                Shift(
                    mechanism=Mechanism.LOG,
                    kind="error_lines",
                    service=row["service"],
                    unit=row["unit"],
                    before=usual,
                    after=row["rate"],
                    n0=round(row["n0"]),
                    n1=lines,
                    t=z,
                    weight=float(lines),
                    strength=saturate(z - MIN_Z, HALF_Z),
                )
            )
    return sorted(out, key=lambda s: (-s.strength, s.service))
