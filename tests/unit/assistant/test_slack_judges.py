"""The judges of what is shown: one of them finds each fault, and none refuses what is good."""

import time

import pytest
from goldenfiles import same
from judges.panel import JUDGES, known, objections, verdicts
from specimens import BAD, BAD_VIEWS, GOOD, INPUT, MODAL, SECTION, TOGETHER, mrkdwn, plain

from assistant.slack import limits
from assistant.slack.check import Surface
from assistant.slack.local.shown import Shown

LONG = "x" * (limits.UPDATED_TEXT + 1)
TASK = {"type": "task_update", "id": "1", "title": "look", "status": "complete"}
WHOLE = {
    "edit longer than shown": {"method": "chat.update", "texts": (LONG,)},
    "much in all blocks": {"blocks": [SECTION | {"text": mrkdwn("x" * 2_900)}] * 5},
    "chunk of no kind": {"method": "chat.appendStream", "chunks": [TASK | {"status": "odd"}]},
    "view of 250 kB": {
        "method": "views.open",
        "surface": Surface.MODAL,
        "view": MODAL | {"blocks": [SECTION | {"text": mrkdwn("x" * 2_900)}] * 90},
    },
}


def message(*blocks, **more):
    fields = {"method": "chat.postMessage", "channel": "C1", "surface": Surface.MESSAGE}
    return Shown(**fields | {"blocks": blocks} | more)


def opened(view):
    surface = Surface.HOME if view.get("type") == "home" else Surface.MODAL
    blocks = view.get("blocks", ())
    return Shown(method="views.open", channel="", surface=surface, blocks=blocks, view=view)


def wrong():
    """Yield each thing that Slack would refuse, with a name."""
    yield from ((name, message(block)) for name, block in BAD.items())
    for blocks, surface, reason in TOGETHER:
        yield f"{surface}: {reason}", message(blocks=blocks, surface=surface)
    for number, (view, at) in enumerate(BAD_VIEWS, start=1):
        yield f"view {number}, wrong at {at}", opened(view)
    yield from ((name, message(**fields)) for name, fields in WHOLE.items())


@pytest.mark.parametrize("block", GOOD)
def test_a_good_block_is_refused_by_no_judge(block):
    """Some are as large as a block may be, and larger than a message."""
    assert [said for said in objections(message(block)) if not said.startswith("limits")] == []


@pytest.mark.parametrize("view", [MODAL, {"type": "home", "blocks": [SECTION]}])
def test_a_good_view_is_refused_by_no_judge(view):
    assert list(objections(opened(view))) == []


def test_each_fault_is_found_and_who_finds_it_is_on_record():
    found = {name: list(verdicts(one)) for name, one in wrong()}
    assert [name for name, judges in found.items() if not judges] == []
    assert {judge for judges in found.values() for judge in judges} == set(JUDGES)
    width = max(map(len, found))
    same("judges.txt", "".join(f"{n:{width}}  {' '.join(j)}\n" for n, j in found.items()))


def test_what_no_judge_from_outside_knows_does_not_pass():
    chart = {"type": "data_visualization", "title": "errors"}
    assert not known(chart)
    assert any("no judge from outside knows" in said for said in objections(message(chart)))
    table = {"type": "data_table", "rows": []}
    assert known(table)  # the models drop it, the schema has it
    assert list(verdicts(message(table))) == ["check", "schema"]


def test_a_view_asks_with_a_field_and_is_judged_with_its_blocks():
    bad = opened(MODAL | {"blocks": [INPUT | {"element": {"type": "guess"}}]})
    assert {"check", "schema"} <= set(verdicts(bad))
    unlabelled = opened(MODAL | {"title": mrkdwn()})
    assert "schema" in verdicts(unlabelled)


def test_to_judge_a_message_takes_a_few_milliseconds():
    card = message(*(SECTION | {"text": plain(f"line {n}")} for n in range(15)), *GOOD[:10])
    list(objections(card))  # the schema is compiled once
    began = time.process_time()
    for _ in range(20):
        list(objections(card))
    assert (time.process_time() - began) / 20 < 0.02
