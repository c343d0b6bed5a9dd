"""What stays where an incident began, once it has a channel of its own: words that lead there."""

from collections.abc import Iterator
from dataclasses import replace

from assistant.domain.incident import Incident
from assistant.domain.shown import Moved
from assistant.slack.blocks.pieces import Block, paragraphs
from assistant.slack.letters import Letter, Looks, Token, letters
from assistant.slack.places import Place, card_slot
from assistant.slack.text import escape, said


def left_behind(
    name: str, incident: Incident, moved: Moved, origin: Place, looks: Looks, token: Token
) -> Iterator[Letter]:
    """Yield the letters of the thread where a moved incident began.

    A line says where it went, since edits are silent. The card, and whatever had buttons, is cut
    to its first block: what is done about it is done in one place.
    """
    text, line = f"{name} is followed in {moved.shown}.", _leads_to(moved.place)
    for letter in letters(name, incident, origin, looks, token):
        if letter.slot == card_slot(name) or any(b["type"] == "actions" for b in letter.blocks):
            yield replace(letter, text=escape(text), blocks=(letter.blocks[0], line), calls="")
    yield Letter(
        slot=f"{name}/moved",
        channel=origin.channel,
        thread=origin.thread,
        under=card_slot(name),
        text=escape(text),
        blocks=(line,),
    )


def _leads_to(channel: str) -> Block:
    return paragraphs([said("Followed in "), {"type": "channel", "channel_id": channel}])
