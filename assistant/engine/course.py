"""The single observations behind an evidence record: when, how much, out of how many."""

from dataclasses import dataclass

import polars as pl

from assistant.domain.evidence import Evidence
from assistant.engine.controlflow import UNLINKED, calls_made
from assistant.engine.errors import BAD
from assistant.engine.normalise import normalise
from assistant.engine.question import Telemetry
from assistant.engine.symptom import KEYS, MIN_RATIO, SLOW_QUANTILE, comparable, requests
from assistant.engine.templates import with_templates

SAMPLED = ("resource_saturation", "symptom_metric", "metric_latency", "metric_errors")
REQUESTS = ("symptom_latency", "symptom_errors", "symptom_tail", "symptom_work")
CALLS = ("call_missing", "call_added", "calls_multiplied")
TEMPLATES = ("new_template", "template_shift")


@dataclass(slots=True)
class Observed:
    """The frames of an investigation; what is costly is made once, and only where it is needed.

    `onset_us` is where before ends (µs).
    """

    telemetry: Telemetry
    onset_us: int
    _spans: pl.DataFrame | None = None
    _logs: pl.DataFrame | None = None

    @property
    def spans(self) -> pl.DataFrame:
        """Spans as `normalise` returns them."""
        if self._spans is None:
            self._spans = normalise(self.telemetry.spans).spans
        return self._spans

    @property
    def logs(self) -> pl.DataFrame:
        """Lines with `us` and `template`."""
        if self._logs is None:
            self._logs = with_templates(_stamped(self.telemetry.logs))
        return self._logs

    def of(self, evidence: Evidence) -> pl.DataFrame:
        """Return `us`, `value`, `n`: the record measures Σ value ÷ Σ n. Empty where it cannot."""
        kind = evidence.kind
        if kind in REQUESTS:
            found = self._requests(evidence)
        elif kind in SAMPLED:
            found = self._samples(evidence)
        elif kind in CALLS:
            found = self._calls(evidence)
        elif kind in TEMPLATES:
            found = self._lines(evidence)
        elif kind == "error_lines":
            found = self._complaints(evidence)
        elif kind in ("self_time_shift", "edge_gap_shift", "error_origin"):
            found = self._executions(evidence)
        else:
            found = pl.DataFrame(schema={"us": pl.Int64, "value": pl.Float64})
        if "n" not in found.columns:
            found = found.with_columns(pl.lit(1.0).alias("n"))
        return found.select("us", pl.col("value").cast(pl.Float64), "n").drop_nulls()

    def _requests(self, evidence: Evidence) -> pl.DataFrame:
        name, route = (pl.col(k) for k in KEYS[1:])
        told = pl.when((route == "") | (route == name)).then(name).otherwise(name + " " + route)
        early = pl.col("us") < self.onset_us
        roots = comparable(requests(self.spans), early, ~early).filter(
            (pl.col("service") == evidence.subject.service)
            & (told == (evidence.subject.operation or ""))
        )
        usual = roots.filter(early).get_column("ms")
        slow = pl.col("ms") > (usual.quantile(SLOW_QUANTILE) or 0.0) * MIN_RATIO
        value = {
            "symptom_latency": pl.col("ms"),
            "symptom_errors": pl.col("failed"),
            "symptom_tail": slow,
            "symptom_work": pl.col("size"),
        }[evidence.kind]
        return roots.select("us", value.alias("value"))

    def _executions(self, evidence: Evidence) -> pl.DataFrame:
        peer = evidence.subject.peer
        call = pl.col("role") == "call"
        mine = self._operation(evidence).filter(
            (call & (pl.col("callee") == peer)) if peer else ~call
        )
        if evidence.kind == "error_origin":
            known = mine.filter(pl.col("failed").is_not_null())
            return known.select("us", pl.col("origin").alias("value"))
        timed = mine.filter(pl.col("role") != "async")
        return timed.select("us", pl.col("self_ms").alias("value"))

    def _calls(self, evidence: Evidence) -> pl.DataFrame:
        made = calls_made(self.spans, self._operation(evidence), evidence.metric)
        calls = pl.col("calls")
        share = evidence.kind != "calls_multiplied"
        return made.select("us", (calls > 0 if share else calls).alias("value"))

    def _operation(self, evidence: Evidence) -> pl.DataFrame:
        subject = evidence.subject
        return self.spans.filter(
            (pl.col("service") == subject.service) & (pl.col("name") == subject.operation)
        )

    def _lines(self, evidence: Evidence) -> pl.DataFrame:
        """Executions that wrote the line; where lines know no execution, lines that are like it."""
        owner = ["trace_id", "span_id", "service"]
        lines = self.logs.filter(pl.col("service") == evidence.subject.service)
        if evidence.subject.operation == UNLINKED:
            loose = lines.join(self.spans, on=owner, how="anti", nulls_equal=False)
            return loose.select("us", (pl.col("template") == evidence.metric).alias("value"))
        wrote = lines.filter(pl.col("template") == evidence.metric).select(owner).unique()
        return (
            self._operation(evidence)
            .join(
                wrote.with_columns(pl.lit(value=True).alias("wrote")),
                on=owner,
                how="left",
                maintain_order="left",
            )
            .select("us", pl.col("wrote").fill_null(value=False).alias("value"))
        )

    def _complaints(self, evidence: Evidence) -> pl.DataFrame:
        """Bad lines, out of as many executions as began meanwhile (traces without any)."""
        bad = _stamped(self.telemetry.logs).filter(
            (pl.col("service") == evidence.subject.service) & pl.col("severity").is_in(BAD)
        )
        own = (pl.col("service") == evidence.subject.service) & (pl.col("role") == "entry")
        done = self.spans.filter(own).select("trace_id", "us")
        if done.is_empty():
            done = self.spans.group_by("trace_id").agg(pl.col("us").min())
        done = done.sort("us", "trace_id")
        return pl.concat(
            [
                bad.select("us", pl.lit(1.0).alias("value"), pl.lit(0.0).alias("n")),
                done.select("us", pl.lit(0.0).alias("value"), pl.lit(1.0).alias("n")),
            ]
        )

    def _samples(self, evidence: Evidence) -> pl.DataFrame:
        """Samples of a metric. The record does not name the labels: those that moved like it."""
        subject = evidence.subject
        resource = evidence.kind == "resource_saturation"
        name = subject.operation if evidence.kind == "symptom_metric" else evidence.metric
        mine = _stamped(self.telemetry.metrics).filter(
            (pl.col("service") == subject.service)
            & (pl.col("name") == name)
            & pl.col("value").is_finite()
        )
        if resource:
            mine = mine.filter(pl.col("instance").eq_missing(pl.lit(subject.instance)))
        keys = ["instance", "labels"]
        early = pl.col("us") < self.onset_us
        levels = mine.group_by(keys).agg(
            pl.col("value").filter(early).median().alias("before"),
            pl.col("value").filter(~early).median().alias("after"),
        )
        away = (pl.col("before").fill_null(0.0) - (evidence.before or 0.0)).abs() + (
            pl.col("after").fill_null(0.0) - (evidence.after or 0.0)
        ).abs()
        nearest = levels.sort(away, *keys).head(1)
        return mine.join(nearest, on=keys, how="semi", nulls_equal=True).select("us", "value")


def _stamped(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `us`; text columns may come as categories."""
    text = [n for n, t in frame.schema.items() if t in (pl.Categorical, pl.String)]
    return frame.with_columns(
        *[pl.col(n).cast(pl.String) for n in text],
        (pl.col("time").cast(pl.Int64) // 1000).alias("us"),
    ).filter(pl.col("us").is_not_null() & pl.col("service").is_not_null())
