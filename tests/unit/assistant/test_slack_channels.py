"""Channels of the settings, found by their names with nothing but what the manifest grants."""

from math import ceil

import pytest
from slackrig import judged

from assistant.slack.channels import PAGE, channel_ids
from assistant.slack.errors import SlackError
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.people import Kind
from assistant.slack.transports import web_client


@pytest.fixture
async def slack():
    async with judged() as slack:
        yield slack


@pytest.fixture
def client(slack):
    return web_client(slack.bot_token, slack.api_url)


def crowd(slack, many):
    """Add channels until there are so many, and return their ids by name."""
    workspace = slack.workspace
    ana = workspace.user_named("ana")
    for number in range(many - len(workspace.channels)):
        workspace.add_channel(f"team-{number}", [ana])
    return {channel.name: channel.id for channel in workspace.channels.values()}


def calls(slack, method):
    return len([made for made in slack.office.calls if made.method == method])


async def test_a_channel_is_found_by_its_name_and_by_its_id(slack, client):
    known = slack.workspace.channel_named("incidents").id
    assert await channel_ids(client, ["#incidents", known]) == {"#incidents": known, known: known}


async def test_all_are_found_in_one_pass_that_ends_with_the_last_of_them(slack, client):
    known = crowd(slack, 5 * PAGE)
    names = list(known)[:2] + list(known)[PAGE : PAGE + 4] + list(known)[2 * PAGE : 2 * PAGE + 2]
    assert await channel_ids(client, names) == {name: known[name] for name in names}
    assert calls(slack, "conversations.list") == 3


async def test_for_an_id_no_other_channel_is_looked_at(slack, client):
    last = [*crowd(slack, 5 * PAGE).values()][-1]
    assert await channel_ids(client, [last]) == {last: last}
    assert calls(slack, "conversations.list") == 0


async def test_where_slack_asks_to_wait_it_waits_and_goes_on(slack, client):
    known = crowd(slack, 2 * PAGE)
    last = [*known][-1]
    slack.faults.add(
        Fault(method="conversations.info", failure=Failure.RATE_LIMITED, seconds=1),
        Fault(method="conversations.list", failure=Failure.RATE_LIMITED, seconds=1),
    )
    began = slack.office.clock.monotonic()
    assert set(await channel_ids(client, [last, known["incidents"]])) == {last, known["incidents"]}
    assert slack.office.clock.monotonic() - began >= 2
    assert calls(slack, "conversations.list") == ceil(len(known) / PAGE)


async def test_where_slack_asks_to_wait_for_too_long_that_is_said_at_once(slack, client):
    slack.faults.add(
        Fault(method="conversations.list", failure=Failure.RATE_LIMITED, seconds=3_600)
    )
    with pytest.raises(SlackError, match=r"wait .* name the channels .* by their ids"):
        await channel_ids(client, ["#incidents"])


async def test_a_channel_that_is_not_there_is_one_sentence(slack, client):
    workspace = slack.workspace
    ana, gone = workspace.user_named("ana"), workspace.channel_named("general")
    secret = workspace.add_channel("secret", [ana, workspace.bot], kind=Kind.PRIVATE)
    gone.archived = True
    for name in ("#nowhere", "C0NOWHERE0", secret.id, gone.id):
        with pytest.raises(SlackError, match=f"no public channel #?{name}: create it"):
            await channel_ids(client, [name])
    assert calls(slack, "conversations.list") == 1  # an id is not looked for among the names


async def test_a_wrong_token_is_one_sentence(slack):
    client = web_client("xoxb-wrong", slack.api_url)
    for name in ("#incidents", "C000000001"):
        with pytest.raises(SlackError, match="invalid_auth"):
            await channel_ids(client, [name])
