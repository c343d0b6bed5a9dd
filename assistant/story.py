"""The people of the in-process workspace: they read what is posted and press what is there.

They have no other way in: a step that firstline does not show cannot be taken. What they see is
what the local page and a terminal show, and what a test can read.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from assistant.actions.approval import careful
from assistant.domain.incident import Incident
from assistant.service import Service
from assistant.slack.blocks.review import FIELD
from assistant.slack.local.people import Message, View
from assistant.slack.local.slack import LocalSlack
from assistant.views import REQUESTS_SHOWN
from connectors.demo import DemoError

CHANNEL = "incidents"
REQUESTER, APPROVER, OUTSIDER = "ana", "ben", "cleo"
WHO_MAY_NOT = (REQUESTER, OUTSIDER)  # she asked for it; the other is not on call
READ_S = 20.0  # how long a person waits for something to appear
READ_STEP_S = 0.5
QUIET_S = 2.0  # longer than the pace of messages in a channel
EFFECT_S = 120.0  # how long an action and the look at its effect may take
MOST_ACTIONS = 3  # how many steps of a plan are tried before people give up

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """How an incident was ended: seconds from its alert, and what people did on the way."""

    incident: str
    recovered: bool
    seconds: float | None
    tried: int
    refused: tuple[str, ...]


class People:
    """Acts out what a team on call would do in the thread of an incident."""

    def __init__(self, slack: LocalSlack, service: Service, say: Say) -> None:
        self._slack = slack
        self._service = service
        self._say = say
        self._curious = True  # who may not approve tries it once
        service.watch(self._noticed)

    async def _noticed(self, *_: object) -> None:
        """Look again after each event, as whoever sits before the screen does."""
        self._slack.changes().note()

    async def solve(self, incident: str) -> Solved:
        """Try the plan's actions until the evidence is as before; others approve them.

        People read a plan before they act: `READ_STEP_S` for each of its steps.
        """
        plan = self._state(incident).plan
        await asyncio.sleep(READ_STEP_S * len(plan.steps) if plan else 0.0)
        refused: list[str] = []
        tried = 0
        skipped = 0
        while tried < MOST_ACTIONS:
            before = set(self._state(incident).requests)
            told = {m.ts for m in self._refusals(REQUESTER)}
            if not await self._ask_for_step(skipped):
                break
            await self._until(partial(self._answered, incident, before, told))
            new = set(self._state(incident).requests) - before
            if not new:  # what the plan names cannot be done here: people go on to the next step
                self._say(f"{REQUESTER} is told: {self._refusals(REQUESTER)[-1].text}")
                skipped += 1
                continue
            tried += 1
            request = new.pop()
            self._say(
                f"{REQUESTER} asks: {self._state(incident).requests[request].request.summary}"
            )
            if self._curious:
                refused += [
                    await self._try_to_approve(name, incident, request) for name in WHO_MAY_NOT
                ]
                self._curious = False
            await self._approve(APPROVER, incident, request)
            self._say(f"{APPROVER} approves it")
            await self._until(partial(self._over, incident, request), EFFECT_S)
            self._tell(incident, request)
            if self._state(incident).resolved_by is not None:
                break
        state = self._state(incident)
        resolved = state.resolved_by
        seconds = None
        if resolved is not None and resolved.finished is not None:
            assert resolved.recovery is not None  # noqa: S101 — resolved means measured
            waited = (resolved.finished - state.opened.at).total_seconds()
            seconds = round(waited + resolved.recovery.seconds, 1)
        return Solved(
            incident=incident,
            recovered=resolved is not None,
            seconds=seconds,
            tried=tried,
            refused=tuple(refused),
        )

    async def learn(self, incident: str) -> bool:
        """Close the incident, read the postmortem, accept the runbook; false where none came.

        What has not recovered is left open.
        """
        if self._state(incident).resolved_by is None:
            return False
        await self._press(REQUESTER, "Close")
        self._say(f"{REQUESTER} closes {incident}")
        await self._until(lambda: self._state(incident).postmortem is not None)
        await self._press(APPROVER, "Accept")
        self._say(f"{APPROVER} accepts the runbook")
        await self._until(lambda: self._state(incident).over)
        return True

    async def read(self) -> None:
        """Read on until nothing new appears."""
        await self._slack.changes().quiet(QUIET_S)

    async def _approve(self, name: str, incident: str, request: str) -> None:
        """Press Approve; where the risk is high, read the request and type its target's name."""
        asked = self._state(incident).requests[request].request
        if not careful(asked):
            await self._press(name, "Approve")
            return
        await self._press(name, "Review and approve")
        person = self._slack.person(name)
        form = await self._slack.wait_for(person.modal, READ_S)
        await person.submit(form.id, {FIELD: asked.target_name})

    async def _try_to_approve(self, name: str, incident: str, request: str) -> str:
        """Press Approve although it will be refused; return what the person is told privately."""
        person = self._slack.person(name)
        before = {m.ts for m in self._refusals(name)}
        await self._approve(name, incident, request)
        told = await self._slack.wait_for(
            lambda: next((m for m in self._refusals(name) if m.ts not in before), None), READ_S
        )
        self._say(f"{person.user.name} tries to approve it and is told: {told.text}")
        return told.text

    def _refusals(self, name: str) -> list[Message]:
        """Return what was refused to a person, in messages that nobody else sees."""
        return [m for m in self._all(name) if m.only_for and m.text.startswith("Not done")]

    async def _ask_for_step(self, skipped: int) -> bool:
        """Press a step's button: on the card, and where that has no more of them in the plan."""
        if skipped < REQUESTS_SHOWN:
            return await self._press_new(REQUESTER, "Request", skipped)
        await self._press(REQUESTER, "Review plan")
        person = self._slack.person(REQUESTER)
        try:
            plan, button = await self._slack.wait_for(partial(self._in_modal, "Request"), READ_S)
        except TimeoutError:
            return False
        await person.click_in_view(plan.id, button["action_id"])
        await person.close(plan.id)
        return True

    def _in_modal(self, label: str) -> tuple[View, Mapping[str, Any]] | None:
        """Return the first button of the open modal that begins with a label."""
        view = self._slack.person(REQUESTER).modal()
        found = _buttons(view.content["blocks"]) if view is not None else ()
        return next(((view, b) for b in found if view and _label(b).startswith(label)), None)

    async def _press(self, name: str, label: str) -> None:
        if not await self._press_new(name, label, 0):
            raise DemoError(f"no button {label} appeared in the thread")

    async def _press_new(self, name: str, label: str, place: int) -> bool:
        """Press the `place`th button that begins with a label, newest message first."""
        try:
            message, button = await self._slack.wait_for(
                lambda: self._button(name, label, place), READ_S
            )
        except TimeoutError:
            return False
        await self._slack.person(name).click(
            CHANNEL, message.ts, button["action_id"], block_id=button["block_id"]
        )
        return True

    def _button(
        self, name: str, label: str, place: int
    ) -> tuple[Message, Mapping[str, Any]] | None:
        found = [
            (message, button)
            for message in reversed(self._all(name))
            for button in _buttons(message.blocks)
            if _label(button).startswith(label)
        ]
        return found[place] if place < len(found) else None

    def _all(self, name: str) -> list[Message]:
        person = self._slack.person(name)
        top = person.messages(CHANNEL)
        threads = [m for t in top for m in person.messages(CHANNEL, t.ts)]
        return sorted({m.ts: m for m in (*top, *threads)}.values(), key=lambda m: m.ts)

    async def _until(self, done: Callable[[], bool], patience_s: float = READ_S) -> None:
        try:
            await self._slack.wait_for(lambda: done() or None, patience_s)
        except TimeoutError as error:
            raise DemoError(f"nothing happened within {patience_s:.0f} s") from error

    def _answered(self, incident: str, requests: set[str], told: set[str]) -> bool:
        made = set(self._state(incident).requests) - requests
        return bool(made or {m.ts for m in self._refusals(REQUESTER)} - told)

    def _over(self, incident: str, request: str) -> bool:
        tracked = self._state(incident).requests[request]
        return tracked.recovery is not None or tracked.why is not None

    def _tell(self, incident: str, request: str) -> None:
        tracked = self._state(incident).requests[request]
        if tracked.recovery is None:
            self._say(f"it was not done: {tracked.why}")
            return
        word = tracked.recovery.effect.value.replace("_", " ")
        self._say(f"measured again: {word}: {tracked.recovery.why}")

    def _state(self, incident: str) -> Incident:
        state = self._service.incident(incident)
        if state is None:
            raise DemoError(f"there is no incident {incident}")
        return state


def _label(button: Mapping[str, Any]) -> str:
    return str(button["text"]["text"])


def _buttons(blocks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return every button with the id of its block."""
    for block in blocks:
        parts = [*block.get("elements", ()), block.get("accessory")]
        for part in parts:
            if isinstance(part, Mapping) and part.get("type") == "button":
                yield {**part, "block_id": block["block_id"]}
        yield from _buttons(block.get("child_blocks", ()))
