"""The card of an action request: what is asked, and after the decision its record."""

from collections.abc import Sequence

from assistant.requests_view import Happening, RecoveryView, RequestView
from assistant.slack.blocks.pieces import (
    LINE,
    Block,
    Pressed,
    actions,
    bullets,
    header,
    paragraphs,
    rich,
    verbatim,
)
from assistant.slack.text import Element, clip, escape, moment, one_line, said

TOLD = 6  # the outcome of an action may be long; a card is not
WIDE = 44


def request_card(view: RequestView, pressed: Sequence[Pressed]) -> list[Block]:
    """Return the blocks of a request in any of its states."""
    blocks = [
        header(f"{view.title}: {view.summary}"),
        rich(bullets(*([said(f"{f.label}: ", bold=True), _value(f.text)] for f in view.facts))),
    ]
    if view.diff:
        blocks.append(rich(verbatim(view.diff)))
    if view.expires is not None:
        blocks.append(paragraphs([said("Expires ", bold=True), *moment(view.expires)]))
    if view.happened:
        blocks.append(paragraphs(*(_told(h) for h in view.happened[:TOLD])))
    if view.recovery is not None:
        blocks += figures(view.recovery)
    return blocks + actions(pressed)


def request_text(view: RequestView) -> str:
    """Return what a screen reader and a notification say."""
    last = f" {view.happened[-1].text}." if view.happened else ""
    effect = f" {view.recovery.title}." if view.recovery else ""
    return escape(f"{view.title}: {view.summary}{last}{effect}")


def alarm_note(view: RequestView, alarm: str) -> list[Block]:
    """Return the note about what must not be missed."""
    lead = [said("⚠ Take over. ", bold=True), said(one_line(alarm, LINE))]
    return [paragraphs(lead, [said(one_line(f"It was: {view.summary}", LINE))])]


def alarm_text(view: RequestView, alarm: str) -> str:
    """Return what a screen reader and a notification say."""
    return escape(f"Take over. {alarm} It was: {view.summary}")


def recovery_note(
    view: RequestView, recovery: RecoveryView, pressed: Sequence[Pressed]
) -> list[Block]:
    """Return the note that says whether it helped; the record holds the figures as well."""
    lead = paragraphs(
        [said(f"{recovery.title} ", bold=True), said(one_line(f"after: {view.summary}", LINE))]
    )
    return [lead, *figures(recovery), *actions(pressed)]


def recovery_text(view: RequestView, recovery: RecoveryView) -> str:
    """Return what a screen reader and a notification say."""
    return escape(f"{recovery.title} after: {view.summary} {recovery.why}")


def figures(recovery: RecoveryView) -> list[Block]:
    """Return each measure before, during and after, and the judgement on them."""
    said_why = paragraphs(
        [said(f"{recovery.title}: ", bold=True), said(one_line(recovery.why, LINE))]
    )
    if not recovery.rows:
        return [said_why]
    rows = [
        f"{one_line(what, WIDE)}: {before} → {during} → {after}"
        for what, before, during, after in recovery.rows
    ]
    return [said_why, rich(verbatim(["before → during → after", *rows]))]


def _value(text: str) -> Element:
    return said(one_line(text, LINE))


def _told(happening: Happening) -> list[Element]:
    at = [said(" "), *moment(happening.at)] if happening.at else []
    return [said(clip(happening.text, LINE)), *at]
