"""All messages that an incident should have in Slack, made from its state alone.

Each has a slot, a name that it keeps for ever: after any event, and after a restart, the same state
makes the same letters, and the outbox sends what is not in Slack yet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.button import Button
from assistant.commands import Pressable, Rate
from assistant.domain.action import Status, Tracked
from assistant.domain.canonical import digest
from assistant.domain.incident import Incident
from assistant.memory_view import draft_view, seen_before
from assistant.requests_view import ending, request_view
from assistant.slack.blocks import memory
from assistant.slack.blocks.card import card, card_text, progress_card, progress_text
from assistant.slack.blocks.feedback import correction_note, correction_text, thumbs
from assistant.slack.blocks.pieces import Block, Pressed
from assistant.slack.blocks.request import (
    alarm_note,
    alarm_text,
    calling,
    recovery_note,
    recovery_text,
    request_card,
    request_text,
)
from assistant.slack.places import Place, card_slot, request_slot
from assistant.slack.text import mention
from assistant.views import progress, view

Token = Callable[[Pressable], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the messages depend on besides the incident.

    `offered` are the actions that exist, `approvers` says who may approve (`@sre`), links lead to
    `hosts` only. `group` gives the approvers' user group as Slack knows it (`S…`), empty where it
    does not say. `audit` says of an incident how the journal stood when it was answered.
    """

    offered: frozenset[str] = frozenset()
    approvers: str = "nobody"
    hosts: frozenset[str] = frozenset()
    group: Callable[[], str] = lambda: ""
    audit: Callable[[str], str] = lambda _: ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message as it should be.

    `thread` is a `ts`; without one, the message goes under the one in the slot `under`, if any.
    With `look`, Slack is asked whether the message is still there although nothing has changed.
    Where it `binds`, its buttons are for what it shows: no form of it has them without that.
    It `calls` a user group (its id) when it is posted, and never again: edits are silent.
    """

    slot: str
    channel: str
    thread: str | None
    under: str | None
    text: str
    blocks: tuple[Block, ...]
    look: bool = False
    binds: bool = False
    calls: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of what is shown."""
        return digest({"text": self.text, "blocks": list(self.blocks)})

    def first(self) -> "Letter":
        """Return it as it is posted for the first time."""
        if not self.calls:
            return self
        title, *rest = self.blocks
        text = f"{self.text} {mention(self.calls)}"
        return replace(self, text=text, blocks=(title, calling(self.calls), *rest))


def letters(
    name: str, incident: Incident, place: Place, looks: Looks, token: Token
) -> list[Letter]:
    """Return the letters of an incident, the card first."""
    first = card_slot(name)
    asked = {request_slot(name, t.request.id): t for t in incident.requests.values()}
    return [
        Letter(
            slot=place.slot(slot),
            channel=place.channel,
            thread=place.thread,
            under=None if slot == first else place.slot(first),
            text=text,
            blocks=tuple(blocks),
            binds=slot in asked,
            calls=_called(asked[slot], looks) if slot in asked else "",
        )
        for slot, text, blocks in _written(name, incident, looks, token)
    ]


def _called(tracked: Tracked, looks: Looks) -> str:
    """Return the group that a request waits for; one that only a rule names is not called."""
    mandate = tracked.request.mandate
    waits = tracked.status is Status.PENDING and mandate.approvals > 0
    usual = mandate.group is None or f"@{mandate.group}" == looks.approvers
    return looks.group() if waits and usual else ""


def _written(
    name: str, incident: Incident, looks: Looks, token: Token
) -> Iterator[tuple[str, str, list[Block]]]:
    def pressed(buttons: Sequence[Button]) -> list[Pressed]:
        return [Pressed(button=b, token=token(b.command)) for b in buttons]

    yield (card_slot(name), *_card(name, incident, looks, token, pressed))
    if incident.steering.said:
        told = incident.steering.said
        yield f"{name}/answer/{len(told)}", memory.answer_text(told), memory.answer_note(told)
    if incident.corrections:
        last = incident.corrections[-1]
        slot = f"{name}/corrected/{len(incident.corrections)}"
        yield slot, correction_text(last), correction_note(last)
    if incident.similar:
        seen = seen_before(incident.similar, incident.opened.at)
        yield f"{name}/similar", memory.similar_text(seen), memory.similar_note(seen)
    for tracked in incident.requests.values():
        asked = request_view(tracked, looks.approvers, incident.requests)
        slot = request_slot(name, asked.id)
        yield slot, request_text(asked), request_card(asked, pressed(asked.buttons))
        if asked.alarm is not None:  # edits are silent, and this must not be missed
            note = alarm_note(asked, asked.alarm)
            yield f"{name}/alarm/{asked.id}", alarm_text(asked, asked.alarm), note
        if asked.recovery is not None:
            end = pressed(ending(tracked, name, still_open=incident.open))
            note = recovery_note(asked, asked.recovery, end)
            yield f"{name}/recovery/{asked.id}", recovery_text(asked, asked.recovery), note
    if incident.postmortem is not None:
        blocks = memory.postmortem_message(name, incident.postmortem)
        yield f"{name}/postmortem", memory.postmortem_text(name), blocks
    for number, one in enumerate(incident.shared, start=1):
        blocks = memory.shared_message(name, one)
        yield f"{name}/shared/{number}", memory.postmortem_text(name), blocks
    if incident.draft is not None:
        draft = draft_view(incident.draft, name, decided=incident.draft_decided)
        shown = memory.draft_card(draft, pressed(draft.buttons))
        yield f"{name}/draft", memory.draft_text(draft), shown


def _card(
    name: str,
    incident: Incident,
    looks: Looks,
    token: Token,
    pressed: Callable[[Sequence[Button]], list[Pressed]],
) -> tuple[str, list[Block]]:
    if incident.finding is None:
        early = progress(incident, name)
        return progress_text(early), progress_card(early, pressed(early.buttons), looks.hosts)
    told = view(incident, name, looks.offered)
    proof = looks.audit(name)
    told = replace(told, footer=f"{told.footer} · {proof}" if proof else told.footer)
    judge = thumbs(*(token(Rate(incident=name, good=good)) for good in (True, False)))
    return card_text(told), card(told, pressed(told.buttons), looks.hosts, judge)
