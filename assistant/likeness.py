"""How alike two incidents are, and in what: a judgement that can be read, not a distance.

The same cause at the same place is the condition; everything else says how much more they have in
common. Times, figures and names that every run gives anew (references, versions, instances) are
told and do not count: the same fault comes back under other ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from assistant.domain.hypothesis import Finding, Hypothesis
from assistant.engine.wording import line
from assistant.recall import place

FLOOR = 0.5  # what the same cause at the same place is worth, beside the weights of the parts
SEEN_BEFORE = 0.6  # what is less alike than this is another matter
TEMPLATES = frozenset({"new_template", "template_shift"})
MOST_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """`score` is 0–1; `same` and `differed` are sentences, the latter about the earlier one."""

    score: float
    same: tuple[str, ...]
    differed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One comparison: its weight, how far (0–1) it agrees, and what to say of it (or nothing)."""

    weight: float
    agrees: float
    same: str | None = None
    differed: str | None = None


def likeness(now: Finding, then: Finding) -> Likeness | None:
    """Return how alike two findings are; null where it is another cause, place, or matter."""
    if not now.hypotheses or not then.hypotheses:
        return None
    here, there = now.hypotheses[0], then.hypotheses[0]
    if here.cause != there.cause or place(here) != place(there):
        return None
    parts = (*_scope(here, there), _change(now, then), *_observed(now, then))
    possible = FLOOR + sum(p.weight for p in parts)
    score = round((FLOOR + sum(p.weight * p.agrees for p in parts)) / possible, 4)
    if score < SEEN_BEFORE:
        return None
    where = " and ".join(sorted(place(here)))
    return Likeness(
        score=score,
        same=(f"the same cause in {where}", *(p.same for p in parts if p.same)),
        differed=tuple(p.differed for p in parts if p.differed),
    )


def log_lines(finding: Finding) -> frozenset[str]:
    """Return the log lines, with … for what varies, that speak for the first hypothesis."""
    ids = finding.hypotheses[0].supports
    told = [e for e in finding.evidence if e.id in ids and e.kind in TEMPLATES]
    return frozenset(f"“{line(e.metric)}”" for e in told)


def kinds(finding: Finding) -> frozenset[str]:
    """Return in words which kinds of facts speak for the first hypothesis."""
    ids = finding.hypotheses[0].supports
    return frozenset(e.kind.replace("_", " ") for e in finding.evidence if e.id in ids)


def symptoms(finding: Finding) -> frozenset[str]:
    """Return what users noticed and where, without figures."""
    felt = [e for e in finding.evidence if e.kind.startswith("symptom_")]
    return frozenset(f"{e.kind.removeprefix('symptom_')} of {e.subject.service}" for e in felt)


def _scope(here: Hypothesis, there: Hypothesis) -> Iterator[_Part]:
    """Compare which part of the service it is."""
    if here.operation or there.operation:
        if here.operation == there.operation:
            yield _Part(weight=0.2, agrees=1.0, same=f"the same operation, {here.operation}")
        else:
            operation = there.operation or "no single operation"
            yield _Part(weight=0.2, agrees=0.0, differed=f"it was {operation}")
    alone = there.instance is not None
    if (here.instance is not None) != alone:
        scope = f"only {there.instance} was hit" if alone else "all instances were hit"
        yield _Part(weight=0.1, agrees=0.0, differed=scope)
        return
    renamed = alone and here.instance != there.instance
    yield _Part(
        weight=0.1,
        agrees=1.0,
        same="only one instance is hit" if alone else "all instances are hit",
        differed=f"the instance was {there.instance}" if renamed else None,
    )


def _change(now: Finding, then: Finding) -> _Part:
    """Compare what kind of change explains it; a reference is never the same again."""
    kind = now.change.kind if now.change else None
    known = then.change.kind if then.change else None
    if kind != known:
        ref = then.change.ref if then.change else None
        told = f"the {known} {ref} explained it" if ref else "no change explained it"
        return _Part(weight=0.15, agrees=0.0, differed=told)
    if now.change is None or then.change is None:
        return _Part(weight=0.15, agrees=1.0, same="no change explains it")
    return _Part(
        weight=0.15,
        agrees=1.0,
        same=f"a {kind} explains it",
        differed=f"the {kind} was {then.change.ref}" if then.change.ref != now.change.ref else None,
    )


def _observed(now: Finding, then: Finding) -> Iterator[_Part]:
    """Compare what speaks for it; what neither has says nothing."""
    for weight, words, here, there in (
        (0.2, "log line", log_lines(now), log_lines(then)),
        (0.1, "kind of evidence", kinds(now), kinds(then)),
        (0.1, "symptom", symptoms(now), symptoms(then)),
    ):
        if not here and not there:
            continue
        shared = here & there
        agrees = len(shared) / min(len(here), len(there)) if here and there else 0.0
        same = f"the same {words}: {_listed(shared)}" if shared else None
        differed = None if shared else f"no {words} is the same"
        yield _Part(weight=weight, agrees=agrees, same=same, differed=differed)


def _listed(items: frozenset[str]) -> str:
    return ", ".join(sorted(items)[:MOST_TOLD])
