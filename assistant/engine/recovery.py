"""Did it help: the users' symptom, measured before, during and after in exactly the same way.

An action is judged by what it was meant to mend. The requests at the system's entries that the
finding says are slow or failing are measured again; where they are as before, it recovered. What
only metrics told of them is read from the same metrics again.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from assistant.domain.evidence import Evidence
from assistant.domain.hypothesis import Finding
from assistant.domain.recovery import Effect, Measure, Recovery
from assistant.engine.normalise import normalise
from assistant.engine.question import Telemetry
from assistant.engine.resources import SECONDS
from assistant.engine.symptom import KEYS, MIN_RATIO, SLOW_QUANTILE, requests
from assistant.engine.windows import to_us
from connectors.api import Window

LATENCY, FAILURES, TAIL = "symptom_latency", "symptom_errors", "symptom_tail"
METRIC = "symptom_metric"
WHAT = {LATENCY: "requests to", FAILURES: "failed requests to", TAIL: "slow requests to"}
MIN_REQUESTS = 8  # after the action, for one kind of requests
MIN_TOGETHER = 20  # over all kinds: fewer requests prove nothing
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
    cited = [e for e in finding.evidence if e.kind in (LATENCY, FAILURES, TAIL)]
    # Of requests that are slower as a whole, the share of slow ones says nothing more.
    slower = {e.subject for e in cited if e.kind == LATENCY}
    cited = [e for e in cited if e.kind != TAIL or e.subject not in slower]
    measures = tuple(_measure(e, roots, phases) for e in cited)
    least, together = MIN_REQUESTS, MIN_TOGETHER
    if not measures:
        told = [e for e in finding.evidence if e.kind == METRIC]
        measures = tuple(_sampled(e, telemetry.metrics, phases) for e in told)
        least = together = MIN_SAMPLES
    seconds = round((phases.after.end - phases.after.start).total_seconds(), 1)
    effect, why = _judge(measures, least, together)
    return Recovery(effect=effect, why=why, measures=measures, seconds=seconds)


def _measure(evidence: Evidence, roots: pl.DataFrame, phases: Phases) -> Measure:
    service, operation = evidence.subject.service, evidence.subject.operation
    name = pl.concat_str([pl.col(k) for k in KEYS[1:]], separator=" ").str.strip_chars()
    mine = roots.filter((pl.col("service") == service) & _same(name, operation))
    before = mine.filter(pl.col("us") < to_us(phases.before))
    for window in phases.known:
        before = before.filter(~_inside(window))
    after = mine.filter(_inside(phases.after))
    if evidence.kind == TAIL:
        limit = before.get_column("ms").quantile(SLOW_QUANTILE) or 0.0
        slow = pl.col("ms") > limit * MIN_RATIO
        before, mine, after = (f.with_columns(slow.alias("failed")) for f in (before, mine, after))
    value = _typical_ms if evidence.kind == LATENCY else _failed_share
    return Measure(
        evidence=evidence.id,
        what=f"{WHAT[evidence.kind]} {service} {operation or ''}".strip(),
        unit="ms" if evidence.kind == LATENCY else "share",
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


def _same(name: pl.Expr, operation: str | None) -> pl.Expr:
    """Compare as the evidence names it: a route that repeats the name is told once."""
    if operation is None:
        return pl.lit(value=True)
    return (name == operation) | ((pl.col("name") == operation) & (pl.col("route") == operation))


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
        return Effect.NOT_MEASURED, "the finding has no symptom of users that could be measured"
    if sum(m.n_after for m in measures) < together:
        return Effect.NOT_MEASURED, "too few requests were seen since the action"
    ways = [w for m in measures if m.n_after >= least and (w := _way(m)) is not None]
    if not ways:
        return Effect.NOT_MEASURED, "too few requests of the kinds that were hit were seen"
    worst = max(ways)
    if worst <= RECOVERED:
        return Effect.RECOVERED, "every symptom that was cited is as before the incident"
    if worst <= IMPROVED:
        return Effect.IMPROVED, "the symptoms are smaller, and not as before"
    if worst < WORSE:
        return Effect.NO_EFFECT, "at least one symptom is as large as before the action"
    return Effect.WORSE, "at least one symptom is larger than before the action"


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
