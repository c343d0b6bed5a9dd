"""The card of an incident: the answer in six lines, what can be done, and the rest folded away."""

from collections.abc import Iterable, Sequence

from assistant.slack.blocks.pieces import (
    LINE,
    Block,
    Pressed,
    actions,
    bullets,
    context,
    folded,
    header,
    paragraphs,
    rich,
)
from assistant.slack.text import Element, escape, link, moment, one_line, said, sentence
from assistant.views import Line, Progress, Source, Step, View

WHY_LINES, SHOWN_GAPS = 2, 4
KINDS = {"check": "look", "action": "act", "verify": "verify", "rollback": "undo"}


def card(
    view: View, pressed: Sequence[Pressed], hosts: frozenset[str], judge: Block
) -> list[Block]:
    """Return the blocks of an answered incident; links lead to `hosts` only.

    With `judge` people say whether the answer was right.
    """
    return [
        header(_title(view.name, view.title)),
        _state(view),
        paragraphs(*_answer(view)),
        *_gaps(view.could_not_see),
        judge,
        *actions(pressed),
        *_rest(view),
        *_sources(view.sources, hosts),
        context(view.footer),
    ]


def card_text(view: View) -> str:
    """Return what a screen reader and a notification say."""
    told = [
        f"{_title(view.name, view.title)} ({view.state}).",
        sentence(f"{view.verdict_text}: {view.headline.text}", LINE),
    ]
    if view.change is not None:
        told.append(sentence(f"Change: {view.change.text}", LINE))
    if view.steps:
        told.append(sentence(f"Next: {_next(view.steps)}", LINE))
    if gaps := view.could_not_see:
        more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        told.append(sentence(f"Could not see: {one_line(gaps[0], LINE).rstrip('.')}{more}", LINE))
    return escape(" ".join(told))


def progress_card(
    progress: Progress, pressed: Sequence[Pressed], hosts: frozenset[str]
) -> list[Block]:
    """Return the blocks of an incident that has no answer yet."""
    return [
        header(_title(progress.name, progress.title)),
        _state(progress),
        *_sources(progress.sources, hosts, fold=False),
        *actions(pressed),
    ]


def progress_text(progress: Progress) -> str:
    """Return what a screen reader and a notification say."""
    return escape(f"{_title(progress.name, progress.title)} ({progress.state}).")


def _title(name: str, title: str) -> str:
    return f"{name} · {title}" if name else title


def _state(shown: View | Progress) -> Block:
    return paragraphs([said(f"{shown.state} · since "), *moment(shown.since)])


def _answer(view: View) -> list[list[Element]]:
    lines = [_labelled(view.verdict_text, view.headline)]
    lines += [_labelled("Symptom", line) for line in view.symptom[:1]]
    if view.change is not None:
        lines.append(_labelled("Change", view.change))
    lines += [_labelled("Why", line) for line in view.why[:WHY_LINES]]
    if view.steps:
        lines.append(_labelled("Next", Line(text=_next(view.steps))))
    return lines


def _next(steps: Sequence[Step]) -> str:
    return next((s for s in steps if s.kind == "action"), steps[0]).text


def _labelled(label: str, line: Line) -> list[Element]:
    return [said(f"{label} ", bold=True), *_claim(line)]


def _claim(line: Line) -> list[Element]:
    ids = [part for name in line.evidence for part in (said(name, code=True), said(" "))]
    return [*ids, said(one_line(line.text, LINE))]


def _gaps(gaps: Sequence[str]) -> list[Block]:
    if not gaps:
        return []
    shown = [[said(one_line(gap, LINE))] for gap in gaps[:SHOWN_GAPS]]
    if len(gaps) > SHOWN_GAPS:
        shown.append([said(f"and {len(gaps) - SHOWN_GAPS} more")])
    lead = {"type": "rich_text_section", "elements": [said("⚠ Could not see", bold=True)]}
    return [rich(lead, bullets(*shown))]


def _rest(view: View) -> list[Block]:
    more: list[Block] = []
    for title, lines in (
        ("More evidence", (*view.symptom[1:], *view.why[WHY_LINES:])),
        ("Speaks against it", view.against),
        ("It may also be", view.others),
        ("Ruled out", view.ruled_out),
        ("Innocent changes", view.innocent),
    ):
        more += _fold(f"{title} ({len(lines)})", [_claim(line) for line in lines])
    steps = [
        [said(f"{KINDS.get(step.kind, step.kind)}: ", bold=True), said(one_line(step.text, LINE))]
        + ([said("\n"), said(one_line(step.command, LINE), code=True)] if step.command else [])
        for step in view.steps
    ]
    return more + _fold(f"Plan: {view.plan_title}", steps)


def _fold(title: str, lines: Sequence[list[Element]]) -> list[Block]:
    return [folded(title, rich(bullets(*lines)))] if lines else []


def _sources(sources: Iterable[Source], hosts: frozenset[str], *, fold: bool = True) -> list[Block]:
    lines = [[said("✓ " if source.ok else "✗ "), _source(source, hosts)] for source in sources]
    if not lines:
        return []
    if fold:
        return _fold(f"Sources ({len(lines)})", lines)
    return [rich(bullets(*lines))]


def _source(source: Source, hosts: frozenset[str]) -> Element:
    text = one_line(source.text, LINE)
    return link(source.link, text, hosts) if source.link else said(text)
