"""What memory says and learns: incidents seen before, the postmortem, the runbook draft."""

from collections.abc import Sequence

from assistant.domain.shown import PostmortemShared
from assistant.memory_view import DraftView, SeenBefore
from assistant.slack.blocks.pieces import (
    LINE,
    Block,
    Pressed,
    actions,
    bullets,
    context,
    header,
    paragraphs,
    rich,
)
from assistant.slack.blocks.prose import prose
from assistant.slack.text import escape, one_line, said

PROSE = 10_000  # characters as JSON, so that the whole message stays within Slack's limit
JOURNAL_ALONE = "Made from the journal alone"
EXPORTED = "firstline audit export has all of it"
_FILES = "where I may post files."
AS_A_FILE = f"{EXPORTED}; so has the file that Postmortem from thread posts, {_FILES}"
IN_THE_FILE = f"{EXPORTED}; so has the file in this thread, {_FILES}"


def similar_note(seen: Sequence[SeenBefore]) -> list[Block]:
    """Return the note about earlier incidents."""
    blocks = []
    for one in seen:
        lead = {
            "type": "rich_text_section",
            "elements": [said("Seen before: ", bold=True), said(one_line(one.title, LINE))],
        }
        lines = [[said(one_line(line, LINE))] for line in one.lines]
        blocks.append(rich(lead, *([bullets(*lines)] if lines else [])))
    return blocks


def similar_text(seen: Sequence[SeenBefore]) -> str:
    """Return what a screen reader and a notification say."""
    return escape("Seen before: " + "; ".join(one.title for one in seen))


def postmortem_message(incident: str, markdown: str) -> list[Block]:
    """Return the postmortem of an incident that was closed, as much of it as a message holds."""
    return [
        header(f"Postmortem of {incident}"),
        context(JOURNAL_ALONE),
        rich(*prose(markdown, PROSE, AS_A_FILE)),
    ]


def shared_message(incident: str, shared: PostmortemShared) -> list[Block]:
    """Return an account that somebody looked at first, as much of it as a message holds."""
    return [
        header(f"Postmortem of {incident}"),
        context(JOURNAL_ALONE, _shared_by(shared)),
        rich(*prose(shared.markdown, PROSE, IN_THE_FILE)),
    ]


def _shared_by(shared: PostmortemShared) -> str:
    """Return who posted an account, and how much they left out."""
    out = len(shared.left_out)
    less = f", without {out} {'line' if out == 1 else 'lines'} of its timeline" if out else ""
    return f"Posted by {shared.by.name}{less}"


def postmortem_text(incident: str) -> str:
    """Return what a screen reader and a notification say."""
    return escape(f"The postmortem of {incident} is written.")


def draft_card(view: DraftView, pressed: Sequence[Pressed]) -> list[Block]:
    """Return the runbook draft, and once decided what was decided."""
    return [
        header(f"Runbook {_decided(view)}: {view.runbook}"),
        context(view.rests_on, f"digest {view.digest}"),
        rich(*prose(_body(view.markdown), PROSE, f"{EXPORTED}.")),
        *actions(pressed),
    ]


def draft_text(view: DraftView) -> str:
    """Return what a screen reader and a notification say."""
    return escape(f"Runbook {_decided(view)}: {view.runbook}, {view.rests_on}.")


def answer_note(said_so_far: Sequence[str]) -> list[Block]:
    """Return what firstline takes into account from now on."""
    lines = [[said(one_line(line, LINE))] for line in said_so_far]
    lead = paragraphs([said("Taken into account from now on", bold=True)])
    return [lead, rich(bullets(*lines))]


def answer_text(said_so_far: Sequence[str]) -> str:
    """Return what a screen reader and a notification say."""
    return escape(f"Taken into account from now on: {'; '.join(said_so_far)}")


def _decided(view: DraftView) -> str:
    return {None: "draft", True: "accepted", False: "rejected"}[view.decided]


def _body(markdown: str) -> str:
    """Return the text without its front matter, which is for machines."""
    if not markdown.startswith("---\n"):
        return markdown
    return markdown.partition("---\n")[2].partition("\n---\n")[2] or markdown
