"""Two incidents at once in two channels, ten people who write and press: nothing crosses over."""

import asyncio
import random
from functools import partial

import pytest
from office import Office
from slackrig import judged

from assistant.domain.action import Status
from assistant.domain.events import Approved, Denied, Steered
from assistant.domain.people import Actor, ActorKind

CHANNELS = {"checkout": 0, "search": 1}  # and the hour that people speak of there
ON_CALL, OTHERS = 6, 4
TURNS, REQUESTS = 6, 3
WAYS = ("back", "ledger", "queue")
DECIDED = (Status.FINISHED, Status.VERIFIED, Status.DENIED)


@pytest.fixture
async def slack():
    async with judged(burst=None) as slack:
        yield slack


def crowd(workspace):
    """Let ten people in, six of them on call, into two channels in which firstline is as well."""
    on_call = [workspace.add_user(f"oncall{n}") for n in range(ON_CALL)]
    others = [workspace.add_user(f"dev{n}") for n in range(OTHERS)]
    next(g for g in workspace.groups.values() if g.handle == "sre").members += [
        user.id for user in on_call
    ]
    for name in CHANNELS:
        workspace.add_channel(name, [*on_call, *others, workspace.bot])
    return [user.name for user in (*on_call, *others)]


class Room:
    """One incident in its channel, and what each person did there."""

    def __init__(self, office, channel):
        self.office, self.channel = office, channel
        self.lines, self.pressed = [], []

    async def begin(self, name):
        person = self.office.slack.person(name)
        self.thread = await person.say(self.channel, f"@firstline {self.channel} is slow")
        self.name = await self.office.slack.wait_for(self._shown)
        for way in WAYS[:REQUESTS]:
            call = {"service": self.channel, "peer": way}
            who = Actor(kind=ActorKind.HUMAN, id=person.id, name=name, team=person.user.team)
            answer, _ = await self.office.desk.requested(self.name, who, call)
            assert not answer.refused, answer.said
        waiting = partial(self.buttons, "oncall1")
        await self.office.slack.wait_for(lambda: len(waiting()) == 2 * REQUESTS)

    def _shown(self):
        board = self.office.desk.service.incidents()
        return next((n for n, s in board.items() if self.channel in s.opened.text), None)

    def messages(self, name):
        return self.office.slack.person(name).messages(self.channel, self.thread)

    def buttons(self, name):
        """Return every decision that this person sees, as (ts, action_id)."""
        return [
            (message.ts, element["action_id"])
            for message in self.messages(name)
            for block in message.blocks
            if "Approval needed" in message.text and block["type"] == "actions"
            for element in block["elements"]
        ]

    async def write(self, name):
        line = f"since {CHANNELS[self.channel]:02}:{len(self.lines):02}"
        self.lines.append(line)
        await self.office.slack.person(name).say(self.channel, line, thread=self.thread)

    async def press(self, name, dice):
        seen = self.buttons(name)
        if not seen:
            return
        ts, action = dice.choice(seen)
        person = self.office.slack.person(name)
        self.pressed.append(person.id)
        await person.click(self.channel, ts, action)
        if modal := person.modal():
            await person.submit(modal.id, {"reason": "not now"})


async def act(name, rooms):
    """Write in one room, press in another, again and again."""
    dice = random.Random(name)  # noqa: S311 — the same every time
    for _ in range(TURNS):
        room = dice.choice(rooms)
        if dice.random() < 0.5:
            await room.write(name)
        else:
            await room.press(name, dice)


def recorded(office, room, kind):
    return [r for r in office.desk.events(kind) if r.incident == room.name]


async def test_nothing_crosses_over_and_each_thread_keeps_its_order(slack, tmp_path):
    people, office = crowd(slack.workspace), Office(tmp_path, slack)
    async with office.running():
        rooms = [Room(office, channel) for channel in CHANNELS]
        await asyncio.gather(*map(Room.begin, rooms, people))
        await asyncio.gather(*(act(name, rooms) for name in people))
        for room in rooms:
            await office.over(room.name)
        for room in rooms:
            shown = partial(_told, room)
            await slack.wait_for(shown)
        assert sum(len(room.lines) for room in rooms) > len(people)
        assert sum(len(room.pressed) for room in rooms) > len(people)
        for room, other in (rooms, reversed(rooms)):
            said = [r.event.text for r in recorded(office, room, Steered)]
            assert said == room.lines
            decided = recorded(office, room, Approved) + recorded(office, room, Denied)
            assert decided
            assert {r.actor.id for r in decided} <= set(room.pressed)
            ours = [m for m in room.messages("ana") if m.app and not m.only_for]
            assert ours
            assert not [m.text for m in ours if other.name in m.text or other.channel in m.text]
            requests = office.desk.service.incident(room.name).requests.values()
            assert {r.request.target for r in requests} == {f"service/{room.channel}"}
        everything = [r for room in rooms for r in _requests(office, room)]
        assert office.desk.world.calls == sum(r.status in DECIDED[:2] for r in everything)


def _requests(office, room):
    return office.desk.service.incident(room.name).requests.values()


def _told(room):
    """Tell whether the last line is shown as taken into account."""
    return any(room.lines[-1] in m.text for m in room.messages("ana") if m.app)
