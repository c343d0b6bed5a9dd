"""The approvers are called to a request that waits for them: once, and to nothing else."""

from dataclasses import replace

import pytest
from acting import ASKED, BEN, REQUEST, request, started
from conversing import explained, find
from slackdesk import LOOKS, Rig
from slackrig import judged
from test_slack_gone import waiting

from assistant.domain.action import Mandate
from assistant.domain.events import ActionRequested, Approved, Denied
from assistant.slack.local.faults import Failure, Fault


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        slack.workspace.add_user("ada", admin=True)
        slack.workspace.channel_named("incidents").members.append(slack.person("ada").id)
        rig = Rig(slack)
        [rig.sre] = slack.workspace.groups
        rig.looks = replace(LOOKS, group=lambda: rig.sre)
        yield rig


def calls(rig):
    """Return the posts and edits that mention a group in their text or blocks, by method."""
    made = [c for c in rig.slack.office.calls if c.method.startswith("chat.") and not c.error]
    named = (f"<!subteam^{rig.sre}>", f"'usergroup_id': '{rig.sre}'")
    return [c.method for c in made if any(name in str(c.args) for name in named)]


async def asked(rig, event=ASKED):
    ts, _ = await explained(rig)
    await rig.desk.happen("INC-1", event)
    return ts, await rig.slack.wait_for(lambda: waiting(rig, ts))


async def test_a_request_that_waits_calls_the_approvers_in_its_first_post(rig):
    async with rig.running():
        ts, card = await asked(rig)
        assert card.text.endswith(f" <!subteam^{rig.sre}>")
        assert card.text.startswith("Approval needed: Roll ledger back")
        part = card.blocks[1]["elements"][0]["elements"][0]
        assert part == {"type": "usergroup", "usergroup_id": rig.sre}
        await rig.desk.happen("INC-1", Denied(request=REQUEST.id, by=BEN, reason="no"))
        over = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Rejected"))
        assert over.ts == card.ts
        assert calls(rig) == ["chat.postMessage"]


async def test_an_edit_while_it_waits_calls_nobody(rig):
    two = request(mandate=Mandate(policy="p" * 64, rule="change", approvals=2))
    async with rig.running():
        ts, _ = await asked(rig, ActionRequested(request=two, digest=two.digest))
        yes = replace(started(two)[1].approval, digest=two.digest)
        await rig.desk.happen("INC-1", Approved(request=two.id, approval=yes))
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approved by ben"))
        assert calls(rig) == ["chat.postMessage"]


async def test_a_card_that_is_posted_again_calls_nobody_again(rig):
    async with rig.running():
        ts, card = await asked(rig)
        rig.slack.person("ada").delete("incidents", card.ts)
        again = await rig.slack.wait_for(lambda: waiting(rig, ts))
        assert again.ts != card.ts
        assert calls(rig) == ["chat.postMessage"]


async def test_a_post_whose_answer_was_lost_calls_once(rig):
    async with rig.running():
        await explained(rig)
        await rig.slack.settled()
        rig.slack.faults.add(Fault(method="chat.postMessage", failure=Failure.LOST_ANSWER))
        await rig.desk.happen("INC-1", ASKED)
        await rig.slack.wait_for(
            lambda: (
                (kept := rig.tables.messages.rows.get("INC-1/request/r-1")) and kept.state == "sent"
            )
        )
    assert calls(rig) == ["chat.postMessage"]


@pytest.mark.parametrize(
    ("group", "mandate"),
    [("", REQUEST.mandate), ("S", replace(REQUEST.mandate, group="dba"))],
)
async def test_where_the_group_is_not_known_or_only_named_by_a_rule_it_is_words(
    rig, group, mandate
):
    rig.looks = replace(LOOKS, group=lambda: group and rig.sre)
    made = request(mandate=mandate)
    async with rig.running():
        _, card = await asked(rig, ActionRequested(request=made, digest=made.digest))
        assert f"@{mandate.group or 'sre'}, and not ana, who asked" in str(card.blocks)
        assert calls(rig) == []


async def test_what_does_not_wait_any_more_when_it_is_shown_calls_nobody(rig):
    async with rig.running():
        ts, _ = await explained(rig)
        no = Denied(request=REQUEST.id, by=BEN, reason="no")
        rig.slack.faults.add(Fault(method="chat.postMessage", failure=Failure.ERROR))
        await rig.desk.happen("INC-1", ASKED, no)
        await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Rejected"))
        assert calls(rig) == []
