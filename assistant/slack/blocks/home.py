"""The home tab: incidents that are open, requests that wait, and how firstline itself is doing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from assistant.domain.events import ReadFailed, ReadPerformed
from assistant.domain.incident import Incident
from assistant.requests_view import RequestView
from assistant.slack import limits
from assistant.slack.blocks.pieces import (
    LINE,
    Block,
    Pressed,
    bullets,
    context,
    header,
    paragraphs,
    rich,
)
from assistant.slack.blocks.request import request_card
from assistant.slack.check import holds
from assistant.slack.text import MOST, Element, escape, one_line, said, utc
from assistant.views import state

SHOWN, DECISIONS = 20, 8
LAST = 100  # characters that the line may take which says how many are left out
PLACE = "home"  # what is pressed there is answered there
PRIVATE = ": in a private channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A request that this person may decide, and the buttons to do so."""

    incident: str
    view: RequestView
    pressed: tuple[Pressed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """What one person sees. `links` lead from an incident to its card in Slack.

    `mine` wait for this person, `others` for somebody else, as lines. `audit` says how the journal
    stands, `told` answers what was pressed last. Of the incidents that are `hidden` from this
    person only the number is shown.
    """

    incidents: Mapping[str, Incident]
    links: Mapping[str, str]
    mine: tuple[Waiting, ...]
    others: tuple[str, ...]
    audit: tuple[str, ...]
    told: str = ""
    hidden: Collection[str] = ()


def home(view: HomeView) -> dict[str, object]:
    """Return the view of the home tab.

    Of the requests that wait there are as many as it holds, each with its facts; the others count.
    """
    for most in range(DECISIONS, -1, -1):
        shown = _home(view, most)
        if holds(shown):
            return shown
    return closed_home("There is too much to show here. Say status in a message to me.")


def _home(view: HomeView, most: int) -> dict[str, object]:
    still = {name: one for name, one in view.incidents.items() if one.open}
    seen = {name: one for name, one in view.incidents.items() if name not in view.hidden}
    opened = [
        _incident(name, one, view.links.get(name))
        if name in seen
        else [said(name, bold=True), said(PRIVATE)]
        for name, one in reversed(still.items())
    ]
    blocks: list[Block] = [context(view.told)] if view.told else []
    blocks += _listed("Open incidents", opened, "No incident is open.")
    blocks += _decisions(view.mine, most)
    others = [[said(one_line(line, LINE))] for line in view.others]
    blocks += _listed("Waiting for somebody else", others, "Nothing else waits.")
    sources = [[said(one_line(line, LINE))] for line in source_lines(seen)]
    blocks += _listed("Sources", sources, "Nothing was looked at yet.")
    if view.audit:
        blocks += _listed("Audit", [[said(line)] for line in view.audit], "")
    blocks.append(context("Mention me in a channel to begin."))
    return {"type": "home", "blocks": blocks[: limits.VIEW_BLOCKS]}


def closed_home(why: str) -> dict[str, object]:
    """Return the home tab of somebody to whom nothing is told, and why not."""
    return {"type": "home", "blocks": [paragraphs([said(why)])]}


def source_lines(incidents: Mapping[str, Incident]) -> list[str]:
    """Return of each source what its last read gave, or why it was not looked at."""
    latest: dict[tuple[str, str], str] = {}
    for name, incident in incidents.items():
        at = f", for {name} at {utc(incident.window[1])}" if incident.window else ""
        for read in incident.reads:
            latest[read.source, read.capability] = f"{_read(read)}{at}"
    return [latest[key] for key in sorted(latest)]


def _read(read: ReadPerformed | ReadFailed) -> str:
    if isinstance(read, ReadFailed):
        return f"✗ {read.source} {read.capability} not looked at: {read.reason}"
    return f"✓ {read.source} {read.capability}: {read.rows} rows in {read.seconds:.1f} s"


def _incident(name: str, incident: Incident, url: str | None) -> list[Element]:
    # Slack's own address of our own message, as Slack gave it.
    lead: Element = {"type": "link", "url": url, "text": name} if url else said(name, bold=True)
    return [lead, said(one_line(f" {incident.opened.text} — {state(incident)}", LINE))]


def _decisions(mine: Sequence[Waiting], most: int) -> list[Block]:
    blocks = [header(f"Waiting for you ({len(mine)})")]
    if not mine:
        return [*blocks, paragraphs([said("Nothing waits for your approval.")])]
    for number, one in enumerate(mine[:most]):
        for block in request_card(one.view, one.pressed):
            mark = {"block_id": f"{PLACE}:{number}"} if block["type"] == "actions" else {}
            blocks.append(block | mark)
    if len(mine) > most:
        blocks.append(context(f"and {len(mine) - most} more"))
    return blocks


def status_lines(incidents: Mapping[str, Incident], hidden: Collection[str] = ()) -> str:
    """Return the open incidents as lines of words, the newest first.

    Of the `hidden` ones there is only the number. What does not fit is counted in the last line.
    """
    lines = [
        f"{name}{PRIVATE}"
        if name in hidden
        else f"{name}: {one_line(incident.opened.text, 200)} — {state(incident)}, "
        f"since {utc(incident.opened.at)}"
        for name, incident in reversed(list(incidents.items()))
        if incident.open
    ]
    most = _fitting(lines)
    left = len(lines) - most
    rest = [f"and {left} more, from before; my home tab lists the newest {SHOWN}."] if left else []
    return "\n".join([*lines[:most], *rest]) or "No incident is open."


def _fitting(lines: Sequence[str]) -> int:
    """Return how many lines fit into what is told to one person, and leave room for one more."""
    ends = accumulate(len(escape(line)) + 1 for line in lines[:SHOWN])
    return sum(end <= MOST - LAST for end in ends)


def _listed(title: str, lines: list[list[Element]], nothing: str) -> list[Block]:
    """Return lines below a title; what is left out is counted."""
    more = len(lines) - SHOWN
    rest = [[said(f"and {more} more")]] if more > 0 else []
    body = rich(bullets(*lines[:SHOWN], *rest)) if lines else paragraphs([said(nothing)])
    return [header(title), body]
