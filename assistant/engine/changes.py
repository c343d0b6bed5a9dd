"""Which change explains the first hypothesis, and why the others do not.

A change is a likelihood ratio on a hypothesis, never a hypothesis on its own. Closeness in time is
weak: what tells is whether the changed thing already ran unharmed between the change and the fault,
and whether instances without the change are harmed as well.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from assistant.engine.patch import EXPLAINS, Patch, read, words_of
from assistant.engine.start import MIN_SERIES, Began, strange
from assistant.engine.windows import to_us
from connectors.api import Change

LOOK_BACK_US = 6 * 3600 * 1_000_000
# How long a change stays suspect: longer where its diff fits, longest where that builds up.
FADE_US, FIT_FADE_US, SLOW_FADE_US = 360_000_000, 1_800_000_000, 7_200_000_000
NOT_BROUGHT = 0.2
BUILDS_UP = ("memory_pressure", "disk_pressure")  # felt long after they began
FITS, MISFITS, IDLE = 3.0, 0.6, 0.15
TOUCHES, COMMON, TOLD = 1.5, 0.2, 3
FROM_OUTSIDE = ("traffic_surge", "tls_failure", "dns_failure")  # need no change to happen
NO_NAMES = frozenset({"service", "svc", "server", "app", "api"})
NAMED_FROM = 2.0
MOST, LEAST = 8.0, 1 / 16
NOT_CHANGES = ("kubernetes_event",)
# What Kubernetes says of a pod in trouble; it says as much of pods that come and go.
TROUBLE = re.compile(
    r"oom.?kill|evict|failed.?scheduling|back.?off|unhealthy|not.?ready", re.IGNORECASE
)
SCALED, FOLLOWED, BY_ITSELF = 0.5, 0.3, re.compile(r"\bhpa\b|autoscal|\bkeda\b", re.IGNORECASE)
MORE_LOAD = 1.2  # times what was asked of it before
UNHARMED_RUNS = 8
UNHARMED_LEVEL = 0.3
WORTH_A_LOOK = 0.5  # timing below which nothing else can make a change guilty
AT_ONCE_US = 1_000_000  # what is under way when a change comes
FAILS, SLOWS = 0.02, 0.2  # share of failing executions, rise of log ms: a version is affected


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """What a change would have to explain: what the fault at `service` is, and its words.

    `near` are the components beside the service (callers, callees, the peer of a slow way);
    `deploys` tells whether any deploy of it is known: where they are recorded, commits wait for it.
    `effect` is what executions of the service itself show of the fault (`us`, `value`, `version`),
    `fails` that this is whether they fail, and `load` is its work during ÷ before.
    """

    service: str
    cause: str
    near: frozenset[str]
    words: frozenset[str]
    start: Began
    effect: pl.DataFrame
    fails: bool
    load: float
    deploys: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A change with its likelihood ratio and the sentence that explains it."""

    change: Change
    ratio: float
    why: str

    @property
    def blamed(self) -> bool:
        return self.ratio >= NAMED_FROM


def judge(
    changes: Sequence[Change], blame: Blame, spans: pl.DataFrame, horizon: datetime
) -> list[Judged]:
    """Return the changes that could matter, the likeliest first."""
    end = to_us(horizon)
    candidates = [
        c
        for c in _deployed(changes)
        if c.kind not in NOT_CHANGES and blame.start.us - LOOK_BACK_US <= to_us(c.at) <= end
    ]
    blame = replace(blame, deploys=_known(changes, blame.service))
    patches = {i: p for i, c in enumerate(candidates) if (p := read(c)) is not None}
    telling = blame.words - _common(patches)
    judged = [_judge(c, patches.get(i), blame, telling, spans) for i, c in enumerate(candidates)]
    return sorted(
        judged, key=lambda j: (-j.ratio, abs(to_us(j.change.at) - blame.start.us), j.change.ref)
    )


def troubles(
    changes: Sequence[Change], service: str, spans: pl.DataFrame, incident: tuple[int, int]
) -> list[Change]:
    """Return what Kubernetes told of a service or its instances, near an incident (µs)."""
    told = [
        c
        for c in sorted(changes, key=lambda c: (c.at, c.ref))
        if c.kind in NOT_CHANGES
        and incident[0] - FADE_US <= to_us(c.at) <= incident[1]
        and TROUBLE.search(f"{c.ref} {c.summary}")
    ]
    if not told:
        return []
    ran = spans.lazy().filter(pl.col("service") == service).select(pl.col("instance").unique())
    names = {service, *ran.collect().get_column("instance").to_list()} - {None}
    return [c for c in told if c.target in names]


def _known(changes: Sequence[Change], service: str) -> bool:
    return any(c.kind == "deploy" and c.target == service for c in changes)


def _deployed(changes: Sequence[Change]) -> list[Change]:
    """Return the changes with what a deploy brought at the deploy: a commit alone does nothing.

    A deploy brings the commit that it names and, where it names none, those that touch its target's
    files since the deploy before.
    """
    commits = [c for c in changes if c.kind == "commit"]
    left = {c.ref for c in commits}
    out: list[Change] = []
    since: dict[str, datetime] = {}
    for change in sorted(changes, key=lambda c: (c.at, c.ref)):
        if change.kind == "commit":
            continue
        brought = [c for c in commits if c.ref == change.ref]
        if change.kind == "deploy" and change.target and not brought:
            begin = since.get(change.target)
            brought = [
                c
                for c in commits
                if c.at <= change.at and (begin is None or c.at > begin) and _touches(c, change)
            ]
        if change.kind == "deploy" and change.target:
            since[change.target] = change.at
        left -= {c.ref for c in brought}
        out.append(_with(change, brought))
    return [*out, *(c for c in commits if c.ref in left)]


def _touches(commit: Change, deploy: Change) -> bool:
    stem = words_of(deploy.target or "") - NO_NAMES
    return any(stem <= words_of(f) for f in commit.files) if stem else False


def _with(change: Change, commits: Sequence[Change]) -> Change:
    if not commits or change.diff:
        return change
    return replace(
        change,
        files=tuple(dict.fromkeys(f for c in commits for f in c.files)),
        diff="\n".join(c.diff for c in commits if c.diff) or None,
        summary="; ".join((change.summary, *(c.summary for c in commits))),
    )


def _common(patches: Mapping[int, Patch]) -> frozenset[str]:
    """Return the words that many changes speak of: they tell none of them apart."""
    seen = Counter(w for patch in patches.values() for w in patch.words)
    return frozenset(w for w, n in seen.items() if n > max(1, COMMON * len(patches)))


def _judge(
    change: Change, patch: Patch | None, blame: Blame, telling: frozenset[str], spans: pl.DataFrame
) -> Judged:
    start, service = blame.start, blame.service
    place, where = _place(change, service, blame.near)
    if change.kind == "commit" and blame.deploys:
        place, where = place * NOT_BROUGHT, f"{where}, and no deploy has brought it"
    effective = _effective(change, spans)
    fits, does = _fits(patch, blame.cause, telling, diff=bool(change.diff))
    slow = blame.cause in BUILDS_UP
    fade = (SLOW_FADE_US if slow else FIT_FADE_US) if fits >= FITS else FADE_US
    timing, when = _timing(change, effective, start, fade)
    ratio, reasons = place * timing, [when]
    if timing > WORTH_A_LOOK:
        unharmed, said = (1.0, "") if slow else _unharmed(change, service, effective, start)
        canary, contrast = _contrast(change, blame, effective, spans)
        scaled, follows = _scaled(change, blame.load)
        ratio *= unharmed * canary * fits * (0.5 if blame.cause in FROM_OUTSIDE else 1.0) * scaled
        reasons += [said, contrast, follows, does]
    if place < 1.0:
        reasons.insert(0, where)
    ratio = min(MOST, max(LEAST, ratio))
    return Judged(change=change, ratio=round(ratio, 3), why="; ".join(r for r in reasons if r))


def _fits(
    patch: Patch | None, cause: str, telling: frozenset[str], *, diff: bool
) -> tuple[float, str]:
    """Tell whether what a diff does, and what it speaks of, goes with the fault."""
    if patch is None:
        return 1.0, ""
    if patch.idle is not None:
        return IDLE, patch.idle
    fitting = sorted(patch.effects & EXPLAINS.get(cause, frozenset()))
    shared = sorted(patch.words & telling)
    touches = f"it touches {', '.join(shared[:TOLD])}" if shared else ""
    more = TOUCHES if shared else 1.0
    if fitting:
        return FITS * more, "; ".join(r for r in (f"its diff {fitting[0]}", touches) if r)
    nothing = "nothing in its diff goes with the fault" if diff else ""
    return MISFITS * more, touches or nothing


def _place(change: Change, service: str, near: frozenset[str]) -> tuple[float, str]:
    if change.target == service:
        return 1.0, f"on {service} itself"
    if change.target in near:
        return 0.35, f"on {change.target}, next to {service}"
    stem = words_of(service) - NO_NAMES
    if change.target is None and any(stem & words_of(f) for f in change.files):
        return 0.5, f"touches files of {service}"
    return 0.05, f"on {change.target or 'no named service'}, not on {service}"


def _effective(change: Change, spans: pl.DataFrame) -> int:
    """Return when a change could first be felt (µs): the first work of a version it brought."""
    at = to_us(change.at)
    until = to_us(change.until) if change.until is not None else at
    if change.kind != "deploy" or change.target is None:
        return at
    mine = spans.filter((pl.col("service") == change.target) & pl.col("version").is_not_null())
    firsts = mine.group_by("version").agg(pl.col("us").min().alias("first"))
    brought = firsts.filter(
        (pl.col("first") >= at - 1_000_000) & (pl.col("first") <= until + 30_000_000)
    )
    return int(brought.get_column("first").min() or at) if brought.height else at  # type: ignore[arg-type]


def _timing(change: Change, effective: int, start: Began, fade_us: int) -> tuple[float, str]:
    until = max(effective, to_us(change.until) if change.until is not None else effective)
    lag = (start.us - effective) / 1e6
    if start.us < effective - start.slack_us:
        return 0.1, f"it came {-lag:.0f} s after the fault had begun"
    if start.first_us is not None and start.first_us < effective - AT_ONCE_US:
        early = (effective - start.first_us) / 1e6
        return 0.1, f"something was affected {early:.1f} s before it already"
    if start.us <= until + start.slack_us:
        return 6.0, f"the fault began {max(lag, 0):.0f} s after it took effect"
    fade = 4.0 * math.exp(-(start.us - until) / fade_us)
    return fade, f"it was in effect {lag:.0f} s before the fault began"


def _unharmed(change: Change, service: str, effective: int, start: Began) -> tuple[float, str]:
    """Tell a change that ran well for a while from one that began with the fault."""
    if change.target != service:
        return 1.0, ""
    between = start.values.filter(
        (start.times >= effective) & (start.times < start.us - start.slack_us // 2)
    )
    before = start.values.filter(start.times < effective)
    after = start.values.filter(start.times >= start.us)
    if between.len() < UNHARMED_RUNS or before.is_empty() or after.is_empty():
        return 1.0, ""
    if before.len() >= MIN_SERIES and _begun(before, between, after):
        return 1.0, ""  # one of few affected came early, and then chance left a gap
    low, high = _mean(before), _mean(after)
    level = (_mean(between) - low) / (high - low) if high > low else 1.0
    if level < UNHARMED_LEVEL:
        return 0.2, f"{between.len()} executions after it were as before"
    return 1.0, ""


def _begun(before: pl.Series, between: pl.Series, after: pl.Series) -> bool:
    """Tell whether one in between is like those that the fault hit, and unlike any before it."""
    calm = strange(before)
    hit = after.filter(after > calm)
    like = (calm + float(str(hit.median()))) / 2 if hit.len() else calm
    return bool((between > like).any())


def _scaled(change: Change, load: float) -> tuple[float, str]:
    """Tell how much less a change of scale means than others: often it only answers the load."""
    if change.kind != "scale":
        return 1.0, ""
    if load >= MORE_LOAD or BY_ITSELF.search(f"{change.ref} {change.actor or ''} {change.summary}"):
        return SCALED * FOLLOWED, "it follows the load"
    return SCALED, "changes of scale more often follow a fault than cause it"


def _contrast(
    change: Change, blame: Blame, effective: int, spans: pl.DataFrame
) -> tuple[float, str]:
    """Compare, in the same window, the versions or instances with and without the change."""
    service, start = blame.service, blame.start
    if change.target != service:
        return 1.0, ""
    if start.alone is not None and _everywhere(change, service, start, spans):
        return 0.2, "the other instances have it as well and are as before"
    if change.kind != "deploy":
        return 1.0, ""
    calm = blame.effect.filter(pl.col("us") < min(effective, start.us) - start.slack_us)
    mine = blame.effect.filter((pl.col("us") >= start.us) & pl.col("version").is_not_null())
    firsts = (
        spans.filter(pl.col("service") == service)
        .group_by("version")
        .agg(pl.col("us").min().alias("first"))
    )
    mine = mine.join(firsts, on="version")
    new = mine.filter(pl.col("first") >= effective - 1_000_000)
    old = mine.filter(pl.col("first") < effective - 1_000_000)
    if min(new.height, old.height, calm.height) < UNHARMED_RUNS:
        return 1.0, ""
    usual = 0.0 if blame.fails else _mean(calm["value"])
    bad_new, bad_old = (_mean(version["value"]) - usual for version in (new, old))
    least = FAILS if blame.fails else SLOWS
    if bad_new > least and bad_old < bad_new / 4:
        if blame.fails:
            return 4.0, "only its new version fails while the old one does not"
        return 4.0, "only its new version is affected while the old one is as before"
    if bad_old > least and bad_old >= bad_new / 2:
        return 0.25, f"the old version {'fails' if blame.fails else 'is affected'} as well"
    return 1.0, ""


def _everywhere(change: Change, service: str, start: Began, spans: pl.DataFrame) -> bool:
    """Tell whether the instances that are not affected have the change too."""
    if change.kind in ("config", "flag"):
        return True
    mine = spans.filter((pl.col("service") == service) & (pl.col("us") >= start.us))
    versions = mine.drop_nulls("version").group_by("instance").agg(pl.col("version").last())
    return versions.height > 1 and versions.get_column("version").n_unique() == 1


def _mean(values: pl.Series) -> float:
    mean = values.cast(pl.Float64).mean()
    return float(mean) if isinstance(mean, float) else 0.0
