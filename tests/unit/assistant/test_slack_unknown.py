"""While Slack does not say who somebody is, nothing of theirs counts that somebody else must do.

On Enterprise Grid one person may have two accounts, and only Slack can tell.
"""

from functools import partial

import pytest
from acting import ASKED, REQUEST
from conversing import explained, find, press
from slackdesk import LOOKS, Rig
from slackrig import judged

from assistant.commands import Approve, Deny, Investigate, RequestStep
from assistant.domain.people import Actor
from assistant.slack.local.faults import Failure, Fault, Outage
from assistant.slack.local.workspace import Workspace

AGAIN = "Not done, since Slack does not say who you are: try again."
SILENT = Outage(methods=frozenset({"users.info"}), sockets=False)


@pytest.fixture
async def rig():
    workspace = Workspace(name="local", bot_name="firstline", enterprise="E0OURS")
    people = [workspace.add_user(name) for name in ("ana", "ben", "cleo")]
    people.append(workspace.add_user("gus", restricted=True))
    people.append(workspace.add_user("ana2", same_as=people[0]))
    workspace.add_channel("incidents", [*people, workspace.bot])
    workspace.add_group("sre", people)
    async with judged(workspace, hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack)


async def asked(rig):
    """Let the card of a request stand; returns it, and the thread."""
    ts, _ = await explained(rig)
    await rig.desk.happen("INC-1", ASKED)
    return await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))


def refused(rig, who):
    return [text for text in rig.whispers(who) if text.startswith(AGAIN)]


async def test_a_request_is_refused_and_taken_once_slack_says_who_it_is(rig):
    async with rig.running():
        _, card = await explained(rig)
        with rig.slack.faults.standing(SILENT):
            rig.desk.taken.clear()
            await press(rig, "cleo", card, "Request")
            await rig.slack.wait_for(partial(refused, rig, "cleo"))
            assert rig.desk.taken == []
        await press(rig, "cleo", card, "Request")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, actor = rig.desk.taken[0]
        assert isinstance(command, RequestStep)
        assert actor.subject


async def test_an_approval_is_refused_and_a_no_is_heard(rig):
    async with rig.running():
        card = await asked(rig)
        with rig.slack.faults.standing(SILENT):
            await press(rig, "cleo", card, "Approve")
            await rig.slack.wait_for(partial(refused, rig, "cleo"))
            assert rig.desk.taken == []
            cleo = rig.slack.person("cleo")
            await press(rig, "cleo", card, "Reject")
            form = await rig.slack.wait_for(cleo.modal)
            await cleo.submit(form.id, {"reason": "not now"})
            await rig.slack.wait_for(lambda: rig.desk.taken)
            assert isinstance(rig.desk.taken[0][0], Deny)


async def test_a_question_is_heard(rig):
    async with rig.running():
        with rig.slack.faults.standing(SILENT):
            await rig.slack.person("ben").say("incidents", "@firstline why is booking slow?")
            await rig.slack.wait_for(lambda: rig.desk.taken)
            assert isinstance(rig.desk.taken[0][0], Investigate)


async def test_a_guest_whom_slack_is_silent_about_once_asks_for_nothing(rig):
    async with rig.running():
        _, card = await explained(rig)
        rig.slack.faults.add(Fault(method="users.info", failure=Failure.ERROR))
        await press(rig, "gus", card, "Request")
        await rig.slack.wait_for(partial(refused, rig, "gus"))
        assert rig.desk.taken == []


async def test_two_accounts_of_one_person_are_one(rig):
    async with rig.running():
        card = await asked(rig)
        for number, who in enumerate(("ana", "ana2", "ben"), start=1):
            await press(rig, who, card, "Approve")
            await rig.slack.wait_for(lambda n=number: len(rig.desk.taken) == n)
        ana, again, ben = (actor for _, actor in rig.desk.taken)
        assert all(isinstance(command, Approve) for command, _ in rig.desk.taken)
        assert Actor.same_person(ana, again)
        assert not Actor.same_person(ana, ben)
        assert REQUEST.id == rig.desk.taken[0][0].request
