"""Whoever acts in a form or a tab is answered, also where no channel would show it to them."""

from datetime import timedelta

import pytest
from acting import request
from conversing import explained, find, press_in
from slackdesk import LOOKS, Rig
from slackrig import judged

from assistant.answer import Answer
from assistant.commands import Approve, Deny, Investigate
from assistant.domain.events import ActionRequested
from assistant.slack.app import FAILED


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack)


def direct(rig, who):
    return [m.text for m in rig.slack.person(who).messages("@firstline")]


async def waiting(rig, **more):
    """Have a request wait, whose channel ben is not in."""
    ts, _ = await explained(rig)
    now = rig.clock.now()
    made = request(created=now, expires=now + timedelta(minutes=15), demo=True, **more)
    await rig.desk.happen("INC-1", ActionRequested(request=made, digest=made.digest))
    await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
    channel = rig.slack.workspace.channel_named("incidents")
    channel.members.remove(rig.slack.workspace.user_named("ben").id)


async def form_at_home(rig, label):
    ben = rig.slack.person("ben")
    await ben.open_home()
    await press_in(rig, "ben", await rig.slack.wait_for(ben.home), label)
    return await rig.slack.wait_for(ben.modal)


async def test_a_form_that_fails_gives_the_words_back_to_whoever_wrote_them(rig):
    async with rig.running():
        rig.desk.answers[Investigate] = RuntimeError("a fault of ours")
        ana = rig.slack.person("ana")
        await ana.slash("/firstline", "declare", "incidents")
        form = await rig.slack.wait_for(ana.modal)
        await ana.submit(form.id, {"what": "logins <fail>", "service": "front"})
        (said,) = await rig.slack.wait_for(lambda: direct(rig, "ana"))
        assert said == f"{FAILED} You wrote: logins &lt;fail&gt; / front"


async def test_a_press_in_the_home_tab_that_fails_is_told(rig):
    async with rig.running():
        await waiting(rig)
        rig.desk.answers[Approve] = RuntimeError("a fault of ours")
        ben = rig.slack.person("ben")
        await ben.open_home()
        await press_in(rig, "ben", await rig.slack.wait_for(ben.home), "Approve")
        assert await rig.slack.wait_for(lambda: direct(rig, "ben")) == [FAILED]


async def test_a_rejection_out_of_the_home_tab_is_answered_to_whoever_is_not_in_the_channel(rig):
    async with rig.running():
        await waiting(rig)
        rig.desk.answers[Deny] = Answer(incident="INC-1", said="Not done: it is over.")
        form = await form_at_home(rig, "Reject…")
        await rig.slack.person("ben").submit(form.id, {"reason": "not now"})
        assert await rig.slack.wait_for(lambda: direct(rig, "ben")) == ["Not done: it is over."]


async def test_a_review_out_of_the_home_tab_is_answered_to_whoever_is_not_in_the_channel(rig):
    async with rig.running():
        await waiting(rig, risk="high")
        rig.desk.answers[Approve] = Answer(incident="INC-1", said="Approved: it.")
        form = await form_at_home(rig, "Review and approve…")
        await rig.slack.person("ben").submit(form.id, {"typed": "ledger"})
        assert await rig.slack.wait_for(lambda: direct(rig, "ben")) == ["Approved: it."]


async def test_a_form_that_nobody_knows_any_more_is_answered(rig):
    async with rig.running():
        await waiting(rig)
        form = await form_at_home(rig, "Reject…")
        rig.tables.buttons.known.clear()
        await rig.slack.person("ben").submit(form.id, {"reason": "not now"})
        (said,) = await rig.slack.wait_for(lambda: direct(rig, "ben"))
        assert "no longer valid" in said
