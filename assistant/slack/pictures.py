"""Pictures of the evidence in Slack: uploaded, then shown in the incident's thread, once an answer.

The slot of the message is noted like that of any other, so a lost answer or a restart posts nothing
twice; at the worst a file stays that no message shows. Source: docs.slack.dev, files.* External.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from assistant.domain.events import Event
from assistant.domain.incident import Incident
from assistant.domain.shown import Moved
from assistant.failure import Unusable
from assistant.slack import limits
from assistant.slack.blocks.pieces import Block, plain
from assistant.slack.errors import FAILURES, passing, sentence, wait_s
from assistant.slack.letters import Letter
from assistant.slack.outbox import Outbox
from assistant.slack.places import Place, Places, card_slot
from assistant.slack.ports import Desk
from assistant.slack.text import clip, escape, one_line

TRIES, LATER_S = 3, 2.0
TITLE = "What users notice, and what leads to it"
SPOKEN = 300
_LOG = logging.getLogger(__name__)


class Picture(Protocol):
    """A PNG with what it shows in words."""

    @property
    def image(self) -> bytes: ...

    @property
    def alt(self) -> str: ...

    @property
    def digest(self) -> str: ...


class Album(Protocol):
    """Whoever keeps the picture of an incident's answer."""

    def of(self, incident: str) -> Picture | None: ...

    def watch(self, listener: Callable[[str], None]) -> None:
        """Call it with the incident of each new picture."""
        ...


class Gallery:
    """Shows each picture once; `noticed` may be called at any time and only enqueues."""

    def __init__(
        self, client: AsyncWebClient, desk: Desk, places: Places, outbox: Outbox, album: Album
    ) -> None:
        self._client = client
        self._desk = desk
        self._places = places
        self._outbox = outbox
        self._album = album
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._shown: set[str] = set()  # on their way, and perhaps not noted as sent yet

    def noticed(self, incident: str) -> None:
        """Have the picture of an incident shown, if it is not yet."""
        self._waiting.put_nowait(incident)

    async def watched(self, incident: str, event: Event, state: Incident) -> None:
        """Have the picture of an incident shown in the channel that it has moved to."""
        del state
        if isinstance(event, Moved):
            self.noticed(incident)

    async def run(self) -> None:
        """Show what is missing from before, and then what is noticed."""
        self._album.watch(self.noticed)
        for name, state in self._desk.incidents().items():
            if state.open and state.finding is not None:
                self.noticed(name)
        while True:
            incident = await self._waiting.get()
            try:
                await self._show(incident)
            except Unusable as error:
                _LOG.error("the picture of %s is not shown: %s", incident, error)

    async def _show(self, incident: str) -> None:
        picture = self._album.of(incident)
        if picture is None or self._missing(incident, picture) is None:
            return
        file = await self._uploaded(incident, picture)
        missing = self._missing(incident, picture)  # it may have moved in the seconds that took
        if file is None or missing is None:
            return
        place, slot = missing
        self._shown.add(slot)
        self._outbox.put(
            Letter(
                slot=slot,
                channel=place.channel,
                thread=place.thread,
                under=place.slot(card_slot(incident)),
                text=escape(one_line(f"Picture of {incident}: {picture.alt}", SPOKEN)),
                blocks=(_image(file, picture.alt),),
            )
        )

    def _missing(self, incident: str, picture: Picture) -> tuple[Place, str] | None:
        """Return where a picture is to be shown, and its slot; null where it is or cannot be."""
        state = self._desk.incident(incident)
        place = self._places.of(state) if state is not None else None
        if place is None:
            return None
        slot = place.slot(f"{incident}/picture/{picture.digest[:16]}")
        there = slot in self._shown or self._places.posted(slot) is not None
        return None if there else (place, slot)

    async def _uploaded(self, incident: str, picture: Picture) -> str | None:
        """Return the id of the file, or null: the card says all that matters without it."""
        for number in range(TRIES):
            try:
                reply = await self._client.files_upload_v2(
                    content=picture.image,
                    filename=f"{incident}.png",
                    title=TITLE,
                    alt_txt=clip(picture.alt, limits.ALT_TEXT),
                )
                return str(reply["files"][0]["id"])
            except FAILURES as error:
                _LOG.warning("the picture of %s is not shown: %s", incident, sentence(error))
                if not passing(error) or number == TRIES - 1:
                    return None
                await asyncio.sleep(wait_s(error) or LATER_S)
        return None


def _image(file: str, alt: str) -> Block:
    return {
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": clip(alt, limits.ALT_TEXT),
        "title": plain(TITLE, limits.IMAGE_TITLE),
    }
