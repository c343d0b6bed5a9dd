"""A request that is too long for where it is shown: it is never shown without its facts."""

import json
from dataclasses import replace

import pytest
from acting import request
from conversing import find, labelled, press, words
from slackdesk import LOOKS, Rig
from slackrig import judged
from test_slack_home import asked, looked
from test_slack_outbox import letter, sending, sent
from written import PLAN, incident

from assistant.actions.approval import large, unread
from assistant.commands import Approve
from assistant.domain.action import Status, Tracked
from assistant.requesting import Rehearsed
from assistant.requests_view import request_view
from assistant.slack import limits
from assistant.slack.blocks.home import HomeView, Waiting, home
from assistant.slack.blocks.pieces import Pressed, actions, header, paragraphs, rich, verbatim
from assistant.slack.blocks.plan import plan_modal
from assistant.slack.blocks.request import request_card
from assistant.slack.blocks.review import TOO_LARGE, review_modal
from assistant.slack.check import Surface, faults, holds, total, view_faults
from assistant.slack.text import said
from connectors.actions import ActionCall, Preview

LINES = tuple(f"{'-+'[n % 2]} line {n} {'x' * 280}" for n in range(40))
FACTS = ("Action: ", "Target: ", "What else feels it: ", "Taken back by: ", "Risk: ",
         "May approve: ", "Digest: ")  # fmt: skip
HUGE = {
    "reason": "why " * 500,
    "blast": '"' * 5_000,
    "runbook": "é" * 900,
    "target": "s/" + "t" * 900,
}


@pytest.fixture
async def rig():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield Rig(slack)


def view_of(**more):
    tracked = Tracked(request=request(**more))
    return request_view(tracked, "@sre"), tracked


def with_buttons(view):
    return [Pressed(button=b, token=b.label) for b in view.buttons]


def kept(shown):
    assert [fact for fact in FACTS if fact not in words(shown)] == []
    return words(shown)


async def test_the_card_of_a_large_request_keeps_its_facts_and_takes_more_than_a_click(rig):
    async with rig.running():
        _, ts = await asked(rig, diff=LINES)
        card = find(rig.messages(thread=ts), "Approval needed")
        assert "Expires " in kept(card.blocks)
        assert "- line 0 xxx" in words(card.blocks)
        assert " more lines" in words(card.blocks)
        assert labelled(card.blocks, "Approve") is None
        ben = rig.slack.person("ben")
        await press(rig, "ben", card, "Review and approve…")
        form = await rig.slack.wait_for(ben.modal)
        told = kept(form.content)
        assert [line for line in LINES if line not in told] == []
        await ben.submit(form.id, {"typed": "ledger"})
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, _ = rig.desk.taken[-1]
        assert (type(command), command.typed) == (Approve, "ledger")


@pytest.mark.parametrize("more", [{"diff": LINES}, {"diff": ("é" * 499,) * 400}, HUGE,
                                  {**HUGE, "diff": ('"\\' * 4_000,) * 90}])  # fmt: skip
def test_a_card_fits_into_a_message_whatever_is_long(more):
    view, _ = view_of(**more)
    card = request_card(view, with_buttons(view))
    assert faults(card, Surface.MESSAGE) == []
    assert total(card) <= limits.BLOCKS_BUDGET
    kept(card)


def test_what_is_long_is_not_approved_by_a_click_whatever_its_risk():
    assert not large(request())
    for more in ({"diff": LINES}, {"diff": ("+ x",) * 41}, {"blast": "x" * 501},
                 {"args": (("to", "y" * 600),)}, {"summary": "s" * 600}):  # fmt: skip
        wanted = request(**more)
        assert "type ledger, the name of its target" in unread(wanted, "")
        assert unread(wanted, "ledger") is None


def test_the_form_shows_every_line_and_every_fact_whole():
    long = f"- {'z' * 7_000} the end of it"
    view, tracked = view_of(diff=(*LINES, long), risk="high", blast=f"{'b' * 3_000} and the last")
    form = review_modal(view, tracked, "token")
    assert view_faults(form) == []
    texts = "".join(
        element["text"] for block in form["blocks"] if block["type"] == "rich_text"
        for part in block["elements"] if part["type"] == "rich_text_preformatted"
        for element in part["elements"]
    )  # fmt: skip
    assert long in texts
    assert "and the last" in words(form)
    assert form["submit"]["text"] == "Approve"


def test_what_no_form_holds_cannot_be_approved():
    view, tracked = view_of(diff=LINES * 50, risk="high")
    form = review_modal(view, tracked, "token")
    assert holds(form)
    assert "submit" not in form
    assert "private_metadata" not in form
    assert TOO_LARGE in kept(form)
    assert tracked.request.digest in words(form)


def test_what_became_of_a_large_request_can_be_seen_whole():
    _, tracked = view_of(diff=LINES)
    over = replace(tracked, status=Status.DENIED, why="denied by ben")
    assert "See all of it" in [b.label for b in request_view(over, "@sre").buttons]
    form = review_modal(request_view(over, "@sre"), over, "token")
    assert LINES[-1] in words(form)
    assert "submit" not in form


@pytest.mark.parametrize("line", ["x" * 499, "é" * 499])
def test_the_home_tab_shows_as_many_large_requests_as_it_holds_and_each_with_its_facts(line):
    view, _ = view_of(diff=(line,) * 40)
    mine = tuple(
        Waiting(incident=f"INC-{n}", view=view, pressed=tuple(with_buttons(view))) for n in range(9)
    )
    shown = home(HomeView(incidents={}, links={}, mine=mine, others=(), audit=()))
    assert holds(shown)
    rows = [block for block in shown["blocks"] if block["type"] == "actions"]
    assert rows
    assert words(shown).count("Target: ") == words(shown).count("Digest: ") == len(rows)
    assert f"and {9 - len(rows)} more" in words(shown)


async def test_a_large_request_is_shown_on_the_home_tab_of_whoever_may_decide(rig):
    async with rig.running():
        await asked(rig, diff=LINES, risk="high")
        view = await looked(rig, "ben")
        kept(view.content)
        assert labelled(view.content["blocks"], "Review and approve…") is not None


@pytest.mark.parametrize("line", ["x" * 499, "é" * 499])
def test_the_plan_is_shown_whatever_its_steps_would_change(line):
    preview = Preview(target="service/ledger", state="v2", summary="Roll back.", diff=(line,) * 60,
                      blast="b" * 900, touches=1, among=2, undo=ActionCall(action="x"))  # fmt: skip
    plan = replace(PLAN, steps=(PLAN.steps[1],) * 15)
    every = dict.fromkeys(range(15), Rehearsed(preview=preview))
    view = plan_modal("INC-1", incident(plan=plan), every, {}, approvers="@sre")
    assert holds(view)
    assert words(view).count("Target: service/ledger") == 15
    assert " more lines" in words(view)


def test_of_a_plan_whose_every_word_is_long_the_first_steps_are_shown():
    preview = Preview(target="é" * 900, state="v2", summary="é" * 900, diff=("é" * 900,) * 60,
                      blast="é" * 900, touches=1, among=2,
                      undo=ActionCall(action="é" * 900))  # fmt: skip
    step = replace(PLAN.steps[1], text="é" * 900, command="é" * 900)
    plan = replace(PLAN, steps=(step,) * 15)
    every = dict.fromkeys(range(15), Rehearsed(preview=preview))
    view = plan_modal("INC-1", incident(plan=plan), every, {}, approvers="@sre")
    assert holds(view)
    assert words(view).count("Target: ") == 5
    assert "and 10 more steps in the runbook" in words(view)


async def test_no_form_of_a_letter_that_binds_has_buttons_without_what_they_are_for(rig):
    view, _ = view_of()
    buttons = actions(with_buttons(view))
    facts = [paragraphs([said("x" * 3_000)])] * 3 + [rich(verbatim(["y" * 410] * 6))]
    more = (header("Approval needed"), *facts, *buttons)
    assert total(more[:-1]) <= limits.BLOCKS_BUDGET < total(more)
    for number, blocks in enumerate([more, (*more, *facts)]):
        async with sending(rig) as outbox:
            outbox.put(letter(rig, f"asked {number}", slot=f"s{number}", blocks=blocks, binds=True))
            await sent(rig, outbox)
    held, bare = rig.messages()
    assert [block["type"] for block in held.blocks] == ["header", *["rich_text"] * 4]
    assert bare.blocks == ()


def test_what_is_long_is_measured_as_slack_measures_it():
    told = json.dumps(verbatim(['"\\' * 200] * 40), ensure_ascii=False)
    assert len(told) < 6_000
    assert "cut, " in told
