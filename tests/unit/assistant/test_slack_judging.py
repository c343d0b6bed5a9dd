"""What people say of an answer: thumbs under it, and what it really was."""

from dataclasses import replace

import pytest
from acting import BEN
from conversing import explained, find, press, words
from slackdesk import LOOKS, Rig
from slackrig import judged
from written import finding

from assistant.answer import Answer
from assistant.commands import CorrectCause, Rate
from assistant.domain.judgement import CauseCorrected
from assistant.slack.blocks.feedback import cause_form
from assistant.slack.check import view_faults
from assistant.slack.local.faults import Failure, Fault


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack)


def thumb(card, which):
    rows = [b for b in card.blocks if b["type"] == "context_actions"]
    return rows[0]["elements"][0][f"{which}_button"]["value"]


def test_the_form_offers_what_was_seen_and_leaves_out_what_slack_would_refuse():
    names = {f"service-{n:03d}" for n in range(150)} | {"x" * 151}
    view = cause_form("INC-1", names, "token")
    assert view_faults(view) == []
    assert len(view["blocks"][0]["element"]["options"]) == 100
    assert view_faults(cause_form("INC-1", frozenset(), "token")) == []


async def test_a_thumb_up_is_recorded_and_thanked_for(rig):
    async with rig.running():
        _, card = await explained(rig)
        rig.desk.answers[Rate] = Answer(incident="INC-1", said="Thank you, noted.")
        cleo = rig.slack.person("cleo")
        await cleo.click("incidents", card.ts, "rate", option=thumb(card, "positive"))
        await rig.slack.wait_for(lambda: rig.whispers("cleo") == ["Thank you, noted."])
        command, actor = rig.desk.taken[0]
        assert command == Rate(incident="INC-1", good=True)
        assert actor.name == "cleo"
        assert cleo.modal() is None


async def test_a_thumb_down_asks_what_it_was(rig):
    async with rig.running():
        _, card = await explained(rig)
        cleo = rig.slack.person("cleo")
        await cleo.click("incidents", card.ts, "rate", option=thumb(card, "negative"))
        form = await rig.slack.wait_for(cleo.modal)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.desk.taken[0][0] == Rate(incident="INC-1", good=False)
        assert "Where was it?" in words(form.content)


@pytest.mark.parametrize(
    ("values", "service", "text"),
    [
        ({"service": "front"}, "front", ""),
        ({"text": "a full <disk>"}, "", "a full <disk>"),
        ({"service": "ledger", "text": "its cache"}, "ledger", "its cache"),
    ],
)
async def test_who_knows_better_says_what_it_was(rig, values, service, text):
    async with rig.running():
        ts, card = await explained(rig)
        await press(rig, "ben", card, "Wrong cause")
        ben = rig.slack.person("ben")
        form = await rig.slack.wait_for(ben.modal)
        await ben.submit(form.id, values)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        said = CorrectCause(incident="INC-1", service=service, text=text)
        assert rig.desk.taken[0][0] == said
        await rig.desk.happen("INC-1", CauseCorrected(by=BEN, service=service, text=text))
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Noted: "))


async def test_a_thumb_down_counts_where_its_form_does_not_open(rig):
    async with rig.running():
        _, card = await explained(rig)
        rig.desk.answers[Rate] = Answer(incident="INC-1", said="Noted.")
        cleo = rig.slack.person("cleo")
        rig.slack.faults.add(Fault(method="views.open", failure=Failure.ERROR))
        await cleo.click("incidents", card.ts, "rate", option=thumb(card, "negative"))
        (said,) = await rig.slack.wait_for(lambda: rig.whispers("cleo"))
        assert said.startswith("Noted. The form could not be opened.")
        assert [command for command, _ in rig.desk.taken] == [Rate(incident="INC-1", good=False)]


@pytest.mark.parametrize("which", ["positive", "negative"])
async def test_a_guest_is_told_that_only_members_are_heard_and_is_asked_nothing(rig, which):
    async with rig.running():
        _, card = await explained(rig, found=finding())
        gus = rig.slack.person("gus")
        await gus.click("incidents", card.ts, "rate", option=thumb(card, which))
        (said,) = await rig.slack.wait_for(lambda: rig.whispers("gus"))
        assert "only members" in said
        assert gus.modal() is None
        assert rig.desk.taken == []


async def test_who_has_become_a_guest_since_the_form_was_opened_is_not_heard(rig):
    async with rig.running():
        _, card = await explained(rig)
        await press(rig, "ben", card, "Wrong cause")
        ben = rig.slack.person("ben")
        form = await rig.slack.wait_for(ben.modal)
    rig.desk.watchers.clear()
    people = rig.slack.workspace.users
    people[ben.id] = replace(people[ben.id], restricted=True)
    async with rig.running():
        await ben.submit(form.id, {"text": "me"})
        (said,) = await rig.slack.wait_for(lambda: rig.whispers("ben"))
        assert "only members" in said
        assert rig.desk.taken == []
