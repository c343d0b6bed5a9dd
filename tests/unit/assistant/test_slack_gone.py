"""Cards that somebody deletes: what waits is shown again, what is over is not."""

import pytest
from acting import ASKED, BEN, REQUEST
from conversing import explained, find
from slackdesk import LOOKS, Rig
from slackrig import judged

from assistant.domain.events import Denied
from assistant.slack.local.interactions import NotThere


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        slack.workspace.add_user("ada", admin=True)
        ada = slack.person("ada")
        slack.workspace.channel_named("incidents").members.append(ada.id)
        yield Rig(slack)


async def asked(rig):
    ts, _ = await explained(rig)
    await rig.desk.happen("INC-1", ASKED)
    return ts, await rig.slack.wait_for(lambda: waiting(rig, ts))


def waiting(rig, ts):
    return find(rig.messages(thread=ts), "Approval needed")


async def test_a_waiting_card_that_is_deleted_is_posted_again_with_its_buttons(rig):
    async with rig.running():
        ts, card = await asked(rig)
        rig.slack.person("ada").delete("incidents", card.ts)
        again = await rig.slack.wait_for(lambda: waiting(rig, ts))
        assert again.ts != card.ts
        await rig.slack.person("ben").click("incidents", again.ts, "do:0")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.desk.taken[0][0].digest == REQUEST.digest


async def test_a_card_that_was_deleted_meanwhile_is_posted_at_the_next_start(rig):
    async with rig.running():
        ts, card = await asked(rig)
        await rig.settled()
    rig.slack.workspace.remove(card)
    rig.desk.watchers.clear()
    async with rig.running():
        again = await rig.slack.wait_for(lambda: waiting(rig, ts))
        assert again.ts != card.ts


async def test_what_was_decided_stays_deleted(rig):
    async with rig.running():
        ts, _ = await asked(rig)
        await rig.desk.happen("INC-1", Denied(request=REQUEST.id, by=BEN, reason="no"))
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Rejected"))
        await rig.settled()
        rig.slack.person("ada").delete("incidents", card.ts)
        await rig.slack.person("ana").say("incidents", "@firstline status")
        await rig.slack.wait_for(lambda: rig.whispers("ana"))
        assert find(rig.messages(thread=ts), "Rejected") is None


async def test_who_is_no_administrator_deletes_only_what_they_wrote(rig):
    async with rig.running():
        _, card = await asked(rig)
        with pytest.raises(NotThere):
            rig.slack.person("ben").delete("incidents", card.ts)
