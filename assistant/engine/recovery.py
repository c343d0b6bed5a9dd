"""Did it help: the users' symptom, measured before, during and after in exactly the same way.

An action is judged by what it was meant to mend. The requests at the system's entries that the
finding says are slow or failing are measured again; where they are as before, it recovered. What
only metrics told of them is read from the same metrics again. A finding made from the first few
seconds may cite neither: then those requests are measured that came to suffer before the action.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from assistant.domain.evidence import Evidence, Subject
from assistant.domain.hypothesis import Finding
from assistant.domain.recovery import Effect, Measure, Recovery
from assistant.engine.normalise import normalise
from assistant.engine.question import Telemetry
from assistant.engine.resources import SECONDS
from assistant.engine.symptom import KEYS, MIN_RATIO, SLOW_QUANTILE, harmed, requests
from assistant.engine.windows import cut, to_us
from connectors.api import Window

LATENCY, FAILURES, TAIL = "symptom_latency", "symptom_errors", "symptom_tail"
METRIC = "symptom_metric"
WHAT = {LATENCY: "requests to", FAILURES: "failed requests to", TAIL: "slow requests to"}
MIN_REQUESTS = 8  # after the action, for one kind of requests
MIN_TOGETHER = 20  # over all kinds: fewer requests prove nothing
FEW, FEW_BAD = 3, 2  # so many of a rare kind tell against recovery, where so many of them are bad
FEW_SLOW = 0.5  # of the way: how long so few take varies by itself
NAMED = 3
MIN_SAMPLES = 3  # of a metric: each stands for many requests
AS_BEFORE_RATIO, AS_BEFORE_SHARE = 1.25, 0.02
RECOVERED, IMPROVED, WORSE = 0.25, 0.7, 1.4  # of the way from before to during


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """When it was as usual, when it was broken, and since when the action can have worked."""

    before: datetime  # the end of the usual
    during: Window
    after: Window
    known: tuple[Window, ...] = ()


def recovery(telemetry: Telemetry, finding: Finding, phases: Phases) -> Recovery:
    """Return the judgement with its figures; raises nothing for any frame content."""
    roots = requests(normalise(telemetry.spans).spans)
    felt = [Felt(e.kind, e.subject, e.id) for e in finding.evidence if e.kind in WHAT]
    told = [e for e in finding.evidence if e.kind == METRIC and not felt]
    least, together = (MIN_SAMPLES, MIN_SAMPLES) if told else (MIN_REQUESTS, MIN_TOGETHER)
    if not felt and not told:
        felt = _felt_since(roots, phases)
    # Of requests that are slower as a whole, the share of slow ones says nothing more.
    slower = {f.subject for f in felt if f.kind == LATENCY}
    measures = (
        *(_measure(f, roots, phases) for f in felt if f.kind != TAIL or f.subject not in slower),
        *(_sampled(e, telemetry.metrics, phases) for e in told),
    )
    seconds = round((phases.after.end - phases.after.start).total_seconds(), 1)
    effect, why = _judge(measures, least, together)
    return Recovery(effect=effect, why=why, measures=measures, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Felt:
    """What users notice: of which kind, where, and the evidence that says so, if any does."""

    kind: str
    subject: Subject
    evidence: str | None


def _felt_since(roots: pl.DataFrame, phases: Phases) -> list[Felt]:
    """Return what all requests up to the action show, by the tests that the finding used."""
    starts = roots.get_column("us").sort()
    if starts.is_empty():
        return []
    windows = cut(
        starts,
        incident=(to_us(phases.during.start), to_us(phases.during.end)),
        baseline=(int(starts[0]), to_us(phases.before)),
        known=phases.known,
    )
    placed = roots.with_columns(windows.bucket_of(roots.get_column("us")))
    return [
        Felt(s.kind, Subject(service=s.service, operation=s.operation), None)
        for s in harmed(placed)
    ]


def _measure(felt: Felt, roots: pl.DataFrame, phases: Phases) -> Measure:
    service, operation = felt.subject.service, felt.subject.operation
    mine = _meant(roots.filter(pl.col("service") == service), operation)
    before = mine.filter(pl.col("us") < to_us(phases.before))
    for window in phases.known:
        before = before.filter(~_inside(window))
    after = mine.filter(_inside(phases.after))
    if felt.kind == TAIL:
        limit = before.get_column("ms").quantile(SLOW_QUANTILE) or 0.0
        slow = pl.col("ms") > limit * MIN_RATIO
        before, mine, after = (f.with_columns(slow.alias("failed")) for f in (before, mine, after))
    value = _typical_ms if felt.kind == LATENCY else _failed_share
    return Measure(
        evidence=felt.evidence,
        what=f"{WHAT[felt.kind]} {service} {operation or ''}".strip(),
        unit="ms" if felt.kind == LATENCY else "share",
        before=value(before),
        during=value(mine.filter(_inside(phases.during))),
        after=value(after),
        n_after=after.height,
    )


def _sampled(evidence: Evidence, metrics: pl.DataFrame, phases: Phases) -> Measure:
    """Read a metric again, of all instances: the one that was hit may have been replaced."""
    service, name = evidence.subject.service, evidence.subject.operation
    mine = metrics.filter(
        (pl.col("service").cast(pl.String) == service)
        & (pl.col("name").cast(pl.String) == name)
        & pl.col("value").is_finite()
    ).with_columns((pl.col("time").cast(pl.Int64) // 1000).alias("us"))
    before = mine.filter(pl.col("us") < to_us(phases.before))
    for window in phases.known:
        before = before.filter(~_inside(window))
    after = mine.filter(_inside(phases.after))
    scale = SECONDS.get(evidence.unit or "", 0.0) * 1000.0
    before_it, during_it, after_it = (
        None if (v := rows.get_column("value").median()) is None else float(str(v)) * (scale or 1.0)
        for rows in (before, mine.filter(_inside(phases.during)), after)
    )
    return Measure(
        evidence=evidence.id,
        what=f"{name} of {service}",
        unit="ms" if scale else evidence.unit or "",
        before=before_it,
        during=during_it,
        after=after_it,
        n_after=after.height,
    )


def _meant(roots: pl.DataFrame, operation: str | None) -> pl.DataFrame:
    """Return the requests of a kind as the evidence names it: by name, or by name and route.

    Whether a name has several routes may have come out differently then: it is asked anew of each
    telemetry. Where no request has this route now, the name alone counts.
    """
    if operation is None:
        return roots
    named = roots.filter(pl.col("name") == operation)
    if not named.is_empty():
        return named
    both = pl.concat_str([pl.col(k) for k in KEYS[1:]], separator=" ", ignore_nulls=True)
    routed = roots.filter(both == operation)
    if not routed.is_empty():
        return routed
    return roots.filter(pl.lit(operation).str.starts_with(pl.col("name").cast(pl.String) + " "))


def _inside(window: Window) -> pl.Expr:
    return (pl.col("us") >= to_us(window.start)) & (pl.col("us") < to_us(window.end))


def _typical_ms(rows: pl.DataFrame) -> float | None:
    """Return the geometric mean: one request that hangs does not decide."""
    if rows.is_empty():
        return None
    mean = (rows.get_column("ms") + 0.05).log().mean()
    return round(math.exp(mean), 2) if isinstance(mean, float) else None


def _failed_share(rows: pl.DataFrame) -> float | None:
    known = rows.get_column("failed").drop_nulls()
    return round(int(known.sum()) / known.len(), 4) if known.len() else None


def _judge(measures: tuple[Measure, ...], least: int, together: int) -> tuple[Effect, str]:
    if not measures:
        return (
            Effect.NOT_MEASURED,
            "neither the finding nor the requests until the action show a symptom of users",
        )
    if sum(m.n_after for m in measures) < together:
        return Effect.NOT_MEASURED, "too few requests were seen since the action"
    told = {m: w for m in measures if m.n_after >= least and (w := _way(m)) is not None}
    # A few requests do not prove that it is over; that it is not over they may show.
    shown = [w for m in measures if m not in told and (w := _shown_by_few(m)) is not None]
    if not told and not shown:
        return Effect.NOT_MEASURED, "too few requests of the kinds that were hit were seen"
    worst = max([*told.values(), *shown])
    if worst <= RECOVERED:
        return Effect.RECOVERED, _as_before(tuple(m for m in measures if m not in told))
    if worst <= IMPROVED:
        return Effect.IMPROVED, "the symptoms are smaller, and not as before"
    if worst < WORSE:
        return Effect.NO_EFFECT, "at least one symptom is as large as before the action"
    return Effect.WORSE, "at least one symptom is larger than before the action"


def _as_before(untold: tuple[Measure, ...]) -> str:
    """Return what is as before, and of what too little was seen to tell."""
    if not untold:
        return "every symptom that was cited is as before the incident"
    named = ", ".join(f"{m.what} ({m.n_after} since the action)" for m in untold[:NAMED])
    more = f" and {len(untold) - NAMED} more" if len(untold) > NAMED else ""
    return (
        "what was seen often enough is as before the incident; "
        f"too little was seen to tell of {named}{more}"
    )


def _shown_by_few(measure: Measure) -> float | None:
    """Return the way that is left where a few show that it is not over; never worse than that."""
    if measure.after is None or measure.n_after < FEW:
        return None
    share = measure.unit == "share"
    if share and round(measure.after * measure.n_after) < FEW_BAD:
        return None  # one that fails may be chance
    way = _way(measure)
    left = RECOVERED if share else FEW_SLOW
    return min(way, 1.0) if way is not None and way > left else None


def _way(measure: Measure) -> float | None:
    """Return how much of the move from before to during is left; 0 for what is as before."""
    if measure.before is None or measure.during is None or measure.after is None:
        return None
    if measure.unit == "share":
        left, moved = measure.after - measure.before, measure.during - measure.before
        usual = AS_BEFORE_SHARE
    else:
        left = math.log(max(measure.after, 0.05) / max(measure.before, 0.05))
        moved = math.log(max(measure.during, 0.05) / max(measure.before, 0.05))
        usual = math.log(AS_BEFORE_RATIO)
    if left <= usual:
        return 0.0
    return left / moved if moved > usual else None
