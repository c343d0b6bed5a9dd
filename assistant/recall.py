"""From a hypothesis to the runbook that fits it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from assistant.domain.hypothesis import CauseType, Finding, Hypothesis
from assistant.domain.plan import RemediationPlan, RemediationStep
from assistant.engine.wording import CAUSE_WORDS
from retrieval.api import Document, Match, Query
from runbooks.model import Runbook
from runbooks.render import render

COLLECTION = "runbooks"
MOST_STATEMENTS = 3
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
            labels={"cause": r.applies_to},
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
        limit=MOST_LOOKED_AT,
    )


def plan(
    index: Search, runbooks: Mapping[str, Runbook], finding: Finding
) -> RemediationPlan | None:
    """Return the best runbook's steps for the first hypothesis, or null where none fits.

    A page that is merely similar in words but was written for other causes is not proposed.
    """
    first = finding.hypotheses[0]
    for match in index.search(query(finding, first)):
        runbook = runbooks.get(match.document.id)
        if runbook is not None and first.cause in runbook.applies_to:
            return RemediationPlan(
                runbook=runbook.id,
                title=runbook.title,
                match=round(match.score, 4),
                why=match.why,
                steps=_steps(runbook, entities(finding, first)),
            )
    return None


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
        "version": change.ref if change and change.kind == "deploy" else None,
    }
    return {key: value for key, value in known.items() if value}


def _steps(runbook: Runbook, known: Mapping[str, str]) -> tuple[RemediationStep, ...]:
    return tuple(
        RemediationStep(
            kind=step.kind.value,
            text=step.text,
            action=step.action,
            args=tuple(sorted(step.args.items())),
            command=step.command,
        )
        for step in render(runbook, known).steps
    )
