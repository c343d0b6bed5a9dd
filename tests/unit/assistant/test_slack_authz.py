"""Who may approve, asked of a Slack on loopback."""

from dataclasses import replace

import pytest
from slackdesk import SCOPES
from slackrig import judged

from assistant.clock import SystemClock
from assistant.domain.people import Actor, ActorKind
from assistant.slack.authz import SlackApprovers
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.workspace import Workspace
from assistant.slack.people import People
from assistant.slack.transports import web_client


class Watch:
    """A clock that stands still until it is told otherwise."""

    seconds = 1_000.0

    def now(self):
        return SystemClock().now()

    def monotonic(self):
        return self.seconds


@pytest.fixture
async def slack():
    async with judged() as slack:
        yield slack


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def approvers(slack, watch):
    client = web_client(slack.bot_token, slack.api_url)
    return SlackApprovers(client, watch, People(client, watch), "@sre")


def actor(user):
    return Actor(kind=ActorKind.HUMAN, id=user.id, name=user.name, team=user.team)


def group(slack):
    return next(iter(slack.workspace.groups.values()))


async def test_members_of_the_group_may(slack, approvers):
    assert await approvers.refusal(actor(slack.person("ana").user)) is None
    assert approvers.said == "@sre"


async def test_the_group_is_called_by_the_id_that_slack_gives(slack, approvers):
    assert approvers.group() == ""
    await approvers.find()
    assert approvers.group() == group(slack).id


async def test_where_slack_does_not_say_which_group_it_is_nobody_is_called(slack, approvers):
    slack.faults.add(Fault(method="usergroups.list", failure=Failure.ERROR))
    await approvers.find()
    assert approvers.group() == ""
    slack.workspace.groups.clear()
    await approvers.find()
    assert approvers.group() == ""


async def test_a_group_that_only_a_rule_names_is_not_the_usual_one(slack, approvers):
    dba = slack.workspace.add_group("dba", [slack.person("cleo").user])
    assert await approvers.refusal(actor(slack.person("cleo").user), group="dba") is None
    assert approvers.group() != dba.id


async def test_others_may_not(slack, approvers):
    said = await approvers.refusal(actor(slack.person("cleo").user))
    assert said == "Only members of @sre may approve."


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ({"bot": True}, "a bot"),
        ({"restricted": True}, "a guest"),
        ({"team": "T0ELSEWHERE"}, "another workspace"),
        ({"deleted": True}, "deactivated"),
    ],
)
async def test_nobody_who_is_no_colleague_may_even_in_the_group(slack, approvers, flags, word):
    odd = slack.workspace.add_user("odd", **flags)
    slack.workspace.channel_named("incidents").members.append(odd.id)
    group(slack).members.append(odd.id)
    said = await approvers.refusal(actor(odd))
    assert word in said
    assert said.endswith("may not approve.")


async def test_nobody_of_another_workspace_can_claim_ours(slack, approvers):
    eve = slack.workspace.add_user("eve", team="T0ELSEWHERE")
    group(slack).members.append(eve.id)
    forged = replace(actor(eve), team=slack.workspace.team)
    assert "another workspace" in await approvers.refusal(forged)


async def test_on_enterprise_grid_people_of_the_same_organisation_may(watch):
    workspace = Workspace(name="local", bot_name="firstline", enterprise="E0OURS")
    ours = workspace.add_user("mia", team="T0SIBLING", enterprise="E0OURS")
    theirs = workspace.add_user("eve", team="T0ELSEWHERE", enterprise="E0THEIRS")
    workspace.add_group("sre", [ours, theirs])
    async with judged(workspace) as slack:
        client = web_client(slack.bot_token, slack.api_url)
        approvers = SlackApprovers(client, watch, People(client, watch), "sre")
        assert await approvers.refusal(actor(ours)) is None
        assert "another workspace" in await approvers.refusal(actor(theirs))


async def test_members_are_believed_for_a_minute_and_asked_anew_before_it_counts(
    slack, approvers, watch
):
    ana = slack.person("ana").user
    assert await approvers.refusal(actor(ana)) is None
    group(slack).members.remove(ana.id)
    assert await approvers.refusal(actor(ana)) is None
    assert await approvers.refusal(actor(ana), fresh=True) is not None
    group(slack).members.append(ana.id)
    watch.seconds += 61
    assert await approvers.refusal(actor(ana)) is None


@pytest.mark.parametrize("method", ["users.info", "usergroups.list", "usergroups.users.list"])
async def test_without_slack_nobody_may(slack, approvers, method):
    slack.faults.add(Fault(method=method, failure=Failure.ERROR))
    said = await approvers.refusal(actor(slack.person("ana").user))
    assert said.startswith("Nobody can approve while Slack does not say who may.")


async def test_a_group_that_is_not_there_is_said(slack, watch):
    client = web_client(slack.bot_token, slack.api_url)
    approvers = SlackApprovers(client, watch, People(client, watch), "nobody-home")
    said = await approvers.refusal(actor(slack.person("ana").user))
    assert "There is no user group @nobody-home" in said


async def test_a_scope_that_is_missing_is_named(watch):
    async with judged(scopes=SCOPES - {"usergroups:read"}) as slack:
        client = web_client(slack.bot_token, slack.api_url)
        approvers = SlackApprovers(client, watch, People(client, watch), "sre")
        assert "usergroups:read is missing" in await approvers.refusal(
            actor(slack.person("ana").user)
        )
