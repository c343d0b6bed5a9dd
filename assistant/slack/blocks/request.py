"""The card of an action request: what is asked, and after the decision its record."""

from collections.abc import Callable, Sequence
from functools import partial

from assistant.domain.action import Status
from assistant.requests_view import Happening, RecoveryView, RequestView
from assistant.slack import limits
from assistant.slack.blocks.pieces import (
    LINE,
    SHOWN,
    Block,
    Pressed,
    actions,
    bullets,
    header,
    paragraphs,
    rich,
    uncut,
    verbatim,
    whole,
)
from assistant.slack.check import total
from assistant.slack.text import Element, escape, moment, one_line, said, sentence, sized, utc

TOLD = 6  # the outcome of an action may be long; a card is not
WIDE = 44
DONE = "What was done:"
WIDTHS = (LINE, 250, 120)  # of one text of a card; less where there is much to say
# What a card may take besides its diff's own frame, and what its diff and its figures have at least
ROOM, LEAST, FIGURES = limits.BLOCKS_BUDGET - 500, 500, 2_500


def request_card(view: RequestView, pressed: Sequence[Pressed]) -> list[Block]:
    """Return the blocks of a request in any of its states, within what a message holds.

    Its facts are always there. What its diff has no room for is counted.
    """
    for width in WIDTHS:
        head = _head(view, partial(_cut, width))
        tail = [*_since(view, width), *actions(pressed)]
        room = ROOM - total([*head, *tail])
        if room >= LEAST:
            break
    diff = [rich(verbatim(view.diff, min(room, SHOWN)))] if view.diff else []
    return [*head, *diff, *tail]


def request_whole(view: RequestView) -> list[Block]:
    """Return all that a request says, however many blocks it takes: a form holds more of them."""
    head = _head(view, lambda text: [said(piece) for piece in whole(text)])
    return [*head, *uncut(view.diff), *_since(view, LINE)]


def _head(view: RequestView, value: Callable[[str], list[Element]]) -> list[Block]:
    title = f"{view.title}: {view.summary}"
    more = [paragraphs(value(view.summary))] if len(title) > limits.HEADER else []
    facts = ([said(f"{fact.label}: ", bold=True), *value(fact.text)] for fact in view.facts)
    return [header(title), *more, rich(bullets(*facts))]


def _cut(width: int, text: str) -> list[Element]:
    return [said(sized(text, width))]


def _since(view: RequestView, width: int) -> list[Block]:
    blocks = []
    if view.expires is not None:
        blocks.append(paragraphs([said("Expires ", bold=True), *moment(view.expires)]))
    if view.happened:
        blocks.append(paragraphs(*(_told(h, width) for h in view.happened[:TOLD])))
    if view.recovery is not None:
        blocks += figures(view.recovery)
    return blocks


def request_text(view: RequestView) -> str:
    """Return what a screen reader and a notification say."""
    told = [sentence(f"{view.title}: {view.summary}", LINE)]
    if view.expires is not None and view.status is Status.PENDING:
        facts = {fact.label: one_line(fact.text, LINE) for fact in view.facts}
        told.append(f"Target: {facts['Target']}, risk: {facts['Risk']}.")
        told.append(f"May approve: {facts['May approve']}, until {utc(view.expires)}.")
    told += [sentence(happening.text, LINE) for happening in view.happened[-1:]]
    told += [sentence(view.recovery.title, LINE)] if view.recovery else []
    return escape(" ".join(told))


def calling(group: str) -> Block:
    """Return the line that calls a user group, by its id, to a request that waits."""
    return paragraphs([{"type": "usergroup", "usergroup_id": group}, said(" this waits for you")])


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
        [said(f"{recovery.title}. ", bold=True), said(one_line(f"{DONE} {view.summary}", LINE))]
    )
    return [lead, *figures(recovery), *actions(pressed)]


def recovery_text(view: RequestView, recovery: RecoveryView) -> str:
    """Return what a screen reader and a notification say."""
    why = sentence(f"{recovery.title}: {recovery.why}", LINE)
    return escape(f"{why} {DONE} {sentence(view.summary, LINE)}")


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
    return [said_why, rich(verbatim(["before → during → after", *rows], FIGURES))]


def _told(happening: Happening, width: int) -> list[Element]:
    at = [said(" "), *moment(happening.at)] if happening.at else []
    return [said(sized(happening.text, width)), *at]
