"""What a cited fact measures, over time: the small series behind an evidence record. Pure.

A series shows what the record counts (a mean, a share, a sample), in its unit, so that the picture
and the card say the same numbers. Bins begin at the onset: none holds some of before and of after.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from assistant.domain.evidence import Evidence
from assistant.domain.hypothesis import NAMED, Finding
from assistant.engine.controlflow import UNLINKED
from assistant.engine.course import SAMPLED, Observed
from assistant.engine.question import Telemetry
from assistant.engine.windows import from_us, to_us
from assistant.engine.wording import line, number, per

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
MOST_POINTS, FEW_POINTS = 240, 16
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
FULL_ENOUGH = 0.8  # of the bins must hold the observations that a mean needs
PER_SAMPLED, PER_COUNTED = 1, 8
# As much of before as twice of after, so that what is usual can be seen.
TWICE, SHORTEST_BEFORE_US, LONGEST_BEFORE_US = 2, 5 * MINUTE_US, 30 * MINUTE_US
LONGEST_AFTER_US = 24 * 60 * MINUTE_US  # a broken clock must not stretch it to years
LARGEST = 1e15  # no figure of a system, but a broken sensor
BESIDE_CHANGE_US, OLDEST_CHANGE_US = MINUTE_US, 60 * MINUTE_US
INNOCENT_SHOWN = 3
NAME = 60  # characters of a name that are shown
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # control, direction, private, unassigned
# A share of slow requests says less than how slow they are; the rest says what few would feel.
FELT_FIRST = {"symptom_latency": 0, "symptom_errors": 0, "symptom_tail": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A change at its moment; `blamed` where it explains the first hypothesis."""

    at: datetime
    label: str
    blamed: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The course of one evidence record: `values` in `unit`, one per bin of `step_s` seconds.

    `times` are the middles of the bins (UTC); a bin in which nothing was measured is left out.
    `before` and `after` are the record's own figures; `onset` is null where nothing stepped; `alt`
    says in one sentence what a picture of it shows.
    """

    evidence: str
    title: str
    unit: str
    times: tuple[datetime, ...]
    values: tuple[float, ...]
    step_s: int
    before: float | None
    after: float | None
    onset: datetime | None
    marks: tuple[Mark, ...]
    alt: str


def panels(telemetry: Telemetry, finding: Finding) -> tuple[Series, ...]:
    """Return what users noticed, and what leads the first hypothesis of an answer that has one.

    Of each the first record that has a course, over the same stretch of time. None where nothing
    that was cited has one. Deterministic; raises nothing for any frame content.
    """
    seen = _seen_until(telemetry)
    if seen is None:
        return ()
    onset = to_us(finding.onset) if finding.onset is not None else None
    observed = Observed(telemetry, seen if onset is None else onset)
    found: list[tuple[Evidence, pl.DataFrame]] = []
    for candidates in (_symptoms(finding), _leading(finding)):
        for evidence in candidates:
            course = observed.of(evidence).sort("us", "value")
            if not course.is_empty():
                found.append((evidence, course))
                break
    if not found:
        return ()
    first = min(int(course["us"][0]) for _, course in found)
    start, end = _stretch(finding, onset, first, seen)
    marks = _marks(telemetry, finding, start, end)
    drawn = (_series(e, c, start, end, finding, marks) for e, c in found)
    return tuple(s for s in drawn if s is not None)


def shown(text: str, most: int = NAME) -> str:
    """Return text from telemetry on one line, at most so long, without what acts and is not seen.

    What is cut goes from the middle: names differ at their ends.
    """
    spaced = " ".join(text.split())
    seen = "".join(c for c in spaced if unicodedata.category(c) not in UNSEEN)
    if len(seen) <= most:
        return seen
    head = (most - 1) // 2
    return f"{seen[:head]}…{seen[len(seen) - (most - 1 - head) :]}"


def _symptoms(finding: Finding) -> list[Evidence]:
    """Return what users noticed: slow and failing requests first, the strongest of them first."""
    felt = [e for e in finding.evidence if e.kind.startswith("symptom")]
    return sorted(felt, key=lambda e: (FELT_FIRST.get(e.kind, len(FELT_FIRST)), -e.strength))


def _leading(finding: Finding) -> list[Evidence]:
    if finding.verdict not in NAMED or not finding.hypotheses:
        return []
    by_id = {e.id: e for e in finding.evidence}
    return [by_id[i] for i in finding.hypotheses[0].supports if i in by_id]


def _seen_until(telemetry: Telemetry) -> int | None:
    """Return the last moment (µs) that any frame knows of."""
    times = [telemetry.spans["start"], telemetry.logs["time"], telemetry.metrics["time"]]
    lasts = [t.cast(pl.Int64).max() for t in times]
    known = [t // 1000 for t in lasts if isinstance(t, int)]
    return max(known) if known else None


def _stretch(finding: Finding, onset: int | None, first: int, last: int) -> tuple[int, int]:
    """Return from when to when (µs) is shown: enough of before, all of after, the change."""
    if onset is None:
        return max(first, last - LONGEST_BEFORE_US), last
    usual = min(LONGEST_BEFORE_US, max(SHORTEST_BEFORE_US, TWICE * (last - onset)))
    start = onset - usual
    changed = to_us(finding.change.at) if finding.change is not None else onset
    if onset - OLDEST_CHANGE_US <= changed:
        start = min(start, changed - BESIDE_CHANGE_US)
    return max(first, start), max(onset, min(last, onset + LONGEST_AFTER_US))


def _marks(telemetry: Telemetry, finding: Finding, start: int, end: int) -> tuple[Mark, ...]:
    """Return the changes in the stretch, in order of time: the blamed one, and the nearest others.

    A change that the finding does not judge is not shown.
    """
    blamed = finding.change
    marks = []
    if blamed is not None and start <= to_us(blamed.at) <= end:
        label = _changed(blamed.kind, blamed.ref)
        marks.append(Mark(at=blamed.at, label=label, blamed=True, evidence=blamed.evidence))
    why = {c.ref: c.evidence for c in finding.innocent_changes}
    onset = to_us(finding.onset) if finding.onset is not None else end
    others = {
        (c.at, c.ref): Mark(
            at=c.at, label=_changed(c.kind, c.ref), blamed=False, evidence=why[c.ref]
        )
        for c in telemetry.changes
        if c.ref in why and start <= to_us(c.at) <= end
    }
    nearest = sorted(others.values(), key=lambda m: (abs(to_us(m.at) - onset), m.label))
    marks += nearest[:INNOCENT_SHOWN]
    return tuple(sorted(marks, key=lambda m: (m.at, m.label)))


def _changed(kind: str, ref: str) -> str:
    return shown(ref if ref.startswith(kind) else f"{kind} {ref}")


def _series(
    evidence: Evidence,
    course: pl.DataFrame,
    start: int,
    end: int,
    finding: Finding,
    marks: tuple[Mark, ...],
) -> Series | None:
    near = course.filter((pl.col("us") >= start) & (pl.col("us") <= end))
    zero = to_us(finding.onset) if finding.onset is not None else end + 1
    needed = PER_SAMPLED if evidence.kind in SAMPLED else PER_COUNTED
    step = _step(near, zero, end - start, needed)
    bins = _binned(near, zero, step)
    if bins.is_empty():
        return None
    half = step * SECOND_US // 2
    title = _title(evidence)
    return Series(
        evidence=evidence.id,
        title=title,
        unit=shown(evidence.unit),
        times=tuple(from_us(zero + int(b) * step * SECOND_US + half) for b in bins["bin"]),
        values=tuple(float(f"{v:.6g}") for v in bins["value"]),
        step_s=step,
        before=evidence.before,
        after=evidence.after,
        onset=finding.onset,
        marks=marks,
        alt=_alt(evidence, title, finding.onset, marks),
    )


def _step(course: pl.DataFrame, zero: int, length: int, needed: int) -> int:
    """Return the finest step (s) whose bins hold enough, at most `MOST_POINTS` of them."""
    allowed = [s for s in STEPS_S if length / (s * SECOND_US) <= MOST_POINTS]
    steps = [s for s in allowed if length / (s * SECOND_US) >= FEW_POINTS] or allowed[:1]
    for step in steps:
        bins = _binned(course, zero, step)
        whole = max(1, length // (step * SECOND_US))
        if bins.filter(pl.col("n") >= needed).height >= FULL_ENOUGH * whole:
            return step
    return steps[-1] if steps else STEPS_S[-1]


def _binned(course: pl.DataFrame, zero: int, step: int) -> pl.DataFrame:
    """Return `bin` (0 begins at `zero`), `value` (Σ value ÷ Σ n), `n`, in order of time."""
    return (
        course.group_by(((pl.col("us") - zero) // (step * SECOND_US)).alias("bin"))
        .agg(pl.col("value").sum(), pl.col("n").sum())
        .filter(pl.col("n") > 0)
        .with_columns(pl.col("value") / pl.col("n"))
        .filter(pl.col("value").is_finite() & (pl.col("value").abs() <= LARGEST))
        .sort("bin")
    )


def _title(evidence: Evidence) -> str:
    subject = evidence.subject
    service, told = shown(subject.service), shown(subject.operation or "")
    what = f"{service} {told}".strip() if subject.operation != UNLINKED else service
    metric = shown(evidence.metric)
    runs = "lines" if subject.operation == UNLINKED else "executions"
    way = f"from {service} to {shown(subject.peer or '')}"
    if evidence.kind == "error_origin" and subject.peer:
        return f"share of calls {way} that fail without an answer"
    said = {
        "symptom_latency": f"mean time of requests to {what}",
        "symptom_errors": f"share of requests to {what} that fail",
        "symptom_tail": f"share of requests to {what} that are slow",
        "symptom_work": f"mean steps of work per request to {what}",
        "symptom_metric": what,
        "self_time_shift": f"mean own time of {what}",
        "edge_gap_shift": f"mean wait of calls {way}",
        "error_origin": f"share of executions of {what} in which errors begin",
        "call_missing": f"share of executions of {what} with the call {metric}",
        "call_added": f"share of executions of {what} with the call {metric}",
        "calls_multiplied": f"calls {metric} per execution of {what}",
        "new_template": f"share of {runs} of {what} with “{shown(line(evidence.metric))}”",
        "template_shift": f"share of {runs} of {what} with “{shown(line(evidence.metric))}”",
        "error_lines": f"warnings and errors {per(evidence.unit)} in the logs of {service}",
        "metric_latency": f"{metric} of {service}",
        "metric_errors": f"{metric} of {service}",
        "resource_saturation": f"{metric} of {shown(subject.instance or service)}",
    }
    return said[evidence.kind]


def _alt(evidence: Evidence, title: str, onset: datetime | None, marks: Sequence[Mark]) -> str:
    """Return the sentence that a screen reader reads in place of the picture."""
    since = f"after the onset at {onset:%H:%M:%S} UTC" if onset is not None else "during it"
    levels = [
        f"{number(value, shown(evidence.unit))} {when}"
        for value, when in ((evidence.before, "before"), (evidence.after, since))
        if value is not None
    ]
    said = [", ".join([f"Line chart of {evidence.id}: {title}", *levels])]
    for mark in marks:
        role = "blamed" if mark.blamed else "not blamed"
        said.append(f"{mark.label} at {mark.at:%H:%M:%S} UTC, {role} ({mark.evidence})")
    return "; ".join(said) + "."
