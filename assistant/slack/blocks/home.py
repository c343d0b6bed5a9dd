"""The home tab: incidents that are open, and requests that wait for somebody."""

from collections.abc import Mapping

from assistant.domain.action import Status
from assistant.domain.incident import Incident
from assistant.slack.blocks.pieces import LINE, Block, bullets, context, header, paragraphs, rich
from assistant.slack.text import Element, one_line, said, utc
from assistant.views import state

SHOWN = 20


def home(incidents: Mapping[str, Incident]) -> dict[str, object]:
    """Return the view of the home tab."""
    still = {name: incident for name, incident in incidents.items() if incident.open}
    waiting = [
        [said(f"{name} ", bold=True), said(one_line(tracked.request.summary, LINE))]
        for name, incident in still.items()
        for tracked in incident.requests.values()
        if tracked.status is Status.PENDING
    ]
    opened = [
        [
            said(f"{name} ", bold=True),
            said(one_line(f"{incident.opened.text} — {state(incident)}", LINE)),
        ]
        for name, incident in still.items()
    ]
    return {
        "type": "home",
        "blocks": [
            *_listed("Open incidents", opened, "No incident is open."),
            *_listed("Waiting for an approval", waiting, "Nothing waits for an approval."),
            context("Approve in the incident's own channel. Mention me anywhere to begin."),
        ],
    }


def status_lines(incidents: Mapping[str, Incident]) -> str:
    """Return the open incidents as lines of words."""
    lines = [
        f"{name}: {one_line(incident.opened.text, 200)} — {state(incident)}, "
        f"since {utc(incident.opened.at)}"
        for name, incident in incidents.items()
        if incident.open
    ]
    return "\n".join(lines[-SHOWN:]) or "No incident is open."


def _listed(title: str, lines: list[list[Element]], nothing: str) -> list[Block]:
    body = rich(bullets(*lines[-SHOWN:])) if lines else paragraphs([said(nothing)])
    return [header(title), body]
