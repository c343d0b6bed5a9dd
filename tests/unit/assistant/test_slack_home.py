"""The home tab: what is open, what waits for whom, and decisions that are made there."""

from datetime import timedelta

import pytest
from acting import BEN, request
from conversing import explained, find, labelled, press_in, words
from slackdesk import LOOKS, Rig
from slackrig import judged
from written import NOON

from assistant.answer import Answer
from assistant.commands import Approve, Deny
from assistant.domain.events import ActionRequested, Denied, Opened, ReadFailed, ReadPerformed


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack)


async def asked(rig, **more):
    """Have an action asked for that waits now; returns the request and the thread."""
    ts, _ = await explained(rig)
    now = rig.clock.now()
    made = request(created=now, expires=now + timedelta(minutes=15), demo=True, **more)
    await rig.desk.happen("INC-1", ActionRequested(request=made, digest=made.digest))
    await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
    return made, ts


async def looked(rig, name):
    person = rig.slack.person(name)
    await person.open_home()
    return await rig.slack.wait_for(person.home)


async def test_it_says_what_is_open_and_how_firstline_is_doing(rig):
    async with rig.running():
        read = ReadPerformed(source="tempo", capability="spans", rows=9, seconds=0.1,
                             complete=True, query="q", link=None)  # fmt: skip
        failed = ReadFailed(source="loki", capability="logs", seconds=1.0, reason="It is down.")
        _, card = await explained(rig)
        await rig.desk.happen("INC-1", read, failed)
        view = await looked(rig, "cleo")
        said = words(view.content)
        for part in ("INC-1", "booking fails — open", "✓ tempo spans: 9 rows in 0.1 s",
                     "✗ loki logs not looked at: It is down.", "7 records, head abc…, chain OK",
                     "Nothing waits for your approval."):  # fmt: skip
            assert part in said
        assert f"/archives/{rig.channel}/p{card.ts.replace('.', '')}" in str(view.content)


async def test_a_request_waits_for_whoever_may_approve_it_and_for_nobody_else(rig):
    async with rig.running():
        await asked(rig, requested_by=BEN)
        made = (await looked(rig, "ben")).content
        assert "Waiting for you (1)" in words(made)
        assert labelled(made["blocks"], "Approve") is not None
        cleo = (await looked(rig, "cleo")).content
        assert "Waiting for you (0)" in words(cleo)
        assert "Roll ledger back from v2 to v1." in words(cleo)
        assert labelled(cleo["blocks"], "Approve") is None


async def test_who_asked_is_not_asked_to_approve(rig):
    async with rig.running():
        ben = rig.slack.person("ben").user
        mine = type(BEN)(kind=BEN.kind, id=ben.id, name="ben", team=ben.team)
        await asked(rig, requested_by=mine)
        assert "Waiting for you (0)" in words((await looked(rig, "ben")).content)


async def test_a_decision_on_the_home_tab_counts_and_is_answered_there(rig):
    async with rig.running():
        made, _ = await asked(rig)
        rig.desk.answers[Approve] = Answer(incident="INC-1", said="Approved: it.")
        view = await looked(rig, "ben")
        await press_in(rig, "ben", view, "Approve")
        await rig.slack.wait_for(
            lambda: "Approved: it." in words(rig.slack.person("ben").home().content)
        )
        command, actor = rig.desk.taken[0]
        assert command == Approve(incident="INC-1", request=made.id, digest=made.digest)
        assert actor.name == "ben"


async def test_a_rejection_on_the_home_tab_asks_why(rig):
    async with rig.running():
        made, _ = await asked(rig)
        ben = rig.slack.person("ben")
        await press_in(rig, "ben", await looked(rig, "ben"), "Reject…")
        form = await rig.slack.wait_for(ben.modal)
        await ben.submit(form.id, {"reason": "not now"})
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.desk.taken[0][0] == Deny(incident="INC-1", request=made.id, reason="not now")


async def test_a_high_risk_is_reviewed_from_the_home_tab_as_well(rig):
    async with rig.running():
        await asked(rig, risk="high")
        ben = rig.slack.person("ben")
        await press_in(rig, "ben", await looked(rig, "ben"), "Review and approve…")
        form = await rig.slack.wait_for(ben.modal)
        await ben.submit(form.id, {"typed": "ledger"})
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.desk.taken[0][0].typed == "ledger"


async def test_who_has_it_open_sees_what_changes(rig):
    async with rig.running():
        made, _ = await asked(rig)
        assert "Waiting for you (1)" in words((await looked(rig, "ben")).content)
        await rig.desk.happen("INC-1", Denied(request=made.id, by=BEN, reason="no"))
        await rig.slack.wait_for(
            lambda: "Waiting for you (0)" in words(rig.slack.person("ben").home().content)
        )
        assert rig.slack.person("cleo").home() is None


async def many(rig, most, text):
    for number in range(1, most + 1):
        opened = Opened(at=NOON, text=f"{text} {number}", service=None, source="webhook")
        await rig.desk.happen(f"INC-{number:03}", opened)


async def test_status_tells_the_newest_first_and_how_many_it_leaves_out(rig):
    async with rig.running():
        await many(rig, 25, "<b> & " * 30)
        ana = rig.slack.person("ana")
        await ana.say("incidents", "@firstline status")
        (told,) = await rig.slack.wait_for(lambda: rig.whispers("ana"))
    *lines, last = told.split("\n")
    assert [line[:7] for line in lines] == [f"INC-{n:03}" for n in range(25, 25 - len(lines), -1)]
    assert all(line.endswith(", since 2026-03-01 12:00:00 UTC") for line in lines)
    assert last == f"and {25 - len(lines)} more, from before; my home tab lists the newest 20."
    assert 3 < len(lines) < 20


@pytest.mark.parametrize(("most", "lines"), [(20, 20), (21, 21)])
async def test_status_tells_twenty_where_they_fit(rig, most, lines):
    async with rig.running():
        await many(rig, most, "booking fails")
        await rig.slack.person("ana").say("incidents", "@firstline status")
        (told,) = await rig.slack.wait_for(lambda: rig.whispers("ana"))
    assert len(told.split("\n")) == lines
    assert ("and 1 more" in told) is (most > 20)


async def test_the_home_tab_lists_the_newest_first_and_counts_the_others(rig):
    async with rig.running():
        await many(rig, 25, "booking fails")
        said = words((await looked(rig, "cleo")).content)
    assert said.index("INC-025") < said.index("INC-006") < said.index("and 5 more")
    assert "INC-005" not in said
