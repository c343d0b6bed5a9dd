"""Modals: what they say, that Slack would take them, and what comes of a press in them."""

import json
from dataclasses import replace

import pytest
from acting import request
from conversing import explained, find, labelled, press, press_in, words
from slackdesk import LOOKS, Rig
from slackrig import judged
from test_slack_letters import HOSTILE
from written import FACTS, NOON, PLAN, evidence, finding, hypothesis, incident

from assistant.answer import Answer
from assistant.commands import Approve, RequestStep, SeeEvidence
from assistant.domain.action import Status, Tracked
from assistant.domain.events import ActionRequested, PolicyDecided, ReadPerformed
from assistant.domain.incident import apply
from assistant.requesting import Rehearsed
from assistant.requests_view import request_view
from assistant.slack import limits
from assistant.slack.blocks.evidence import PER_PAGE, evidence_modal, pages
from assistant.slack.blocks.plan import LOOKING, plan_modal
from assistant.slack.blocks.review import review_modal
from assistant.slack.check import view_faults
from connectors.actions import ActionCall, Preview

MANY = tuple(evidence(n, f"fact number {n} {HOSTILE}", exemplars=("é" * 400,) * 3)
             for n in range(1, 101))  # fmt: skip
PREVIEW = Preview(
    target="service/ledger",
    state="v2",
    summary="Roll ledger back from v2 to v1.",
    diff=("- version v2", "+ version v1"),
    blast="one instance restarts",
    touches=1,
    among=2,
    undo=ActionCall(action="rollout", args={"service": "ledger", "version": "v2"}),
)
DECIDED = PolicyDecided(
    stage="asked", action="rollback", target="service/ledger", decision="approval", rule="change",
    why="", needed=1, group=None, policy="p", facts="f", failed=False,
)  # fmt: skip
REHEARSED = {1: Rehearsed(preview=PREVIEW, decided=DECIDED)}


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack)


def taken(view):
    """Return a view that Slack would take."""
    assert view_faults(view) == []
    assert len(json.dumps(view).encode()) < limits.VIEW_BYTES
    return view


def many():
    found = finding(
        evidence=MANY,
        hypotheses=(hypothesis(supports=("E1", "E2")),),
        change=None,
        innocent_changes=(),
        ruled_out=(),
    )
    return incident(found)


def test_the_evidence_says_what_is_needed_to_check_each_fact():
    read = ReadPerformed(source="tempo", capability="spans", rows=9, seconds=0.1, complete=True,
                         query="q", link="https://traces.example/x")  # fmt: skip
    fact = replace(FACTS[0], source="spans", exemplars=("trace-7",), first_seen=NOON)
    state = apply(incident(finding(evidence=(fact, *FACTS[1:]))), read)
    view = taken(evidence_modal("INC-1", state, 0, LOOKS.hosts, []))
    said = words(view["blocks"])
    for part in (
        "E1 errors begin in ledger POST /book",
        "error_origin: 0 % → 30 % (n 400 → 100)",
        "trace-7",
        "First seen 2026-03-01 12:00:00 UTC",
        "Source: spans from 2026-03-01 10:45:00 to 12:00:00 UTC",
        "ledger raises errors of its own",
        "For E1",
        "Ruled out E4 front: front only passes the errors on",
        "Innocent changes E5",
        "Could not see metrics were not recorded",
    ):
        assert part in said
    assert "https://traces.example/x" in str(view)


def test_a_link_to_a_host_that_nobody_allowed_is_words():
    read = ReadPerformed(source="tempo", capability="spans", rows=9, seconds=0.1, complete=True,
                         query="q", link="https://evil.example/x")  # fmt: skip
    fact = replace(FACTS[0], source="spans")
    state = apply(incident(finding(evidence=(fact, *FACTS[1:]))), read)
    view = taken(evidence_modal("INC-1", state, 0, LOOKS.hosts, []))
    assert "evil.example" not in str(view)
    assert "tempo" in words(view["blocks"])


def test_a_hundred_hostile_facts_stand_on_pages_that_slack_takes():
    state = many()
    seen = [
        words(taken(evidence_modal("INC-1", state, page, (), []))["blocks"])
        for page in range(pages(state))
    ]
    assert len(seen) == 101 // PER_PAGE + 1
    told = " ".join(seen)
    assert all(told.count(f"fact number {n} ") == 1 for n in range(3, 101))
    assert "<!channel>" in told  # literally


def test_before_there_is_an_answer_the_evidence_says_so():
    state = replace(incident(), finding=None)
    view = taken(evidence_modal("INC-1", state, 0, (), []))
    assert "There is no answer yet." in words(view["blocks"])


def test_the_plan_says_what_each_step_would_do_now_and_who_has_to_agree():
    view = taken(plan_modal("INC-1", incident(plan=PLAN), REHEARSED, {}, approvers="@sre"))
    said = words(view["blocks"])
    for part in (
        "1. look: Compare both versions. kubectl get pods",
        "2. act: Roll ledger back.",
        "Call: rollback(service=ledger)",
        "Would do now: Roll ledger back from v2 to v1.",
        "Target: service/ledger",
        "What else feels it: one instance restarts",
        "Taken back by: rollout(service=ledger, version=v2)",
        "Has to approve: 1 of @sre, and not who asks",
        "- version v2 + version v1",
    ):
        assert part in said
    assert LOOKING not in said


def test_a_step_that_cannot_be_asked_for_says_why():
    refused = {1: Rehearsed(why="ledger runs v1 already.")}
    gap = replace(PLAN.steps[1], args=(("service", "<service>"),))
    plan = replace(PLAN, steps=(*PLAN.steps, gap))
    said = words(plan_modal("INC-1", incident(plan=plan), refused, {}, approvers="@sre")["blocks"])
    assert "Not ready: ledger runs v1 already." in said
    assert "Not ready: not known: service <service>" in said


async def test_every_member_who_reads_the_channel_may_turn_the_pages_of_the_evidence(rig):
    async with rig.running():
        _, card = await explained(rig, found=many().finding)
        cleo = rig.slack.person("cleo")  # who may approve nothing
        await press(rig, "cleo", card, "Evidence")
        first = await rig.slack.wait_for(cleo.modal)
        assert "fact number 1 " in words(first.content)
        assert labelled(first.content["blocks"], "Back") is None
        await press_in(rig, "cleo", first, "Next")
        second = await rig.slack.wait_for(
            lambda: cleo.modal() if "fact number 21 " in words(cleo.modal().content) else None
        )
        assert second.id == first.id
        await press_in(rig, "cleo", second, "Back")
        await rig.slack.wait_for(lambda: "fact number 1 " in words(cleo.modal().content))
        assert rig.desk.taken == []


async def test_a_page_that_is_there_no_more_becomes_the_last_one(rig):
    async with rig.running():
        ts, _ = await explained(rig)
        token = rig.tables.buttons.token(SeeEvidence(incident="INC-1", page=9), "INC-1")
        button = {"type": "button", "text": {"type": "plain_text", "text": "Go"},
                  "action_id": "see:0", "value": token}  # fmt: skip
        posted = await rig.client.chat_postMessage(
            channel=rig.channel, thread_ts=ts, text="x", unfurl_links=False, unfurl_media=False,
            blocks=[{"type": "actions", "elements": [button]}],
        )  # fmt: skip
        ana = rig.slack.person("ana")
        await ana.click("incidents", posted["ts"], "see:0")
        view = await rig.slack.wait_for(ana.modal)
        assert "Page 1 of 1" in words(view.content)


async def test_a_step_is_asked_for_out_of_the_plan_and_answered_there(rig):
    async with rig.running():
        _, card = await explained(rig)
        rig.desk.rehearsed = REHEARSED
        rig.desk.answers[RequestStep] = Answer(incident="INC-1", said="Not done: no.", refused=True)
        ben = rig.slack.person("ben")
        await press(rig, "ben", card, "Review plan")
        view = await rig.slack.wait_for(
            lambda: (
                ben.modal()
                if ben.modal() and "- version v2" in words(ben.modal().content)
                else None
            )
        )
        await press_in(rig, "ben", view, "Request: Roll ledger back.")
        await rig.slack.wait_for(lambda: "Not done: no." in words(ben.modal().content))
        command, actor = rig.desk.taken[0]
        assert command == RequestStep(incident="INC-1", step=1)
        assert actor.name == "ben"
        await rig.slack.wait_for(lambda: rig.whispers("ben") == ["Not done: no."])


async def rehearsals(rig):
    """Have it counted how often production is previewed."""
    seen = []

    async def rehearse(incident):
        seen.append(incident)
        return REHEARSED

    rig.desk.rehearse = rehearse
    return seen


@pytest.mark.parametrize("label", ["Review plan", "Evidence", "Wrong cause"])
async def test_a_guest_is_told_that_only_members_are_heard_and_opens_nothing(rig, label):
    async with rig.running():
        _, card = await explained(rig)
        seen = await rehearsals(rig)
        await press(rig, "gus", card, label)
        (said,) = await rig.slack.wait_for(lambda: rig.whispers("gus"))
        assert "only members" in said
        assert rig.slack.person("gus").modal() is None
        assert seen == []


async def test_who_has_become_a_guest_since_the_plan_was_opened_previews_nothing(rig):
    async with rig.running():
        _, card = await explained(rig)
        rig.desk.rehearsed = REHEARSED
        ben = rig.slack.person("ben")
        await press(rig, "ben", card, "Review plan")
        view = await rig.slack.wait_for(
            lambda: (
                ben.modal()
                if ben.modal() and "- version v2" in words(ben.modal().content)
                else None
            )
        )
        seen = await rehearsals(rig)
    rig.desk.watchers.clear()
    people = rig.slack.workspace.users
    people[ben.id] = replace(people[ben.id], restricted=True)
    async with rig.running():
        await press_in(rig, "ben", view, "Request")
        (said,) = await rig.slack.wait_for(lambda: rig.whispers("ben"))
        assert "only members" in said
        assert (seen, rig.desk.taken) == ([], [])


GRAVE = request(risk="high", target="service/ledger")
WANTED = ActionRequested(request=GRAVE, digest=GRAVE.digest)


def test_a_high_risk_is_shown_whole_and_asks_for_the_name_of_the_target():
    tracked = Tracked(request=GRAVE)
    view = taken(review_modal(request_view(tracked, "@sre"), tracked, "token", wrong="No."))
    said = words(view)
    for part in ("No.", "rollback(service=ledger, version=v1)", "service/ledger",
                 "- version v2", "one instance restarts", "rollout(", GRAVE.digest,
                 "type the name of its target: ledger"):  # fmt: skip
        assert part in said
    assert view["private_metadata"] == "token"


def test_what_is_decided_leaves_nothing_to_fill_in():
    tracked = Tracked(request=GRAVE, status=Status.DENIED)
    view = taken(review_modal(request_view(tracked, "@sre"), tracked, "token"))
    assert "submit" not in view


async def test_a_high_risk_is_approved_by_whoever_types_the_name_of_its_target(rig):
    async with rig.running():
        ts, _ = await explained(rig)
        await rig.desk.happen("INC-1", WANTED)
        card = await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "Approval needed"))
        assert labelled(card.blocks, "Approve") is None
        ben = rig.slack.person("ben")
        await press(rig, "ben", card, "Review and approve…")
        form = await rig.slack.wait_for(ben.modal)
        rig.desk.answers[Approve] = Answer(
            incident="INC-1", said="Not done: type it.", refused=True
        )
        await ben.submit(form.id, {"typed": "Ledger"})
        again = await rig.slack.wait_for(
            lambda: ((now := ben.modal()) and now.id != form.id and now) or None
        )
        assert "Not done: type it." in words(again.content)
        await ben.submit(again.id, {"typed": " ledger "})
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 2)
        assert ben.modal() is None
        assert [command for command, _ in rig.desk.taken] == [
            Approve(incident="INC-1", request=GRAVE.id, digest=GRAVE.digest, typed=word)
            for word in ("Ledger", "ledger")
        ]
