"""Five hundred seeds of people and accidents, and bugs that are planted to be found."""

import asyncio
import os

import pytest
from approvals import ANY_DIGEST, NO_SELF, all_count, unchecked
from machine import Machine, simulate
from scene import yes
from targets import AGAIN, UNCHANGED

from assistant.domain.action import Status
from assistant.flow import Stage

SEEDS = int(os.environ.get("SEEDS", "500"))
PART, SOON = 50, 5


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_whatever_happens_each_effect_was_allowed_and_happened_once(first):
    assert simulate(range(first, first + PART)) == {}


def keep(known, _event):
    """Forget that anything was started."""
    return known


BUGS = {
    "one approves what they asked for": NO_SELF,
    "a yes to something else counts": ANY_DIGEST | {"assistant.actions.run.may_start": yes},
    "a target that changed is not seen": UNCHANGED,
    "who left still counts": {"assistant.actions.run._still_valid": all_count},
    "a freeze is not seen": {
        "assistant.actions.run.frozen": yes,
        "assistant.actions.approval.frozen": yes,
    },
    "nobody looks at the clock or the policy": {"assistant.actions.run.may_start": yes},
    "after a crash it is done again": {
        "assistant.flow._DUE": AGAIN,
        "assistant.domain.requests._done": keep,
        **UNCHANGED,
    },
    "one yes is enough for two": {
        "assistant.domain.requests._decided": unchecked,
        "assistant.actions.run.may_start": yes,
    },
    "after a crash nobody looks it up": {"assistant.flow._DUE": {Status.APPROVED: Stage.ACT}},
}


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_planted_bug_is_found(bug, monkeypatch):
    for name, replacement in BUGS[bug].items():
        monkeypatch.setattr(name, replacement)
    assert any(simulate(range(first, first + SOON)) for first in range(0, SEEDS, SOON))


def test_much_happens():
    """The seeds are worth something: requests are approved, done, refused, and killed."""
    done = stopped = 0
    for seed in range(20):
        machine = Machine(seed)

        asyncio.run(machine.live())
        states = [t.status for t in machine.all_requests()]
        done += states.count(Status.VERIFIED)
        stopped += len(states) - states.count(Status.VERIFIED)
    assert done >= 15
    assert stopped >= 15
