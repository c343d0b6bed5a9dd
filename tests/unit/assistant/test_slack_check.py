"""The judge of blocks: what it refuses, and where."""

import pytest
from specimens import (
    BAD,
    BAD_VIEWS,
    DIVIDER,
    GOOD,
    INPUT,
    MODAL,
    SECTION,
    TOGETHER,
    mrkdwn,
    plain,
)

from assistant.slack import limits
from assistant.slack.check import Surface, faults, too_long, total, view_faults


@pytest.mark.parametrize("block", GOOD)
def test_a_good_block_is_taken(block):
    assert faults([block], Surface.MESSAGE) == []


@pytest.mark.parametrize("name", BAD)
def test_a_bad_block_is_refused_with_a_pointer(name):
    found = faults([BAD[name]], Surface.MESSAGE)
    assert found
    assert all("[json-pointer:/blocks" in fault for fault in found)


def test_a_fault_is_worded_as_slack_words_it():
    assert faults([DIVIDER, BAD["long section"]], Surface.MESSAGE) == [
        "must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


@pytest.mark.parametrize(("blocks", "surface", "reason"), TOGETHER)
def test_blocks_that_are_only_wrong_together_or_in_this_place(blocks, surface, reason):
    found = faults(blocks, surface)
    assert len(found) >= 1
    assert reason in found[0]


def test_blocks_may_be_as_large_as_slack_takes_them():
    blocks = [SECTION | {"text": mrkdwn("é" * 2900)} for _ in range(4)]
    assert faults(blocks, Surface.MESSAGE) == []
    assert not too_long(blocks)
    assert limits.BLOCKS_BUDGET < limits.MESSAGE_BLOCKS_TOTAL < total([*blocks, *blocks])
    assert too_long([*blocks, *blocks])


def test_a_good_view_is_taken():
    alert = {"type": "alert", "text": plain(), "level": "warning"}
    assert view_faults(MODAL | {"blocks": [INPUT, alert], "private_metadata": "x" * 3000}) == []
    assert view_faults({"type": "home", "blocks": [SECTION]}) == []


@pytest.mark.parametrize(("view", "at"), BAD_VIEWS)
def test_a_bad_view_is_refused(view, at):
    assert f"[json-pointer:{at}]" in view_faults(view)[0]
