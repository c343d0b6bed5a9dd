"""From a hypothesis to the runbook that fits it.

A runbook that names its services was written for them, most often made from an incident there: for
its own causes it comes before all others, and for other services it is never proposed.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from assistant.domain.hypothesis import BlamedChange, CauseType, Finding, Hypothesis
from assistant.domain.plan import RemediationPlan, RemediationStep
from assistant.engine.wording import CAUSE_WORDS
from retrieval.api import Document, Match, Query
from runbooks.model import Runbook, Step
from runbooks.render import render

COLLECTION = "runbooks"
MOST_STATEMENTS = 3
# A change that is blamed is only handed to the action that takes back changes of its kind.
TAKES_BACK = {"rollback_deploy": "deploy", "set_flag": "flag", "revert_config": "config"}
MOST_LOOKED_AT = 50  # the cause is known: the best page for it counts, not the best page


class Search(Protocol):
    """The part of an index that recalling needs."""

    def search(self, query: Query) -> list[Match]: ...


def documents(runbooks: Iterable[Runbook]) -> list[Document]:
    """Return runbooks as pages to be found: symptoms first, as people ask with them."""
    return [
        Document(
            id=r.id,
            collection=COLLECTION,
            title=r.title,
            text="\n\n".join(["## Symptoms", *r.symptoms, r.summary, r.body]),
            source=r.source,
            labels={"cause": r.applies_to, "service": r.services},
        )
        for r in runbooks
    ]


def query(finding: Finding, hypothesis: Hypothesis) -> Query:
    """Return what to look for: the cause in words and the strongest facts, names left out."""
    by_id = {e.id: e for e in finding.evidence}
    names = {hypothesis.service, *hypothesis.affected, hypothesis.instance, hypothesis.peer} - {
        None
    }
    words = [CAUSE_WORDS.get(hypothesis.cause, "").replace("{service}", "")]
    if hypothesis.instance:
        words.append("only one instance of several, the others are healthy")
    for evidence_id in hypothesis.supports[:MOST_STATEMENTS]:
        statement = by_id[evidence_id].statement
        for name in sorted((str(n) for n in names), key=len, reverse=True):
            statement = statement.replace(name, " ")
        words.append(statement)
    return Query(
        text=" ".join(words),
        collection=COLLECTION,
        labels={"cause": (hypothesis.cause,)},
        required=frozenset({"cause"}),
        limit=MOST_LOOKED_AT,
    )


def plan(
    index: Search, runbooks: Mapping[str, Runbook], finding: Finding
) -> RemediationPlan | None:
    """Return the best runbook's steps for the first hypothesis, or null where none fits.

    A page that is merely similar in words but was written for other causes is not proposed. Of
    several that were written for the services, the newest one counts whose actions are all known.
    """
    first = finding.hypotheses[0]
    known = entities(finding, first)
    fitting = {r.id: r for r in runbooks.values() if first.cause in r.applies_to}
    own = [r for r in fitting.values() if r.services and frozenset(r.services) == place(first)]
    for runbook in sorted(own, key=_age, reverse=True):
        steps = _steps(runbook, known, finding.change)
        if not any(_open_question(step) for step in steps):
            return RemediationPlan(
                runbook=runbook.id,
                title=runbook.title,
                match=1.0,
                why=_why_own(runbook, first),
                steps=steps,
            )
    for match in index.search(query(finding, first)):
        found = fitting.get(match.document.id)
        if found is not None and not found.services:
            return RemediationPlan(
                runbook=found.id,
                title=found.title,
                match=round(match.score, 4),
                why=match.why,
                steps=_steps(found, known, finding.change),
            )
    return None


def place(hypothesis: Hypothesis) -> frozenset[str]:
    """Return the services that a cause is at: one, or both ends of a way."""
    ends = {hypothesis.service}
    if hypothesis.type is CauseType.NETWORK and hypothesis.peer is not None:
        ends.add(hypothesis.peer)
    return frozenset(ends)


def version(change: BlamedChange | None) -> str | None:
    """Return the release that a deploy brought; a reference may be written service@release."""
    if change is None or change.kind != "deploy":
        return None
    return change.ref.removeprefix(f"{change.target}@") or None


def entities(finding: Finding, hypothesis: Hypothesis) -> dict[str, str]:
    """Return the names that a runbook's steps are filled with.

    Runbooks about a way between two are written from the caller's side, where the engine blames the
    callee and names the caller as its peer.
    """
    change = finding.change
    outward = hypothesis.type is CauseType.NETWORK and hypothesis.peer is not None
    known = {
        "service": hypothesis.peer if outward else hypothesis.service,
        "peer": hypothesis.service if outward else hypothesis.peer,
        "instance": hypothesis.instance,
        "operation": hypothesis.operation,
        "change": change.ref if change else None,
        "version": version(change),
    }
    return {key: value for key, value in known.items() if value}


def _age(runbook: Runbook) -> tuple[str, int, str]:
    return runbook.reviewed, len(runbook.id), runbook.id  # INC-10 is younger than INC-9


def _open_question(step: RemediationStep) -> bool:
    """Tell whether an action lacks a name that this incident does not know."""
    return step.kind == "action" and any("<" in value for _, value in step.args)


def _why_own(runbook: Runbook, first: Hypothesis) -> tuple[str, ...]:
    where = ", ".join(runbook.services)
    origin = (
        f"made from {runbook.made_from}, which recovered by it"
        if runbook.made_from
        else f"written for {where}"
    )
    return origin, f"same service: {where}", f"same cause: {first.cause}"


def _steps(
    runbook: Runbook, known: Mapping[str, str], change: BlamedChange | None
) -> tuple[RemediationStep, ...]:
    other = {name: value for name, value in known.items() if name not in ("change", "version")}
    filled, without = render(runbook, known).steps, render(runbook, other).steps
    return tuple(
        RemediationStep(
            kind=step.kind.value,
            text=step.text,
            action=step.action,
            args=tuple(sorted((step if _fits(step, change) else bare).args.items())),
            command=step.command,
        )
        for step, bare in zip(filled, without, strict=True)
    )


def _fits(step: Step, change: BlamedChange | None) -> bool:
    return change is None or TAKES_BACK.get(step.action or "", change.kind) == change.kind
