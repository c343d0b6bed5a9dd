"""Everything behind an answer, in pages: each fact with its figures, and what else it may be."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from assistant.domain.evidence import Evidence
from assistant.domain.hypothesis import Finding, Hypothesis
from assistant.domain.incident import Incident
from assistant.engine.wording import cause_sentence
from assistant.requests_view import figure
from assistant.slack.blocks.modal import View, modal
from assistant.slack.blocks.pieces import (
    LINE,
    Block,
    Pressed,
    actions,
    context,
    header,
    paragraphs,
)
from assistant.slack.text import Element, link, moment, one_line, said

PER_PAGE = 20
EXEMPLAR = 200
# The section that it stands in, and what draws it: only one page is, and within seconds.
Entry = tuple[str, Callable[[], Block]]


def pages(incident: Incident) -> int:
    """Return how many pages the evidence takes, one at least."""
    return max(1, -(-len(list(_entries(incident, ()))) // PER_PAGE))


def evidence_modal(
    name: str, incident: Incident, page: int, hosts: Collection[str], pressed: Sequence[Pressed]
) -> View:
    """Return one page, counted from 0; `pressed` turn the pages, links lead to `hosts` only."""
    entries = list(_entries(incident, hosts))
    blocks: list[Block] = []
    last = ""
    for section, draw in entries[page * PER_PAGE : (page + 1) * PER_PAGE]:
        blocks += [header(section)] if section != last else []
        blocks.append(draw())
        last = section
    most = pages(incident)
    blocks.append(context(f"Page {page + 1} of {most}", f"{len(entries)} entries"))
    return modal(f"Evidence of {name}", [*blocks, *actions(pressed)])


def _entries(incident: Incident, hosts: Collection[str]) -> Iterator[Entry]:
    finding = incident.finding
    if finding is None:
        yield "Evidence", partial(paragraphs, [said("There is no answer yet.")])
        return
    for fact in finding.evidence:
        yield "Evidence", partial(_fact, fact, incident, hosts)
    by_id = {fact.id: fact for fact in finding.evidence}
    for hypothesis in finding.hypotheses:
        yield "Hypotheses", partial(_hypothesis, hypothesis, by_id)
    yield from _considered(finding, by_id)
    for gap in incident.gaps:
        yield "Could not see", partial(_gap, gap)


def _considered(finding: Finding, by_id: dict[str, Evidence]) -> Iterator[Entry]:
    for cleared in finding.ruled_out:
        told = f"{cleared.service}: {cleared.why}"
        yield "Ruled out", partial(_claim, told, cleared.evidence)
    for change in finding.innocent_changes:
        told = f"{by_id[change.evidence].statement}: {change.why}"
        yield "Innocent changes", partial(_claim, told, change.evidence)


def _gap(text: str) -> Block:
    return paragraphs([said(one_line(text, LINE))])


def _claim(text: str, evidence: str) -> Block:
    return paragraphs([said(evidence, code=True), said(" "), said(one_line(text, LINE))])


def _fact(fact: Evidence, incident: Incident, hosts: Collection[str]) -> Block:
    lines: list[list[Element]] = [
        [said(fact.id, code=True), said(" "), said(one_line(fact.statement, LINE), bold=True)]
    ]
    if fact.before is not None or fact.after is not None:
        before, after = (figure(value, fact.unit) for value in (fact.before, fact.after))
        n = f" (n {fact.n_before} → {fact.n_after})" if fact.n_after or fact.n_before else ""
        lines.append([said(one_line(f"{fact.metric}: {before} → {after}{n}", LINE))])
    if fact.first_seen is not None:
        lines.append([said("First seen "), *moment(fact.first_seen)])
    lines += [
        [said("e.g. "), said(one_line(example, EXEMPLAR), code=True)] for example in fact.exemplars
    ]
    lines.append(_source(fact, incident, hosts))
    return paragraphs(*lines)


def _source(fact: Evidence, incident: Incident, hosts: Collection[str]) -> list[Element]:
    """Say where it was read, in which window, and lead there where it is allowed."""
    reads = [read for read in incident.reads if read.capability == fact.source]
    window = incident.window
    span = f" from {window[0]:%Y-%m-%d %H:%M:%S} to {window[1]:%H:%M:%S} UTC" if window else ""
    told: list[Element] = [said(f"Source: {one_line(fact.source or 'what was read', LINE)}{span}")]
    for read in reads:
        told += [said(" · "), link(getattr(read, "link", None) or "", read.source, hosts)]
    return told


def _hypothesis(hypothesis: Hypothesis, by_id: dict[str, Evidence]) -> Block:
    h = hypothesis
    cause = cause_sentence(h.cause, h.service, h.instance, h.peer)
    lines: list[list[Element]] = [
        [
            said(f"{h.rank}. {one_line(cause, LINE)}", bold=True),
            said(f" (score {h.score:.2f}, confidence {h.confidence:.2f})"),
        ]
    ]
    for label, ids in (("For", h.supports), ("Against", h.contradicts)):
        for name in ids:
            statement = one_line(by_id[name].statement, EXEMPLAR)
            lines.append([said(f"{label} "), said(name, code=True), said(f" {statement}")])
    if h.affected:
        lines.append([said(one_line(f"Only pass it on: {', '.join(h.affected)}", LINE))])
    return paragraphs(*lines)
