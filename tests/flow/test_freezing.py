"""A freeze and a thaw count by when they were said, however late and often they are told."""

from datetime import timedelta

import pytest
from desk import Desk
from office import connected, on_call
from slackrig import judged
from world import CLEO

from assistant.commands import Freeze, Thaw
from assistant.domain.brake import Frozen, Thawed
from assistant.journal.codec import EVENTS
from assistant.store.database import StoreError
from assistant.store.inbox import Inbox

THAWS, FREEZES = "@firstline thaw", "@firstline freeze: release day"


class Full(Inbox):
    """On a disk that is full when the first two are to be noted as done."""

    full = 2

    def done(self, key):
        if self.full:
            self.full -= 1
            raise StoreError("The disk is full: make room.")
        super().done(key)


@pytest.fixture
async def desk(tmp_path):
    return Desk(tmp_path / "f.db", seen=False)


def words(desk):
    """Return what was said of all actions, in the order in which it counted."""
    return [type(record.event) for record in desk.events(Frozen | Thawed)]


@pytest.mark.parametrize(
    ("said", "counted", "frozen"),
    [
        ((FREEZES, THAWS, FREEZES), [Frozen, Thawed, Frozen], True),
        ((THAWS, FREEZES, THAWS), [Thawed, Frozen, Thawed], False),
    ],
)
async def test_what_could_not_be_noted_as_done_undoes_no_newer_word_at_the_next_start(
    desk, said, counted, frozen
):
    async with judged(burst=None) as slack:
        cleo = slack.person("cleo")
        async with on_call(desk, connected(slack), inbox=Full):
            for number, word in enumerate(said, start=1):
                await cleo.say("incidents", word)
                await slack.wait_for(lambda n=number: len(words(desk)) == n)
            await slack.settled()
        async with on_call(desk, connected(slack)):

            def refused():
                told = [m.text for m in cleo.messages("incidents") if m.only_for]
                return [text for text in told if "Not done: after that cleo" in text]

            assert len(await slack.wait_for(lambda: len(refused()) == 2 and refused())) == 2
            assert words(desk) == counted
            incident, _ = await desk.opened()
            answer, _ = await desk.requested(incident)
            assert answer.refused is frozen
            await slack.settled()


@pytest.mark.parametrize("kind", [Freeze, Thaw])
async def test_a_word_that_is_told_twice_counts_once_and_is_answered_twice(desk, kind):
    async with desk.open():
        at = desk.clock.now()
        word = Freeze(reason="audit", said=at) if kind is Freeze else Thaw(said=at)
        answers = [await desk.service.submit(word, CLEO) for _ in range(2)]
        assert answers[0] == answers[1]
        assert not answers[0].refused
        assert len(words(desk)) == 1


async def test_a_word_that_comes_late_is_refused_with_who_said_what_since(desk):
    async with desk.open():
        at = desk.clock.now()
        await desk.service.submit(Freeze(reason="audit", said=at), CLEO)
        late = await desk.service.submit(Thaw(said=at - timedelta(seconds=1)), CLEO)
        assert late.refused
        assert late.said == (
            f'Not done: after that cleo said "freeze", at {at:%H:%M:%S} UTC; say it again if you '
            "still want it."
        )
        assert not (await desk.service.submit(Thaw(said=at + timedelta(seconds=1)), CLEO)).refused


async def test_a_freeze_of_an_older_journal_can_be_lifted(desk):
    by = '{"by":{"kind":"human","id":"U1","name":"cleo","team":"T1","simulated":false}'
    frozen = EVENTS.decode(f'{{"Frozen":{by},"reason":"audit"}}}}'.encode())
    thawed = EVENTS.decode(f'{{"Thawed":{by}}}}}'.encode())
    async with desk.open():
        desk.journal.append("", CLEO, [frozen, thawed, frozen])
    async with desk.open():
        incident, _ = await desk.opened()
        assert "frozen by cleo (audit)" in (await desk.requested(incident))[0].said
        answer = await desk.service.submit(Thaw(said=desk.clock.now()), CLEO)
        assert not answer.refused
        assert not (await desk.requested(incident))[0].refused
