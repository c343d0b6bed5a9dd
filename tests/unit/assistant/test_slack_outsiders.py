"""People of another organisation in a shared channel (Slack Connect): they read, no more.

Slack says of them that they are no strangers; their team is what tells them apart.
"""

import pytest
from acting import ASKED
from conversing import explained, find, press
from slackdesk import LOOKS, Rig
from slackrig import judged
from written import NOON

from assistant.domain.events import Opened
from assistant.slack.local.workspace import Workspace

TOLD = "eve is from another workspace: only members of this workspace are heard."


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        shared = slack.workspace.channel_named("incidents")
        shared.foreign = True
        shared.members.append(slack.workspace.add_user("eve", team="T0ELSEWHERE").id)
        yield Rig(slack)


async def told(rig, times):
    """Wait until eve was told so many times, and each time the same."""
    await rig.slack.wait_for(lambda: len(rig.whispers("eve")) == times)
    assert set(rig.whispers("eve")) == {TOLD}
    assert rig.desk.taken == []
    assert TOLD not in [text for who in ("ana", "ben") for text in rig.whispers(who)]


@pytest.mark.parametrize(
    "text", ["freeze: release day", "thaw", "why is booking slow?", "status", "help"]
)
async def test_what_they_write_in_the_channel_is_refused(rig, text):
    async with rig.running():
        await rig.desk.happen("INC-7", Opened(at=NOON, text="secret ledger", service=None))
        await rig.slack.person("eve").say("incidents", f"@firstline {text}")
        await told(rig, 1)


@pytest.mark.parametrize(
    "text",
    ["not the database", "@firstline close: a drill", "@firstline stop", "@firstline reopen"],
)
async def test_what_they_write_in_the_thread_of_an_incident_is_refused(rig, text):
    async with rig.running():
        ts, _ = await explained(rig)
        await rig.slack.person("eve").say("incidents", text, thread=ts)
        await told(rig, 1)


async def test_they_can_neither_request_nor_approve_nor_reject(rig):
    async with rig.running():
        ts, card = await explained(rig)
        await press(rig, "eve", card, "Request")
        await told(rig, 1)
        await rig.desk.happen("INC-1", ASKED)
        asked = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
        await press(rig, "eve", asked, "Approve")
        await told(rig, 2)
        await press(rig, "eve", asked, "Reject")
        eve = rig.slack.person("eve")
        form = await rig.slack.wait_for(eve.modal)
        await eve.submit(form.id, {"reason": "me"})
        await told(rig, 3)


async def test_commands_of_theirs_are_refused(rig):
    async with rig.running():
        for text in ("status", "declare it is slow", "investigate it", "help"):
            await rig.slack.person("eve").slash("/firstline", text, "incidents")
        await told(rig, 4)


async def test_people_of_the_same_organisation_are_heard():
    workspace = Workspace(name="local", bot_name="firstline", enterprise="E0OURS")
    mia = workspace.add_user("mia", team="T0SIBLING", enterprise="E0OURS")
    workspace.add_channel("incidents", [mia, workspace.bot])
    async with judged(workspace, hosts=LOOKS.hosts, burst=None) as slack:
        rig = Rig(slack)
        async with rig.running():
            await slack.person("mia").say("incidents", "@firstline why is it slow?")
            await slack.wait_for(lambda: rig.desk.taken)
            assert rig.whispers("mia") == []
