"""Narrowing a service down: one instance of several, one operation, one way, and its cause."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from assistant.domain.hypothesis import CauseType
from assistant.engine.controlflow import calls_made
from assistant.engine.explain import Suspect
from assistant.engine.fuse import WEIGHTS
from assistant.engine.resources import FAMILIES
from assistant.engine.shift import Mechanism, Shift
from assistant.engine.windows import INCIDENT

OWN_SHARE = 0.7
APART = 3.0
MIN_SEEN = 5
MOSTLY = 0.5
SIBLINGS = 2
SURGE = 2.0
OUTWARD = r"outbound|upstream|client|dependency|egress"
RESOURCE_CAUSES = {
    "cpu": "cpu_saturation",
    "memory": "memory_pressure",
    "gc": "memory_pressure",
    "pool": "pool_exhaustion",
    "disk": "disk_pressure",
    "queue": "queue_backlog",
    "throttling": "throttled",
    "restarts": "memory_pressure",
}
FOLLOWING_LOAD = {family.name for family in FAMILIES if family.follows_load}
STARVING, WAITS_FOR_CPU = ("throttling", "cpu"), ("pool", "queue")
SAID_LOUDLY = 0.1  # strength from which a new line tells what a component lacks
# As runtimes, drivers and pools say it: JVM, Go, Node, HikariCP, Tomcat, knex, SQLAlchemy, MySQL.
LACKS = (
    (
        "pool_exhaustion",
        r"connection pool|pool (is )?(probably )?(exhausted|full)|too many (connections|clients)"
        r"|connection slots|connections? (is |are )?not available|queuepool limit"
        r"|\b(no|none|await\w*|wait\w* for( an?)?) (free|idle|available)\b.{0,9}\bconnections?\b"
        r"|(acquir|obtain|fetch)\w* (a )?connection",
    ),
    (
        "memory_pressure",
        r"out of memory|oomkilled|outofmemory|heap space|\bheap\b.{0,15}\bfull\b"
        r"|gc overhead|memory (limit|pressure)|cannot allocate memory",
    ),
    ("disk_pressure", r"no space left|disk (is )?full|disk quota"),
)
NAME_CAUSES = (
    ("tls_failure", r"\bcertificate\b|\bx509\b|tls handshake|\bssl:"),
    (
        "dns_failure",
        r"name resolution|no such host|getaddrinfo|nxdomain|\bdns (lookup|error|failure|time)"
        r"|resolve host|host not found",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where exactly, and what family of cause. `share` is the instance's part of the effect.

    `version` is the one of several that ran at once which carries the effect, by `version_share`
    beside `versions` others.
    """

    instance: str | None
    share: float
    siblings: int
    operation: str | None
    peer: str | None
    type: CauseType
    cause: str
    version: str | None = None
    version_share: float = 1.0
    versions: int = 0


def scope(
    suspect: Suspect, mine: Sequence[Shift], spans: pl.DataFrame, *, visible: bool, load: float
) -> Scope:
    """Return the scope of a suspect, given its shifts and the spans with their buckets.

    `visible` is false for a component that has no spans of its own; `load` is its work during ÷
    before.
    """
    kind, cause = _cause(suspect, mine, visible=visible)
    if kind is CauseType.RESOURCE and load >= SURGE:
        cause = "traffic_surge"
    leading = _leading(kind, mine)
    effects = _effects(suspect.service, kind, mine, spans)
    instance, share, siblings = _instance(effects, kind, mine)
    version, version_share, versions = _carrier(effects, "version")
    peer = None
    if cause in ("slow_edge", "unreachable_dependency") and leading is not None:
        peer = leading.service if leading.peer == suspect.service else None
    operation = leading.operation if leading is not None and cause != "cpu_saturation" else None
    return Scope(
        instance=instance,
        share=share,
        siblings=siblings,
        operation=None if operation == "(any)" else operation,
        peer=peer,
        type=kind,
        cause=cause,
        version=version,
        version_share=version_share,
        versions=versions,
    )


def _cause(suspect: Suspect, mine: Sequence[Shift], *, visible: bool) -> tuple[CauseType, str]:
    weighted = {m: WEIGHTS[m] * v for m, v in suspect.parts.items()}
    resource = [s for s in mine if s.mechanism is Mechanism.RESOURCE]
    # Who asks much more than before for the same work lacks resources because of it.
    if any(s.kind == "calls_multiplied" and s.service == suspect.service for s in mine):
        resource = [s for s in resource if s.operation not in FOLLOWING_LOAD]
    latency = weighted.get(Mechanism.LATENCY, 0.0)
    control = weighted.get(Mechanism.CONTROL, 0.0)
    error = weighted.get(Mechanism.ERROR, 0.0)
    # That a metric counts failures does not tell how they come about.
    told = any(s.kind == "error_origin" for s in mine)
    broken = max(error, control) if told else control
    if resource and weighted.get(Mechanism.RESOURCE, 0.0) >= 0.5 * broken:
        return CauseType.RESOURCE, RESOURCE_CAUSES[_scarce(resource)]
    if (lacking := _lacking(suspect.service, mine)) is not None:
        return CauseType.RESOURCE, lacking
    if error >= max(latency, 0.5 * control) and error > 0:
        return _error_cause(mine, visible=visible)
    if control >= max(0.15, latency):
        grown = next((s for s in mine if s.mechanism is Mechanism.CONTROL), None)
        multiplied = grown is not None and grown.kind == "calls_multiplied"
        return CauseType.CODE, "added_calls" if multiplied else "behaviour_change"
    if latency > 0:
        if suspect.edge_share >= MOSTLY:
            # A wait that mostly ends in a failure is a time-out.
            timed_out = any(
                s.kind == "error_origin" and s.peer == suspect.service and s.after >= MOSTLY
                for s in mine
            )
            return CauseType.NETWORK, "unreachable_dependency" if timed_out else "slow_edge"
        # That a metric counts its time does not tell what the time goes to.
        return CauseType.CODE if visible else CauseType.UNKNOWN, "slow_code"
    if control > 0:
        return CauseType.CODE, "behaviour_change"
    return CauseType.UNKNOWN, "behaviour_change"


def _scarce(resource: Sequence[Shift]) -> str:
    """Return the family that is scarce: who gets no processor time also waits for its turns."""
    first = resource[0].operation or "cpu"
    starving = (s.operation for s in resource if s.strength >= MOSTLY)
    if first in WAITS_FOR_CPU:
        return next((str(family) for family in starving if family in STARVING), first)
    return first


def _lacking(service: str, mine: Sequence[Shift]) -> str | None:
    """Return what a component says it lacks, in lines that it did not write before."""
    said = _news(s for s in mine if s.service == service)
    return next((cause for cause, words in LACKS if re.search(words, said)), None)


def _news(shifts: Iterable[Shift]) -> str:
    """Return the lines that are written clearly more than before, lower case."""
    return " ".join(
        s.detail.lower()
        for s in shifts
        if s.kind in ("new_template", "template_shift")
        and s.after > s.before
        and s.strength >= SAID_LOUDLY
    )


def _error_cause(mine: Sequence[Shift], *, visible: bool) -> tuple[CauseType, str]:
    said = _news(mine)
    for cause, words in NAME_CAUSES:
        if re.search(words, said):
            return CauseType.NETWORK, cause
    own = any(s.kind == "error_origin" and s.peer is None for s in mine) and visible
    counted = [s.detail.lower() for s in mine if s.kind == "metric_errors"]
    own |= bool(counted) and not any(re.search(OUTWARD, name) for name in counted)
    if not own:
        return CauseType.NETWORK, "unreachable_dependency"
    return CauseType.CODE, "code_error"


def _leading(kind: CauseType, mine: Sequence[Shift]) -> Shift | None:
    wanted = {
        CauseType.NETWORK: (Mechanism.ERROR, Mechanism.LATENCY),
        CauseType.CODE: (Mechanism.ERROR, Mechanism.CONTROL, Mechanism.LATENCY),
        CauseType.RESOURCE: (Mechanism.LATENCY, Mechanism.ERROR),
        CauseType.UNKNOWN: tuple(Mechanism),
    }[kind]
    ranked = [s for s in mine if s.mechanism in wanted]
    return max(ranked, key=lambda s: WEIGHTS[s.mechanism] * s.strength, default=None)


def _instance(
    effects: pl.DataFrame, kind: CauseType, mine: Sequence[Shift]
) -> tuple[str | None, float, int]:
    """Return the instance that carries the effect alone while its siblings are as before."""
    seen = _by(effects, "instance")
    if seen.height < SIBLINGS:
        only = seen.get_column("instance")[0] if seen.height == 1 else None
        busy = next((s.instance for s in mine if s.mechanism is Mechanism.RESOURCE), None)
        return (busy or (only if kind is CauseType.RESOURCE else None)), 1.0, 0
    return _carrier(effects, "instance")


def _by(effects: pl.DataFrame, key: str) -> pl.DataFrame:
    by = effects.drop_nulls(key).group_by(key).agg(pl.col("more").sum(), pl.len().alias("n"))
    return by.filter(pl.col("n") >= MIN_SEEN).sort(key)


def _carrier(effects: pl.DataFrame, key: str) -> tuple[str | None, float, int]:
    """Return who of several carries the effect (null if nobody alone), its share, and the others.

    `key` is what they are told apart by.
    """
    by = _by(effects, key)
    if by.height < SIBLINGS:
        return None, 1.0, 0
    worst = by.sort(["more", key], descending=[True, False]).row(0, named=True)
    total = float(by.get_column("more").clip(0).sum())
    share = float(worst["more"]) / total if total > 0 else 0.0
    fair = float(worst["n"]) / float(by.get_column("n").sum())
    apart = _apart(effects.drop_nulls(key), pl.col(key) == worst[key])
    alone = share >= max(OWN_SHARE, fair + 0.15) and apart > APART
    return (str(worst[key]) if alone else None), share, by.height - 1


def _apart(effects: pl.DataFrame, one_of: pl.Expr) -> float:
    """Return Welch's t of the effect on one of several against the others: few differ by luck."""
    parts = effects.group_by(one_of.alias("one")).agg(
        pl.col("more").mean().alias("mean"), (pl.col("more").var() / pl.len()).alias("error")
    )
    one, rest = parts.sort("one", descending=True).iter_rows(named=True)
    error = float((one["error"] or 0.0) + (rest["error"] or 0.0))
    return float(float(one["mean"] - rest["mean"]) / max(error, 1e-12) ** 0.5)


def _effects(
    service: str, kind: CauseType, mine: Sequence[Shift], spans: pl.DataFrame
) -> pl.DataFrame:
    """Return what each execution during the incident shows of the fault, as `more`.

    Beside it the `instance` and `version` that ran, null where they are not known.
    """
    grown = next((s for s in mine if s.kind == "calls_multiplied" and s.service == service), None)
    if kind is CauseType.CODE and grown is not None:
        ran = (pl.col("service") == service) & (pl.col("name") == grown.operation)
        made = calls_made(spans, spans.filter(ran & (pl.col("bucket") == INCIDENT)), grown.detail)
        return made.select("instance", "version", (pl.col("calls") - grown.before).alias("more"))
    own = pl.col("service") == service
    touched = spans.filter(
        (own & (pl.col("role") != "async"))
        | ((pl.col("role") == "call") & (pl.col("callee") == service))
    ).with_columns(
        pl.when(own).then("instance").otherwise("callee_instance").alias("instance"),
        pl.when(own).then("version").alias("version"),
    )
    failing = kind is CauseType.CODE and any(s.mechanism is Mechanism.ERROR for s in mine)
    effect = pl.col("origin").cast(pl.Float64) if failing else pl.col("self_ms")
    keys = ["service", "name", "callee"]
    usual = touched.filter(pl.col("bucket") >= 0).group_by(keys).agg(effect.mean().alias("usual"))
    during = (
        touched.filter(pl.col("bucket") == INCIDENT)
        .join(usual, on=keys, how="left", nulls_equal=True)
        .with_columns((effect - pl.col("usual").fill_null(0.0)).alias("more"))
    )
    return during.select("instance", "version", "more")
